# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users who are not root: what they may do on the system bus, and a session of their own."""
import json
import pwd
import subprocess
import tempfile

from guests import Guest
from harness import run, scenario

USER = 'visitor'


def as_user(*command):
    """Runs it with what a login would give, and gives exit status and what it said."""
    user = pwd.getpwnam(USER)
    with tempfile.TemporaryFile('w+') as output:  # no pipe: daemons of a session keep it open for a while
        done = subprocess.run(['runuser', '-u', USER, '--', 'env', '-i', f'HOME={user.pw_dir}',
                               'PATH=/usr/sbin:/usr/bin', f'XDG_RUNTIME_DIR={user.pw_dir}/run', *command],
                              stdout=output, stderr=subprocess.STDOUT, cwd='/')
        output.seek(0)
        return done.returncode, output.read()


def call(path, interface, member, *arguments):
    return as_user('busctl', '--system', 'call', 'org.libvirt', path, interface, member, *arguments)


@scenario
def strangers():
    """without polkit a stranger may read and change nothing; a member of the group may do both"""
    run('useradd', '--create-home', USER)
    with Guest('theirs') as guest:
        domain = (guest.path, 'org.libvirt.Domain')
        status, said = call(*domain, 'GetState', 'u', '0')
        assert status == 0, said
        for refused in (('Destroy', 'u', '0'), ('GetXMLDesc', 'u', '1')):  # 1: with its secrets
            status, said = call(*domain, *refused)
            assert status != 0 and "members of the group 'libvirt'" in said, said
        assert guest.active()
        run('usermod', '--append', '--groups', 'libvirt', USER)
        status, said = call(*domain, 'Destroy', 'u', '0')
        assert status == 0, said
        assert not guest.active()


@scenario
def own_session():
    """a user runs a guest on their session bus, by daemons and a QEMU of their own"""
    user = pwd.getpwnam(USER)
    run('install', '-d', '-m', '700', '-o', USER, f'{user.pw_dir}/run')
    status, said = as_user('env', 'LAB_BUS=session', 'dbus-run-session', '--', 'python3', '/lab/session_guest.py')
    assert status == 0, said
    found = json.loads(next(line for line in said.splitlines() if line.startswith('{')))
    assert found['state'] == 3, found  # VIR_DOMAIN_PAUSED
    assert found['owner'] == user.pw_uid, found
