# SPDX-License-Identifier: LGPL-2.1-or-later
"""nodedevd with a real kernel: what it finds of NVMe drives, and binding their drivers as a lease."""
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import dbus

import bus
from bus import refused
from drives import (ADDRESSES, LEASES, NATIVE, NODE, assert_with_host, changes_of, checksum, detach, disk, driver_of,
                    lease_file, lease_of, libvirt_path, mounted, native_path, reattach)
from harness import PLAN, kill_daemon, main_pid, run, scenario, show, wait_ended

UNKNOWN = 0xffffffff
CYCLES, CYCLES_S = 100, 150  # as many as that, or as that much time allows


def objects():
    return bus.call('/org/vireo', 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects', name='org.vireo')


def without_types(value):
    """What busctl prints as JSON, without the type beside each variant."""
    if isinstance(value, dict):
        return without_types(value['data']) if set(value) == {'type', 'data'} else \
            {key: without_types(inner) for key, inner in value.items()}
    return [without_types(inner) for inner in value] if isinstance(value, list) else value


@scenario
def discovery():
    """busctl lists both controllers and their three namespaces with sizes"""
    # A daemon that has just come asks the drives for their formats first.
    with bus.Signals("type='signal',member='PropertiesChanged',path_namespace='/org/vireo/nodedev'") as signals:
        signals.until(lambda: UNKNOWN not in [o['org.vireo.NvmeNamespace1']['MetadataSize'] for o in objects().values()
                                              if 'org.vireo.NvmeNamespace1' in o], 'the formats are known')
    printed = run('busctl', '--json=short', 'call', 'org.vireo', '/org/vireo', 'org.freedesktop.DBus.ObjectManager',
                  'GetManagedObjects')
    found = without_types(json.loads(printed))[0].values()
    controllers = {o['org.vireo.NvmeController1']['Serial']: o['org.vireo.NvmeController1']
                   for o in found if 'org.vireo.NvmeController1' in o}
    assert set(controllers) == {'LAB0', 'LAB1'}, controllers
    assert {s: c['Address'] for s, c in controllers.items()} == ADDRESSES
    assert controllers['LAB1']['NumaNode'] == 1, controllers['LAB1']
    assert [len(controllers[s]['Namespaces']) for s in ('LAB0', 'LAB1')] == [2, 1]
    spaces = [o['org.vireo.NvmeNamespace1'] for o in found if 'org.vireo.NvmeNamespace1' in o]
    assert {(space['LBASize'], space['MetadataSize']) for space in spaces} == {(512, 0)}, spaces
    sizes = {space['BlockDevice']: space['Size'] for space in spaces}
    assert sizes == {disk(serial, nsid): size for serial, nsid, size in PLAN['namespaces']}, sizes


@scenario
def in_use():
    """a mounted namespace says so, and its drive is not detached: the error names the mount point"""
    node = disk('LAB0', 2)
    space = next(path for path, o in objects().items()
                 if o.get('org.vireo.NvmeNamespace1', {}).get('BlockDevice') == node)
    with bus.Signals(f"type='signal',member='PropertiesChanged',path='{space}'") as signals:
        with mounted('LAB0', 2, Path('/mnt/lab')):
            signals.wait(lambda _: bus.get(space, NATIVE, 'InUseBy'), 'the mount is told')
            uses = bus.get(space, NATIVE, 'InUseBy')
            assert [(u['Kind'], u['By']) for u in uses] == [('mount', '/mnt/lab')], uses
            refused(['in use by the host', '/mnt/lab'], detach, 'LAB0')
            assert driver_of('LAB0') == 'nvme'
            assert not list(LEASES.glob('*'))
        signals.wait(lambda _: not bus.get(space, NATIVE, 'InUseBy'), 'the unmount is told')
    run('mkswap', node)
    run('swapon', node)
    try:
        refused(['swap'], detach, 'LAB0')
    finally:
        run('swapoff', node)
    with open(node, 'rb'):
        refused(['python3'], detach, 'LAB0')


@scenario
def leases():
    """a drive is detached and attached again; the journal says who has it meanwhile"""
    before = bus.call(libvirt_path('LAB1'), NODE, 'GetXMLDesc', 'u', 0)
    detach('LAB1')
    assert driver_of('LAB1') == 'vfio-pci'
    assert lease_file('LAB1').exists()
    lease = lease_of('LAB1')
    assert (lease['Holder'], lease['State'], lease['HostDriver']) == ('', 'held', 'nvme'), lease
    refused(['held by'], bus.call, native_path('LAB1'), NATIVE, 'Acquire', 'sa{sv}', 'domain/somebody', {})
    reattach('LAB1')
    assert_with_host('LAB1')
    after = bus.call(libvirt_path('LAB1'), NODE, 'GetXMLDesc', 'u', 0)
    assert before == after, f'{before}\n{after}'


@scenario
def killed_daemon():
    """a drive detached before a SIGKILL of nodedevd is attached again by its successor"""
    detach('LAB1')
    kill_daemon('vireo-nodedevd')
    assert lease_of('LAB1')['State'] == 'held'
    reattach('LAB1')
    assert_with_host('LAB1')


@scenario
def killed_between():
    """a SIGKILL of nodedevd at any moment of a detach leaves a drive that comes back"""
    kills = 6
    for step in range(kills):
        lease_of('LAB1')
        handle = os.pidfd_open(main_pid('vireo-nodedevd'))
        call = subprocess.Popen(['busctl', 'call', 'org.libvirt', libvirt_path('LAB1'), NODE, 'Detach', 'su', '', '0'],
                                stderr=subprocess.DEVNULL)
        # Each time a little later: before it is asked, between two drivers, after it is done.
        try:
            call.wait(timeout=0.2 * step)
        except subprocess.TimeoutExpired:
            pass
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        wait_ended(handle)
        call.wait()
        reattach('LAB1')
        assert_with_host('LAB1')
    assert show('vireo-nodedevd.socket', 'ActiveState') == 'active'
    return f'{kills} times'


@scenario
def ends_with_holder():
    """a lease ends with its holder's process, also when that ends while no nodedevd runs"""
    for running in (True, False):
        holder = subprocess.Popen(['sleep', 'infinity'])
        bus.call(native_path('LAB1'), NATIVE, 'Acquire', 'sa{sv}', 'domain/lab', {'process': dbus.UInt32(holder.pid)})
        assert driver_of('LAB1') == 'vfio-pci'
        if not running:
            run('systemctl', 'stop', 'vireo-nodedevd.service')
        with bus.Signals(changes_of('LAB1')) as signals:
            holder.kill()
            holder.wait()
            if not running:
                assert driver_of('LAB1') == 'vfio-pci'
                run('systemctl', 'start', 'vireo-nodedevd.service')
            signals.wait(lambda _: driver_of('LAB1') == 'nvme' and not lease_of('LAB1'), 'it is back')
        assert_with_host('LAB1')


@scenario
def while_it_slept():
    """a drive that leaves and comes while nodedevd does not run starts it, and is told of"""
    address = ADDRESSES['LAB1']
    assert native_path('LAB1') in objects()
    for action, event in ((f'/sys/bus/pci/devices/{address}/remove', 1), ('/sys/bus/pci/rescan', 0)):
        run('systemctl', 'stop', 'vireo-nodedevd.service')
        with bus.Signals("type='signal',member='NodeDeviceEvent'") as signals:
            Path(action).write_text('1')
            signals.wait(lambda m: m['payload']['data'] == [libvirt_path('LAB1'), event, 0], f'event {event}')
    assert_with_host('LAB1')


@scenario
def many_cycles():
    """cycles of detach and re-attach leave the drive as it was"""
    before = bus.call(libvirt_path('LAB0'), NODE, 'GetXMLDesc', 'u', 0), checksum('LAB0', 1), checksum('LAB0', 2)
    descriptors = len(os.listdir(f'/proc/{main_pid("vireo-nodedevd")}/fd'))
    end, cycles = time.monotonic() + CYCLES_S, 0
    while cycles < CYCLES and time.monotonic() < end:
        detach('LAB0')
        assert driver_of('LAB0') == 'vfio-pci'
        reattach('LAB0')
        cycles += 1
    assert_with_host('LAB0')
    after = bus.call(libvirt_path('LAB0'), NODE, 'GetXMLDesc', 'u', 0), checksum('LAB0', 1), checksum('LAB0', 2)
    assert before == after, f'{before}\n{after}'
    now = len(os.listdir(f'/proc/{main_pid("vireo-nodedevd")}/fd'))
    # One or two may be those of a question to the drive that has just come back.
    assert now <= descriptors + 3, f'{descriptors} descriptors before, {now} after'
    return f'{cycles} of them'
