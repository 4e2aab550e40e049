# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls on the system bus (or, with LAB_BUS=session, on the session bus), and the signals that follow."""
import json
import os
import re
import select
import subprocess
import time

import dbus

CONNECT = ('/org/libvirt/QEMU', 'org.libvirt.Connect')
LIMIT_S = 60  # for one answer or one signal: the machine is emulated, and may be on a busy host
connection = dbus.SessionBus() if os.environ.get('LAB_BUS') == 'session' else dbus.SystemBus()


class Refused(Exception):
    """What a call was refused with."""


def call(path, interface, member, signature='', *values, name='org.libvirt'):
    """The out arguments; one alone is not in a tuple. Variants come without their types."""
    try:
        return connection.call_blocking(name, path, interface, member, signature, values, timeout=LIMIT_S)
    except dbus.DBusException as error:
        raise Refused(error.get_dbus_message()) from None


def connect(member, signature='', *values):
    return call(*CONNECT, member, signature, *values)


def get(path, interface, name):
    return call(path, 'org.freedesktop.DBus.Properties', 'Get', 'ss', interface, name, name='org.vireo')


def put(path, interface, name, value):
    call(path, 'org.freedesktop.DBus.Properties', 'Set', 'ssv', interface, name, value, name='org.vireo')


def object_path(folder, name):
    """Where an object answers: in its last part other bytes than letters and digits are _hh."""
    return f'{folder}/' + re.sub(r'[^A-Za-z0-9]', lambda m: f'_{ord(m.group()):02x}', name)


def refused(words, action, *arguments):
    """The action fails, and says each of these words."""
    try:
        action(*arguments)
    except Refused as error:
        for word in words:
            assert word in str(error), f'{word!r} is not in: {error}'
        return
    raise AssertionError('it is not refused')


class Signals:
    """The signals since it was entered that match; `wait` reads on until one fits."""

    def __init__(self, *matches):
        self.matches = matches

    def __enter__(self):
        self.monitor = subprocess.Popen(
            ['busctl', '--json=short', *(f'--match={match}' for match in self.matches), 'monitor'],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # It says "Monitoring bus message stream." once it sees everything.
        self.monitor.stderr.readline()
        self.text = b''
        return self

    def __exit__(self, *_):
        self.monitor.kill()
        self.monitor.wait()

    def until(self, holds, what):
        """Looks now and after each signal."""
        if not holds():
            self.wait(lambda _: holds(), what)

    def wait(self, fits, what):
        deadline = time.monotonic() + LIMIT_S
        while True:
            while b'\n' in self.text:
                line, self.text = self.text.split(b'\n', 1)
                message = json.loads(line)
                if fits(message):
                    return message
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.monitor.stdout], [], [], left)[0]:
                raise AssertionError(f'no signal within {LIMIT_S} s: {what}')
            self.text += os.read(self.monitor.stdout.fileno(), 1 << 16)
