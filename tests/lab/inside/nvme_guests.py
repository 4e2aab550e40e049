# SPDX-License-Identifier: LGPL-2.1-or-later
"""NVMe disks of running guests: the drive changes hands and its content does not."""
import contextlib
from pathlib import Path

import bus
from bus import refused
from drives import (ADDRESSES, LEASES, MIB, assert_with_host, digest, digest_in_image, disk, driver_of, known_content,
                    lease_of, mounted)
from guests import DOMAIN_EVENTS, Guest, PAUSED, PAUSED_GUEST, stopped
from harness import end_process, kill_daemon, main_pid, run, scenario
from linux_guest import MEMORY, LinuxGuest

LIVE = 1  # virDomainModificationImpact
RESTARTS = 4
RUNNING, SHUT_OFF = 1, 5  # virDomainState


def nvme_source(serial, nsid):
    domain, bus_number, place = ADDRESSES[serial].split(':')
    slot, function = place.split('.')
    return (f"<source type='pci' managed='yes' namespace='{nsid}'><address domain='0x{domain}' bus='0x{bus_number}'"
            f" slot='0x{slot}' function='0x{function}'/></source>")


def nvme_disk(serial, nsid, target='vda', image='raw'):
    return (f"<disk type='nvme' device='disk'><driver name='qemu' type='{image}'/>{nvme_source(serial, nsid)}"
            f"<target dev='{target}' bus='virtio'/></disk>")


def paused_guest(*disks):
    return Guest('paused', PAUSED_GUEST.replace('</devices>', ''.join(disks) + '</devices>'))


def refused_start(words, *disks):
    """Such a guest does not start, and nothing is left of the attempt."""
    guest = paused_guest(*disks)
    path = bus.connect('DomainDefineXML', 's', guest.document)
    try:
        refused(words, bus.call, path, 'org.libvirt.Domain', 'Create', 'u', 0)
        assert int(bus.call(path, 'org.libvirt.Domain', 'GetState', 'u', 0)[0]) == SHUT_OFF
        assert not list(LEASES.glob('*'))
        assert {driver_of(serial) for serial in ADDRESSES} == {'nvme'}
        scopes = run('systemctl', 'list-units', '--all', '--no-legend', f'vireo-guest-*-{guest.name}.scope')
        assert not scopes, scopes
        assert not list(Path('/run/vireo/qemu').rglob('*.pid'))
    finally:
        bus.call(path, 'org.libvirt.Domain', 'Undefine', 'u', 0)


def power_off(guest):
    """By what runs in it. Its drives are with the host when the event comes."""
    with bus.Signals(DOMAIN_EVENTS) as signals:
        guest.type('poweroff -f')
        signals.wait(stopped(guest.path), f'{guest.name} has ended')
    assert {driver_of(serial) for serial in ADDRESSES} == {'nvme'}


@scenario
def mounted_namespace():
    """a guest on a namespace with a mounted file system does not start: the error names the mount point"""
    with mounted('LAB0', 2, Path('/mnt/lab')):
        refused_start(['in use by the host', '/mnt/lab'], nvme_disk('LAB0', 2))
        # The controller goes whole: its other namespace is not free, either.
        refused_start(['in use by the host', '/mnt/lab'], nvme_disk('LAB0', 1))
    assert_with_host('LAB0')


@scenario
def two_namespaces():
    """a guest with two namespaces of one controller does not start: the error says why, and what to do"""
    refused_start([ADDRESSES['LAB0'], 'the kernel allows one open', "type='block'", '<hostdev'],
                  nvme_disk('LAB0', 1), nvme_disk('LAB0', 2, 'vdb'))


@scenario
def start_again():
    """a guest starts again as soon as it has ended, while the kernel is still looking at its drive"""
    with paused_guest(nvme_disk('LAB0', 1)) as guest:
        for _ in range(RESTARTS):
            guest.call('Destroy', 'u', 0)
            guest.call('Create', 'u', PAUSED)
    assert_with_host('LAB0')
    return f'{RESTARTS} times'


@scenario
def drive_in_guest():
    """a guest reads its drive and writes to it; when it has ended, the host has it and sees what was written"""
    with LinuxGuest('reader', nvme_disk('LAB0', 1)) as guest:
        assert driver_of('LAB0') == 'vfio-pci'
        lease = lease_of('LAB0')
        assert lease['Holder'] == 'domain/' + guest.get('UUID'), lease
        assert lease['Process'] == guest.process, lease
        refused(["in use by guest 'reader'"], paused_guest(nvme_disk('LAB0', 2)).__enter__)
        # One disk that reaches the guest's memory by itself, and 1 GiB for what QEMU needs besides.
        assert guest.limit_of_locked_memory() == MEMORY + 1024 * MIB, guest.limit_of_locked_memory()
        assert guest.locked_memory() >= MEMORY, guest.locked_memory()
        assert guest.first_words('vda') == known_content('LAB0', 1)
        written = guest.write('vda', 12)
        power_off(guest)
    assert_with_host('LAB0')
    assert digest('LAB0', 1, 12) == written


