#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the virtual machines with their states, then each event of one as it happens.

usage: watch_domains.py [--session] [COUNT]
Ends after COUNT events (default: never). Uses the system bus, or with --session the session bus.
Needs the Debian packages python3-dbus and python3-gi.
"""
import sys

import dbus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

STATES = ('no state', 'running', 'blocked', 'paused', 'shutting down', 'shut off', 'crashed',
          'suspended by the guest')
EVENTS = ('defined', 'undefined', 'started', 'suspended', 'resumed', 'stopped', 'shut down',
          'suspended by the guest', 'crashed')

arguments = sys.argv[1:]
session = '--session' in arguments
left = next((int(word) for word in arguments if word.isdigit()), None)

DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus() if session else dbus.SystemBus()
loop = GLib.MainLoop()
names = {}


def domain(path, interface='org.libvirt.Domain'):
    return dbus.Interface(bus.get_object('org.libvirt', path), interface)


def name_of(path):
    """The name of a domain; it is remembered, since a removed domain cannot be asked any more."""
    if path not in names:
        properties = domain(path, 'org.freedesktop.DBus.Properties')
        names[path] = str(properties.Get('org.libvirt.Domain', 'Name'))
    return names[path]


def on_event(path, event, detail):
    global left
    try:
        print(f'{name_of(path)}: {EVENTS[event]} (detail {detail})', flush=True)
    except dbus.DBusException as error:
        print(f'{path}: {EVENTS[event]}, and gone meanwhile: {error.get_dbus_message()}', flush=True)
    if left is not None:
        left -= 1
        if not left:
            loop.quit()


connect = dbus.Interface(bus.get_object('org.libvirt', '/org/libvirt/QEMU'), 'org.libvirt.Connect')
connect.connect_to_signal('DomainEvent', on_event)
for path in connect.ListDomains(dbus.UInt32(0)):
    state, reason = domain(path).GetState(dbus.UInt32(0))
    print(f'{name_of(path)}: {STATES[state]}', flush=True)
print('watching', flush=True)
loop.run()
