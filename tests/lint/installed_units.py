# SPDX-License-Identifier: LGPL-2.1-or-later
"""`meson install` puts the units, activation files, policies and daemons where they are looked for,
and systemd finds nothing to complain of in the units.

usage: installed_units.py SOURCE BUILD MESON...
"""
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

from sources import report

DAEMONS = ('vireo-proxyd', 'vireo-qemud', 'vireo-nodedevd', 'vireo-storaged')
SOCKETS = ('vireo-qemud', 'vireo-nodedevd', 'vireo-storaged')
DATA = (
    'dbus-1/services/org.libvirt.service', 'dbus-1/services/org.vireo.service',
    'dbus-1/system-services/org.libvirt.service', 'dbus-1/system-services/org.vireo.service',
    'dbus-1/system.d/org.vireo.conf', 'polkit-1/actions/org.vireo.policy',
)


def expected():
    yield from (f'sbin/{name}' for name in DAEMONS)
    yield from (f'lib/systemd/system/{name}.service' for name in DAEMONS)
    yield from (f'lib/systemd/system/{name}.socket' for name in SOCKETS)
    yield 'lib/systemd/system/vireo-memory-policy.path'
    yield from (f'share/{name}' for name in DATA)
    yield from ('lib/sysusers.d/vireo.conf', 'lib/tmpfiles.d/vireo.conf', 'lib/udev/rules.d/90-vireo-nodedev.rules')


def verify_units(tree, prefix):
    """systemd's own check, with the commands where this tree has them."""
    tool = shutil.which('systemd-analyze')
    if tool is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        units = []
        for unit in sorted((tree / 'lib/systemd/system').iterdir()):
            copy = Path(folder) / unit.name
            copy.write_text(unit.read_text().replace(f'={prefix}/', f'={tree}/'))
            units.append(copy)
        done = subprocess.run([tool, 'verify', '--man=no', '--recursive-errors=no', *units],
                              capture_output=True, text=True)
        for line in (done.stderr + done.stdout).splitlines():
            # Other complaints are about this machine's own units.
            if 'vireo' in line:
                yield f'systemd-analyze: {line}'


def problems(build, meson):
    with tempfile.TemporaryDirectory() as destination:
        done = subprocess.run([*meson, 'install', '-C', build, '--no-rebuild', '--destdir', destination],
                              capture_output=True, text=True)
        if done.returncode:
            yield f'meson install fails: {done.stdout}{done.stderr}'
            return
        service = next(Path(destination).rglob('org.vireo.service'), None)
        program = service and re.search(r'^Exec=(.*)/sbin/vireo-proxyd$', service.read_text(), re.M)
        if not program:
            yield 'no activation file names .../sbin/vireo-proxyd'
            return
        prefix = program.group(1)
        tree = Path(destination + prefix)
        for name in expected():
            if not (tree / name).is_file():
                yield f'{prefix}/{name} is not installed'
        for path in tree.rglob('*'):
            if path.suffix in ('.service', '.socket', '.conf', '.policy'):
                if re.search(r'@\w+@', path.read_text()):
                    yield f'{path.relative_to(destination)}: a place is not filled in'
            if path.suffix in ('.policy', '.xml') or path.name == 'org.vireo.conf':
                xml.parse(path)
        yield from verify_units(tree, prefix)


sys.exit(report(list(problems(sys.argv[2], sys.argv[3:])), 'everything is installed in its place'))
