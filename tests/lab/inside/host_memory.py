# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's memory: its nodes and huge pages, what guests take of them, and what is locked."""
import math
from pathlib import Path

import bus
from drives import MIB
from guests import Guest, PAUSED_GUEST
from harness import kill_daemon, scenario

MEMORY = '/org/vireo/memory'
HOST, POLICY = 'org.vireo.HostMemory1', 'org.vireo.MemoryPolicy1'
GUEST_MIB = 64
PAGE = 2 * MIB
NODE = 1
MORE_PAGES = 8


def guest(name, tuning):
    return Guest(name, PAUSED_GUEST.replace('<os>', f'{tuning}<os>'))


def promises():
    """What guests were promised, by cell: size, requested, current, balloon, locked."""
    return {int(cell): tuple(map(int, sums)) for cell, *sums in bus.get(MEMORY, HOST, 'Promises')}


def pages(kind, node=NODE):
    folder = Path(f'/sys/devices/system/node/node{node}/hugepages/hugepages-{PAGE // 1024}kB')
    return int((folder / f'{kind}_hugepages').read_text())


def promised(rows):
    """Waits until the ledger has these rows: qemud tells of each change."""
    with bus.Signals(f"type='signal',member='PropertiesChanged',path='{MEMORY}'") as signals:
        signals.until(lambda: promises() == rows, f'the promises are {rows}')


@scenario
def locked_memory():
    """a guest's memory is locked, its limit is raised for that, and the ledger has it"""
    size = GUEST_MIB * MIB
    with guest('locked', '<memoryBacking><locked/></memoryBacking>') as locked:
        assert math.isinf(locked.limit_of_locked_memory()), locked.limit_of_locked_memory()
        assert locked.locked_memory() >= size, locked.locked_memory()
        promised({-1: (size, size, size, 0, size)})
        with guest('limited', "<memtune><hard_limit unit='MiB'>777</hard_limit></memtune>") as limited:
            assert limited.limit_of_locked_memory() == 777 * MIB, limited.limit_of_locked_memory()
            assert limited.locked_memory() == 0
            promised({-1: (2 * size, 2 * size, 2 * size, 0, size)})
    promised({})


@scenario
def huge_pages_of_a_node():
    """huge pages are allocated on one node, and a guest that is bound to it takes them there"""
    cells = bus.get(MEMORY, HOST, 'Cells')
    assert [int(cell) for cell, _, _ in cells] == [0, 1], cells
    total, other = pages('nr'), pages('nr', 0)
    got = bus.call(MEMORY, HOST, 'AllocatePages', 'itts', NODE, PAGE, MORE_PAGES, 'add', name='org.vireo')
    assert tuple(map(int, got)) == (MORE_PAGES, total + MORE_PAGES), got
    assert (pages('nr'), pages('nr', 0)) == (total + MORE_PAGES, other)
    told = {(int(cell), int(size)): int(there) for cell, size, there, _, _ in bus.get(MEMORY, HOST, 'HugePages')}
    assert told[NODE, PAGE] == total + MORE_PAGES, told

    free = pages('free')
    tuning = ("<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages><allocation mode='immediate'/>"
              f"</memoryBacking><numatune><memory mode='strict' nodeset='{NODE}'/></numatune>")
    size = GUEST_MIB * MIB
    with guest('backed', tuning):
        assert pages('free') == free - size // PAGE, pages('free')
        promised({NODE: (size, size, size, 0, 0)})
        bus.refused(['huge pages', f'and {MORE_PAGES} are free'], guest('too-many', tuning).__enter__)
        assert pages('free') == free - size // PAGE
    assert pages('free') == free
    bus.call(MEMORY, HOST, 'AllocatePages', 'itts', NODE, PAGE, total, 'set', name='org.vireo')
    assert pages('nr') == total


@scenario
def memory_policy():
    """the memory policy watches this kernel's pressure, goes on after a SIGKILL, and is off at the end"""
    bus.put(MEMORY, POLICY, 'Enabled', True)
    try:
        assert bus.get(MEMORY, POLICY, 'State') == 'watching', bus.get(MEMORY, POLICY, 'StateReason')
        kill_daemon('vireo-storaged')
        assert bus.get(MEMORY, POLICY, 'State') == 'watching', bus.get(MEMORY, POLICY, 'StateReason')
    finally:
        bus.put(MEMORY, POLICY, 'Enabled', False)
    assert bus.get(MEMORY, POLICY, 'State') == 'off'
