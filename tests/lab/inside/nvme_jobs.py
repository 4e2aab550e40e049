# SPDX-License-Identifier: LGPL-2.1-or-later
"""Snapshots and copies of NVMe disks of running guests."""
import tempfile
from pathlib import Path

import bus
from drives import MIB, assert_with_host, digest, digest_in_image, driver_of, lease_of, restore
from harness import scenario
from linux_guest import LinuxGuest
from nvme_guests import nvme_disk, nvme_source, power_off

DISK_ONLY, NO_METADATA = 16, 4  # virDomainSnapshotCreateFlags
ACTIVE, PIVOT, TRANSIENT = 4, 2, 4  # of BlockCommit, BlockJobAbort, BlockCopy
COPY, ACTIVE_COMMIT = 2, 4  # virDomainBlockJobType
COMPLETED, CANCELLED, READY = 0, 2, 3  # virConnectDomainEventBlockJobStatus


class Jobs(bus.Signals):
    """The block jobs of a guest's vda."""

    def __init__(self, guest):
        super().__init__(f"type='signal',member='BlockJob',path='{guest.path}'")
        self.guest = guest

    def await_status(self, kind, status):
        self.wait(lambda m: m['payload']['data'] == ['vda', kind, status], f'job of type {kind} in status {status}')

    def end(self, flags=0):
        self.guest.call('BlockJobAbort', 'su', 'vda', flags)


def folder_of_images():
    return tempfile.TemporaryDirectory(dir='/var/tmp')


@scenario
def snapshot_and_commit():
    """a snapshot on a file leaves the drive as it is, and a commit brings it up to date"""
    with folder_of_images() as folder, LinuxGuest('snapshot', nvme_disk('LAB0', 1)) as guest, Jobs(guest) as jobs:
        overlay = Path(folder) / 'overlay.qcow2'
        before = guest.write('vda', 3)
        guest.call('SnapshotCreateXML', 'su', '<domainsnapshot><name>s</name><disks><disk name="vda" '
                   f'snapshot="external"><source file="{overlay}"/></disk></disks></domainsnapshot>',
                   DISK_ONLY | NO_METADATA)
        changed = guest.write('vda', 3)
        added = guest.write('vda', 18)
        assert overlay.stat().st_size >= 2 * MIB, overlay.stat()
        guest.call('BlockCommit', 'ssstu', 'vda', '', '', 0, ACTIVE)
        jobs.await_status(ACTIVE_COMMIT, READY)
        jobs.end(PIVOT)
        jobs.await_status(ACTIVE_COMMIT, COMPLETED)
        assert overlay.name not in guest.call('GetXMLDesc', 'u', 0)
        overlay.unlink()
        assert [guest.digest('vda', at) for at in (3, 18)] == [changed, added]
        last = guest.write('vda', 19)
        power_off(guest)
    assert before != changed
    assert_with_host('LAB0')
    assert [digest('LAB0', 1, at) for at in (3, 18, 19)] == [changed, added, last]


@scenario
def copy_to_file():
    """a drive is copied to a file, and the guest goes on on the copy; the host has the drive back"""
    with folder_of_images() as folder, LinuxGuest('tofile', nvme_disk('LAB0', 1)) as guest, Jobs(guest) as jobs:
        copy = Path(folder) / 'copy.qcow2'
        before = guest.write('vda', 5)
        guest.call('BlockCopy', 'ssa{sv}u', 'vda', f"<disk type='file'><source file='{copy}'/>"
                   "<driver type='qcow2'/></disk>", {}, TRANSIENT)
        jobs.await_status(COPY, READY)
        meanwhile = guest.write('vda', 6)
        jobs.end(PIVOT)
        jobs.await_status(COPY, COMPLETED)
        assert_with_host('LAB0')
        after = guest.write('vda', 7)
        power_off(guest)
        assert [digest_in_image('qcow2', copy, at) for at in (5, 6, 7)] == [before, meanwhile, after]
    assert [digest('LAB0', 1, at) for at in (5, 6)] == [before, meanwhile]
    assert digest('LAB0', 1, 7) != after


@scenario
def copy_to_drive():
    """a drive is copied to another, and the guest goes on on that one; the host has the first back"""
    described = f"<disk type='nvme'>{nvme_source('LAB1', 1)}<driver type='raw'/></disk>"
    with LinuxGuest('todrive', nvme_disk('LAB0', 1)) as guest, Jobs(guest) as jobs:
        before = guest.write('vda', 8)
        # A copy that is given up gives its drive back.
        guest.call('BlockCopy', 'ssa{sv}u', 'vda', described, {}, TRANSIENT)
        assert driver_of('LAB1') == 'vfio-pci'
        jobs.end()
        jobs.await_status(COPY, CANCELLED)
        assert (driver_of('LAB1'), lease_of('LAB1')) == ('nvme', {})
        guest.call('BlockCopy', 'ssa{sv}u', 'vda', described, {}, TRANSIENT)
        jobs.await_status(COPY, READY)
        meanwhile = guest.write('vda', 9)
        jobs.end(PIVOT)
        jobs.await_status(COPY, COMPLETED)
        assert_with_host('LAB0')
        assert driver_of('LAB1') == 'vfio-pci'
        after = guest.write('vda', 10)
        power_off(guest)
    assert [digest('LAB1', 1, at) for at in (8, 9, 10)] == [before, meanwhile, after]
    assert [digest('LAB0', 1, at) for at in (8, 9)] == [before, meanwhile]
    assert digest('LAB0', 1, 10) != after
    restore('LAB1')
    assert_with_host('LAB1')
