# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine's NVMe drives, by serial number: where the kernel has them, what is on them, who has them."""
import contextlib
import hashlib
import os
import tempfile
import zlib
from pathlib import Path

import bus
from harness import run

MIB = 1 << 20
LEASES = Path('/run/vireo/nodedev/leases')
NODE = 'org.libvirt.NodeDevice'
NATIVE = 'org.vireo.NodeDevice1'


def find_drives():
    run('udevadm', 'settle', '--timeout=120')
    return {(controller / 'serial').read_text().strip(): (controller / 'address').read_text().strip()
            for controller in Path('/sys/class/nvme').glob('nvme*')}


ADDRESSES = find_drives()  # of PCI


def driver_of(serial):
    try:
        return os.path.basename(os.readlink(f'/sys/bus/pci/devices/{ADDRESSES[serial]}/driver'))
    except FileNotFoundError:
        return ''


def lease_file(serial):
    return LEASES / f'{ADDRESSES[serial]}.json'


def device_name(serial):
    return 'pci_' + ADDRESSES[serial].replace(':', '_').replace('.', '_')


def libvirt_path(serial):
    return bus.object_path('/org/libvirt/QEMU/nodedev', device_name(serial))


def native_path(serial):
    return bus.object_path('/org/vireo/nodedev', device_name(serial))


def changes_of(serial):
    """What matches the signals that tell of changes of this device, its lease among them."""
    return f"type='signal',member='PropertiesChanged',path='{native_path(serial)}'"


def lease_of(serial):
    return bus.get(native_path(serial), NATIVE, 'Lease')


def detach(serial):
    bus.call(libvirt_path(serial), NODE, 'Detach', 'su', '', 0)


def reattach(serial):
    bus.call(libvirt_path(serial), NODE, 'ReAttach')


def disk(serial, nsid):
    """The disk of a namespace, once the kernel's driver has found it and udev has seen it."""
    link = f'/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}_{nsid}'
    run('udevadm', 'wait', '--settle', '--timeout=60', link)
    return str(Path(link).resolve())


def read_disk(serial, nsid, offset, size):
    """From the drive, not from the page cache."""
    handle = os.open(disk(serial, nsid), os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.pread(handle, size, offset)
    finally:
        os.close(handle)


def digest(serial, nsid, mib):
    """Of one MiB of a namespace."""
    return hashlib.sha256(read_disk(serial, nsid, mib * MIB, MIB)).hexdigest()


def checksum(serial, nsid):
    """Of a whole namespace; a quick one, where nothing but zlib is quick."""
    total = 0
    with open(disk(serial, nsid), 'rb') as file:
        while piece := file.read(MIB):
            total = zlib.crc32(piece, total)
    return total


def digest_in_image(image_format, file, mib):
    """Of one MiB of what is in a disk image."""
    with tempfile.NamedTemporaryFile(dir='/var/tmp') as content:
        run('qemu-img', 'dd', '-f', image_format, '-O', 'raw', 'bs=1M', f'skip={mib}', f'count={mib + 1}',
            f'if={file}', f'of={content.name}')
        return hashlib.file_digest(content, 'sha256').hexdigest()


def known_content(serial, nsid):
    """What the drive's first block begins with."""
    return f'content of {serial} namespace {nsid}'


def restore(serial):
    """The known content, where another drive's was written over it."""
    with open(disk(serial, 1), 'r+b') as file:
        file.write(known_content(serial, 1).encode() + b'\n')


def assert_with_host(serial):
    """As it was: the kernel's driver, no lease, no override, and the known content."""
    assert driver_of(serial) == 'nvme', driver_of(serial)
    override = Path(f'/sys/bus/pci/devices/{ADDRESSES[serial]}/driver_override').read_text().strip()
    assert override == '(null)', override
    assert not lease_file(serial).exists()
    assert lease_of(serial) == {}, lease_of(serial)
    content = read_disk(serial, 1, 0, 4096)
    assert content.startswith(known_content(serial, 1).encode() + b'\n'), content[:40]


@contextlib.contextmanager
def mounted(serial, nsid, folder):
    """With a new file system on it."""
    folder.mkdir(exist_ok=True)
    node = disk(serial, nsid)
    run('mkfs.ext4', '-q', '-F', node)
    run('mount', node, str(folder))
    try:
        yield
    finally:
        run('umount', str(folder))
