# SPDX-License-Identifier: LGPL-2.1-or-later
"""The systemd units: who is started by what, who leaves, and what each may do."""
import contextlib
import os
import re
import select
from pathlib import Path

import bus
from guests import DOMAIN_EVENTS, Guest, stopped
from harness import DRIVERS, end_process, main_pid, run, scenario, show, wait_ended

DAEMONS = ('vireo-proxyd', *DRIVERS)
MOST_EXPOSED = 4.0
# A call that this daemon answers; the proxy passes all of them on.
CALLS = {
    'vireo-qemud': ('ListDomains', 'u', 0),
    'vireo-nodedevd': ('ListNodeDevices', 'u', 0),
    'vireo-storaged': ('NodeGetFreeMemory',),
}


def active(unit):
    return show(f'{unit}.service', 'ActiveState') == 'active'


@scenario
def first_call():
    """systemd starts each daemon at the first call that needs it, through its socket"""
    assert not [d for d in DAEMONS if active(d)], 'a daemon runs before it was called'
    for driver in DRIVERS:
        assert show(f'{driver}.socket', 'SubState') == 'listening'
    # The proxy alone answers what is in the contract.
    bus.call('/org/libvirt/QEMU', 'org.freedesktop.DBus.Introspectable', 'Introspect')
    assert [d for d in DAEMONS if active(d)] == ['vireo-proxyd']
    for driver in DRIVERS:
        assert not active(driver), f'{driver} runs before it was called'
        bus.connect(*CALLS[driver])
        assert active(driver), f'{driver} does not run after a call'
        assert show(f'{driver}.socket', 'SubState') == 'running'


@contextlib.contextmanager
def set_idle_timeout(*daemons, seconds=2):
    """As an administrator sets it. The daemons are stopped; their next start has it."""
    settings = [Path(f'/run/systemd/system/{daemon}.service.d/idle.conf') for daemon in daemons]
    for daemon, setting in zip(daemons, settings):
        setting.parent.mkdir(parents=True, exist_ok=True)
        command = re.search(r'path=(\S+) ;', show(f'{daemon}.service', 'ExecStart')).group(1)
        setting.write_text(f'[Service]\nExecStart=\nExecStart={command} --idle-timeout {seconds}\n')
    run('systemctl', 'daemon-reload')
    run('systemctl', 'stop', *(f'{daemon}.service' for daemon in daemons))
    try:
        yield
    finally:
        for setting in settings:
            setting.unlink()
        run('systemctl', 'daemon-reload')


@scenario
def idle():
    """a daemon with nothing to do leaves, its socket stays, and the next call starts it again"""
    with set_idle_timeout(*DRIVERS):
        for daemon in DRIVERS:
            bus.connect(*CALLS[daemon])
            wait_ended(os.pidfd_open(main_pid(daemon)))
            assert show(f'{daemon}.service', 'Result') == 'success'
            assert show(f'{daemon}.socket', 'ActiveState') == 'active'
            bus.connect(*CALLS[daemon])
            assert active(daemon)


@scenario
def no_socket():
    """a daemon on whose socket systemd does not listen is not started from elsewhere: the error says what to do"""
    run('systemctl', 'stop', 'vireo-storaged.socket', 'vireo-storaged.service')
    try:
        bus.refused(['systemctl start vireo-storaged.socket'], bus.connect, *CALLS['vireo-storaged'])
        assert not active('vireo-storaged')
    finally:
        run('systemctl', 'start', 'vireo-storaged.socket')
    bus.connect(*CALLS['vireo-storaged'])


@scenario
def security():
    """systemd-analyze security finds no unit more exposed than 4.0"""
    exposures = {}
    for daemon in DAEMONS:
        text = run('systemd-analyze', 'security', '--no-pager', f'{daemon}.service', check=False)
        exposures[daemon] = float(re.search(r'Overall exposure level for \S+: ([0-9.]+)', text).group(1))
    assert max(exposures.values()) <= MOST_EXPOSED, exposures
    return ', '.join(f'{daemon.removeprefix("vireo-")} {level}' for daemon, level in exposures.items())


@scenario
def guest_scope():
    """a guest runs in a scope of its own, keeps qemud, and outlives the stop of qemud's unit"""
    with set_idle_timeout('vireo-qemud'), Guest('scoped') as guest:
        scope, pid = guest.scope, guest.process
        assert re.fullmatch(r'vireo-guest-\d+-scoped\.scope', scope), scope
        assert show(scope, 'Description') == 'Virtual machine scoped'
        daemon = main_pid('vireo-qemud')
        # Longer than the idle time-out, by an event that does not come: the daemon does not end.
        handle = os.pidfd_open(daemon)
        assert not select.select([handle], [], [], 4)[0], 'qemud left its guest'
        os.close(handle)
        run('systemctl', 'stop', 'vireo-qemud.service')
        assert (guest.process, show(scope, 'ActiveState')) == (pid, 'active')
        assert guest.state() == 3, 'paused, as before'
        assert main_pid('vireo-qemud') != daemon


@scenario
def guest_ends_alone():
    """a guest that ends while its daemon does not run starts it, and is seen to have ended"""
    with Guest('alone') as guest:
        pid = guest.process
        run('systemctl', 'stop', 'vireo-qemud.service')
        with bus.Signals(DOMAIN_EVENTS) as signals:
            end_process(pid)
            signals.wait(stopped(guest.path), 'it has stopped')
        assert not guest.active()
