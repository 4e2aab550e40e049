# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that scenarios start."""
import re
from pathlib import Path

import bus

DOMAIN = 'org.libvirt.Domain'
DOMAIN_EVENTS = "type='signal',interface='org.libvirt.Connect',member='DomainEvent'"
STOPPED = 5  # VIR_DOMAIN_EVENT_STOPPED
PAUSED = 1  # VIR_DOMAIN_START_PAUSED

PAUSED_GUEST = """<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/></features>
  <devices><memballoon model='none'/></devices>
</domain>"""


class Guest:
    """Defined and started on entry, paused, since nothing of it is run; removed at the end."""

    def __init__(self, name, document=PAUSED_GUEST):
        self.name, self.document = name, document.replace('{name}', name)

    def __enter__(self):
        self.path = bus.connect('DomainDefineXML', 's', self.document)
        try:
            self.call('Create', 'u', PAUSED)
        except BaseException:
            self.call('Undefine', 'u', 0)
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.active():
                self.call('Destroy', 'u', 0)
        finally:
            self.call('Undefine', 'u', 0)

    def call(self, member, signature='', *values):
        return bus.call(self.path, DOMAIN, member, signature, *values)

    def get(self, name):
        return bus.call(self.path, 'org.freedesktop.DBus.Properties', 'Get', 'ss', DOMAIN, name)

    def active(self):
        return bool(self.get('Active'))

    def state(self):
        return int(self.call('GetState', 'u', 0)[0])

    @property
    def process(self):
        """The pid of its QEMU."""
        return next(int(folder.name) for folder in Path('/proc').iterdir() if folder.name.isdigit()
                    and f'guest={self.name},'.encode() in read_quietly(folder / 'cmdline'))

    def limit_of_locked_memory(self):
        """Of its QEMU, in bytes; infinite where there is none."""
        limits = Path(f'/proc/{self.process}/limits').read_text()
        return float(re.search(r'^Max locked memory +(\w+)', limits, re.M)[1].replace('unlimited', 'inf'))

    def locked_memory(self):
        status = Path(f'/proc/{self.process}/status').read_text()
        return int(re.search(r'^VmLck:\s+(\d+) kB', status, re.M)[1]) * 1024

    @property
    def scope(self):
        """The systemd unit that its QEMU is in."""
        return Path(f'/proc/{self.process}/cgroup').read_text().strip().rpartition('/')[2]


def read_quietly(file):
    try:
        return file.read_bytes()
    except OSError:  # the process has ended meanwhile
        return b''


def stopped(path):
    """Whether a signal tells that this domain has stopped."""
    return lambda message: message['member'] == 'DomainEvent' and message['payload']['data'][:2] == [path, STOPPED]
