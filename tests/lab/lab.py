# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the lab: a virtual machine with two NVMe drives behind an IOMMU, two NUMA nodes and systemd, in
which the project is installed and the scenarios of inside/ run.

usage: lab.py [--only NAME]... BUILD MESON...

The machine is emulated (TCG), because the host's own virtualization may not work. The image comes from
image.sh; what was just built goes in on a second disk, the scenarios' lines come back through a virtio port.
Each scenario is a line here; the last one counts them. Exit status 77: no image can be made on this host.
"""
import argparse
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77  # Meson's exit status for a skipped test
LIMIT_S = 1200  # of the machine's life on a busy host; each scenario has a limit of its own
MIB = 1 << 20
# serial, namespace and size of each drive: two controllers, three namespaces. A disk is copied only to one of
# the same size.
NAMESPACES = (('LAB0', 1, 24 * MIB), ('LAB0', 2, 40 * MIB), ('LAB1', 1, 24 * MIB))
# A busy host delays the timer's interrupts: the kernel's check of them would fail now and then.
KERNEL = ('root=/dev/vda console=ttyS0 quiet panic=-1 no_timer_check softlockup_panic=1 watchdog_thresh=60'
          ' mitigations=off audit=0 intel_iommu=on iommu=nopt hugepagesz=2M hugepages=64 psi=1 systemd.show_status=0')


def known_content(serial, nsid):
    """What a drive begins with, a block long: scenarios look for it in guests and on the host."""
    return f'content of {serial} namespace {nsid}\n'.encode().ljust(4096, b'\0')


def make_payload(work, build, meson, only):
    """A tar archive of what `meson install` installs, and of the scenarios in /lab."""
    tree = work / 'installed'
    done = subprocess.run([*meson, 'install', '-C', build, '--no-rebuild', '--strip', '--destdir', tree],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'meson install fails: {done.stdout}{done.stderr}')
    shutil.copytree(HERE / 'inside', tree / 'lab', ignore=shutil.ignore_patterns('__pycache__'))
    (tree / 'lab/plan.json').write_text(json.dumps({'only': only, 'namespaces': NAMESPACES}))
    policies = next(tree.rglob('org.vireo.conf')).parent
    local = tree / 'etc/dbus-1/system-local.conf'
    local.parent.mkdir(parents=True)  # the bus looks for policies below /usr, and where this says
    local.write_text(f'<busconfig><includedir>/{policies.relative_to(tree)}</includedir></busconfig>\n')
    payload = work / 'payload.tar'
    with tarfile.open(payload, 'w') as archive:
        for entry in sorted(tree.iterdir()):
            archive.add(entry, entry.name, filter=owned_by_root)
    return payload


def owned_by_root(entry):
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = 'root'
    return entry


def drive_arguments(work):
    for number, (serial, nsid, size) in enumerate(NAMESPACES):
        file = work / f'{serial}-{nsid}.img'
        with open(file, 'wb') as image:
            image.write(known_content(serial, nsid))
            image.truncate(size)
        yield '-drive', f'if=none,id=d{number},format=raw,file={file}'
        yield '-device', f'nvme-ns,drive=d{number},bus=nvme-{serial},nsid={nsid}'


def machine(work, image, payload):
    """QEMU's command line. The IOMMU comes before whatever it translates for."""
    yield from ('qemu-system-x86_64', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot')
    yield from ('-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off')
    yield from ('-smp', '2,sockets=2', '-m', '3072M')
    for node in (0, 1):
        yield from ('-object', f'memory-backend-ram,id=m{node},size=1536M')
        yield from ('-numa', f'node,nodeid={node},cpus={node},memdev=m{node}')
    yield from ('-numa', 'dist,src=0,dst=1,val=21')
    yield from ('-device', 'intel-iommu,intremap=on')
    yield from ('-kernel', f'{image}/vmlinuz', '-initrd', f'{image}/initrd', '-append', KERNEL)
    yield from ('-drive', f'if=none,id=root,format=raw,file={image}/root.ext4,snapshot=on')
    yield from ('-device', 'virtio-blk-pci,bus=pcie.0,addr=4,drive=root')
    yield from ('-drive', f'if=none,id=payload,format=raw,read-only=on,file={payload}')
    yield from ('-device', 'virtio-blk-pci,bus=pcie.0,addr=5,drive=payload,serial=payload')
    yield from ('-chardev', f'file,id=console,path={work}/console.log', '-serial', 'chardev:console')
    yield from ('-device', 'virtio-serial-pci,bus=pcie.0,addr=6', '-chardev', 'stdio,id=lab')
    yield from ('-device', 'virtserialport,chardev=lab,name=lab')
    yield from ('-device', 'pxb-pcie,bus=pcie.0,addr=8,id=far,bus_nr=128,numa_node=1')
    yield from ('-device', 'pcie-root-port,bus=far,id=farport,chassis=1')
    for serial, place in (('LAB0', 'bus=pcie.0,addr=10'), ('LAB1', 'bus=farport')):
        yield from ('-device', f'nvme-subsys,id=subsys-{serial},nqn={serial.lower()}')
        yield from ('-device', f'nvme,id=nvme-{serial},{place},serial={serial},subsys=subsys-{serial}')
    for pair in drive_arguments(work):
        yield from pair


def run_machine(arguments, work):
    """Shows each line as it comes. Gives all of them, and why the machine ended early where it did."""
    with open(work / 'qemu.log', 'wb') as log:
        # Its standard input stays open and silent: the virtio port would end with it.
        qemu = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    deadline = time.monotonic() + LIMIT_S
    text, shown = b'', 0
    try:
        while True:
            ready, _, _ = select.select([qemu.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                return text.decode(errors='replace'), f'the machine was still at work after {LIMIT_S} s'
            piece = os.read(qemu.stdout.fileno(), 1 << 16)
            if not piece:
                break
            text += piece
            end = text.rfind(b'\n') + 1
            print(text[shown:end].decode(errors='replace'), end='', flush=True)
            shown = max(shown, end)
        return text.decode(errors='replace'), None
    finally:
        qemu.kill()
        qemu.wait()


def tail(file, lines=40):
    return '\n'.join(file.read_text(errors='replace').splitlines()[-lines:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--only', action='append', default=[])
    parser.add_argument('build')
    parser.add_argument('meson', nargs='+')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the machine ends with this, its files too
    made = subprocess.run([HERE / 'image.sh'], capture_output=True, text=True)
    if made.returncode == SKIPPED:
        print(f'note: the lab was skipped: {made.stderr.splitlines()[-1]}')
        return SKIPPED
    if made.returncode:
        sys.exit(f'image.sh fails: {made.stderr}')
    with tempfile.TemporaryDirectory(prefix='vireo-lab-') as folder:
        work = Path(folder)
        payload = make_payload(work, options.build, options.meson, options.only)
        text, problem = run_machine(list(machine(work, made.stdout.strip(), payload)), work)
        if not re.search(r'^lab: \d+ passed, \d+ failed$', text, re.M):
            print(f'{problem or "the machine ended before its scenarios did"}\n== its console\n'
                  f'{tail(work / "console.log")}\n== QEMU\n{tail(work / "qemu.log")}')
            print('lab: 0 passed, 1 failed')
            return 1
    return 0 if re.search(r'^lab: [1-9]\d* passed, 0 failed$', text, re.M) else 1


if __name__ == '__main__':
    sys.exit(main())