@scenario
def killed_with_daemons():
    """a guest keeps its drive when qemud and nodedevd are killed; when QEMU is killed, the host has it back"""
    with LinuxGuest('killed', nvme_disk('LAB0', 1)) as guest:
        written = []
        for at, daemon in enumerate(('vireo-qemud', 'vireo-nodedevd')):
            kill_daemon(daemon)
            assert driver_of('LAB0') == 'vfio-pci'
            written.append(guest.write('vda', 14 + at))
            assert guest.state() == RUNNING
            assert lease_of('LAB0')['Holder'] == 'domain/' + guest.get('UUID')
        with bus.Signals(DOMAIN_EVENTS) as signals:
            end_process(guest.process)
            signals.wait(stopped(guest.path), 'it has stopped')
        assert driver_of('LAB0') == 'nvme'
    assert_with_host('LAB0')
    assert [digest('LAB0', 1, 14 + at) for at in range(2)] == written


@scenario
def killed_without_daemons():
    """a guest's QEMU is killed while neither qemud nor nodedevd runs, and the host has its drive back"""
    with LinuxGuest('alone', nvme_disk('LAB1', 1)) as guest:
        pid = guest.process
        run('systemctl', 'stop', 'vireo-storaged.service')  # it follows the guests and would start qemud
        run('systemctl', 'stop', 'vireo-qemud.service', 'vireo-nodedevd.service')
        written = guest.write('vda', 16)
        assert (main_pid('vireo-qemud'), main_pid('vireo-nodedevd')) == (0, 0)
        with bus.Signals(DOMAIN_EVENTS) as signals:
            end_process(pid)
            signals.wait(stopped(guest.path), 'it has stopped')
        assert driver_of('LAB1') == 'nvme'
    assert_with_host('LAB1')
    assert digest('LAB1', 1, 16) == written


@scenario
def hot_plug():
    """a drive is plugged into a running guest and taken from it"""
    with LinuxGuest('plugged', nvme_disk('LAB0', 1)) as guest:
        described = nvme_disk('LAB1', 1, 'vdb')
        for at in (10, 11):
            guest.call('AttachDevice', 'su', described, LIVE)
            assert driver_of('LAB1') == 'vfio-pci'
            assert guest.limit_of_locked_memory() == 2 * MEMORY + 1024 * MIB, guest.limit_of_locked_memory()
            guest.await_disk('vdb')
            assert guest.first_words('vdb') == known_content('LAB1', 1)
            written = guest.write('vdb', at)
            removed = f"type='signal',member='DeviceRemoved',path='{guest.path}'"
            with bus.Signals(removed) as signals:
                guest.call('DetachDevice', 'su', described, LIVE)
                signals.wait(lambda _: True, 'it is taken out')
            assert_with_host('LAB1')
            assert digest('LAB1', 1, at) == written
        # The other drive is not affected.
        assert driver_of('LAB0') == 'vfio-pci'
        assert guest.first_words('vda') == known_content('LAB0', 1)
    assert_with_host('LAB0')


@scenario
def formatted_namespace():
    """a namespace that holds a qcow2 image: the guest sees what is in the image"""
    node = disk('LAB0', 2)
    run('qemu-img', 'create', '-q', '-f', 'qcow2', node, '32M')
    with LinuxGuest('layered', nvme_disk('LAB0', 2, image='qcow2')) as guest:
        assert guest.run('cat /sys/block/vda/size').strip() == str(32 * MIB // 512)
        written = guest.write('vda', 5)
        power_off(guest)
    node = disk('LAB0', 2)
    assert digest_in_image('qcow2', node, 5) == written


@contextlib.contextmanager
def secret(uuid, value):
    path = bus.connect('SecretDefineXML', 'su', f"<secret private='yes'><uuid>{uuid}</uuid></secret>", 0)
    try:
        bus.call(path, 'org.libvirt.Secret', 'SetValue', 'ayu', value.encode(), 0)
        yield
    finally:
        bus.call(path, 'org.libvirt.Secret', 'Undefine')


@scenario
def encrypted_namespace():
    """a namespace that holds a LUKS image: guests see what is in it, the host what is encrypted"""
    passphrase, uuid = 'open sesame', '0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'
    run('qemu-img', 'create', '-q', '-f', 'luks', '--object', f'secret,id=s,data={passphrase}',
        '-o', 'key-secret=s,iter-time=10', disk('LAB0', 2), '32M')
    described = nvme_disk('LAB0', 2).replace('</source>', "<encryption format='luks'><secret type='passphrase'"
                                             f" uuid='{uuid}'/></encryption></source>")
    with secret(uuid, passphrase):
        with LinuxGuest('writer', described) as guest:
            written = guest.write('vda', 5)
            power_off(guest)
        assert digest('LAB0', 2, 5) != written
        with LinuxGuest('reader', described) as guest:
            assert guest.digest('vda', 5) == written
            power_off(guest)
