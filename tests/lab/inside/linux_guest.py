# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest that runs Linux, with a shell on its serial console."""
import os
import re
import select
import socket
import tempfile
import time

from guests import Guest

BOOT_S, COMMAND_S = 120, 60
MIB = 1 << 20
MEMORY = 192 * MIB

# Its processor is that of the machine, which emulates SVM.
DOCUMENT = """<domain type='kvm'>
  <name>{name}</name>
  <memory unit='b'>%d</memory>
  <cpu mode='host-passthrough'/>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>/usr/lib/lab/guest-vmlinuz</kernel>
    <initrd>/usr/lib/lab/guest-initrd</initrd>
    <cmdline>console=ttyS0 quiet no_timer_check mitigations=off</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'/>
    <controller type='pci' index='2' model='pcie-root-port'/>
    <controller type='pci' index='3' model='pcie-root-port'/>
    <serial type='unix'><source mode='bind' path='{console}'/></serial>
    <memballoon model='none'/>
    {devices}
  </devices>
</domain>""" % MEMORY


class LinuxGuest(Guest):
    """Up when it is entered."""

    def __init__(self, name, devices=''):
        self.folder = tempfile.TemporaryDirectory(prefix=f'{name}-')
        self.console_path = f'{self.folder.name}/console'
        super().__init__(name, DOCUMENT.replace('{console}', self.console_path).replace('{devices}', devices))
        self.said = b''

    def __enter__(self):
        super().__enter__()
        try:
            self.console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.console.connect(self.console_path)
            self.call('Resume')
            self.read_until(rb'ready\r\n', BOOT_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.console.close()
        super().__exit__()
        self.folder.cleanup()

    def read_until(self, pattern, limit_s=COMMAND_S):
        """What the guest says up to this. Gives the match, and what came before it."""
        deadline = time.monotonic() + limit_s
        while not (found := re.search(pattern, self.said)):
            left = max(0, deadline - time.monotonic())
            piece = select.select([self.console], [], [], left)[0] and self.console.recv(1 << 16)
            assert piece, f'{self.name} does not say {pattern} within {limit_s} s, but: {self.said[-2000:]}'
            self.said += piece
        before, self.said = self.said[:found.start()], self.said[found.end():]
        return found, before

    def type(self, line):
        self.console.sendall(line.encode() + b'\n')

    def run(self, command):
        """What the command says."""
        self.type(f'{command}; echo "<$?>"')
        found, said = self.read_until(rb'<(\d+)>\r\n')
        assert found[1] == b'0', f'{self.name}: {command}: exit status {found[1].decode()}: {said}'
        return said.decode().replace('\r\n', '\n')

    def first_words(self, device):
        """The first line on a disk."""
        return self.run(f'dd if=/dev/{device} bs=4096 count=1 2>/dev/null | head -n 1').strip()

    def write(self, device, mib):
        """Fills a MiB of a disk with what nobody else has. Gives its digest."""
        return self.run(f'dd if=/dev/urandom of=/content bs=1M count=1 2>/dev/null && dd if=/content of=/dev/{device}'
                        f' bs=1M seek={mib} conv=fsync 2>/dev/null && sha256sum < /content').split()[0]

    def digest(self, device, mib):
        """Of a MiB of a disk, read from it anew."""
        return self.run('echo 3 > /proc/sys/vm/drop_caches && '
                        f'dd if=/dev/{device} bs=1M skip={mib} count=1 2>/dev/null | sha256sum').split()[0]

    def await_disk(self, device):
        """Its kernel tells of a disk that is plugged; it is ready when the bus can be scanned."""
        self.run(f"sed '/\\[{device}\\]/q' /dev/kmsg > /dev/null && echo 1 > /sys/bus/pci/rescan")
