# SPDX-License-Identifier: LGPL-2.1-or-later
"""Includes point one way (docs/style.md, section 1)."""
import re
import sys
from pathlib import Path

from sources import OTHER, PRODUCT, cpp_files, report

DRIVERS = ('nodedev-driver', 'proxy', 'qemu-driver', 'storage-driver')
# What each top folder may include; tests and examples may include everything.
ALLOWED = {
    'libshared': ('interfaces', 'libshared'),  # the contract's generated table
    'daemons': ('libshared', *DRIVERS),
    'tools': ('libshared', 'tools', *DRIVERS),
    **{driver: (driver, 'libshared') for driver in DRIVERS},
}
# Inside a driver: what a layer may not reach.
REFUSED = {
    'model': ('actions', 'bus', 'devices', 'qmp'),
    'devices': ('actions', 'bus'),
    'qmp': ('actions', 'bus'),
    'actions': ('bus',),
}
# A model is plain data: it waits for nothing and knows no bus.
NOT_IN_MODEL = re.compile(r'systemd/|libshared/(async|bus|daemon)/')
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def refusal(source, quote, target):
    """Why `source` (parts of its path) may not include `target`, or None."""
    top = source[0]
    driver = top in DRIVERS
    layer = source[1] if driver and len(source) > 2 else None
    if layer == 'model' and NOT_IN_MODEL.match(target):
        return 'a model is plain data, without sd-bus and sd-event'
    if quote == '<':
        return None
    parts = Path(target).parts
    if parts[0] not in PRODUCT + OTHER:
        return 'a quoted include starts at the root of the project'
    if top in ALLOWED and parts[0] not in ALLOWED[top]:
        return f'{top} may include {" and ".join(ALLOWED[top])} only'
    if layer in REFUSED and parts[0] == top and len(parts) > 2 and parts[1] in REFUSED[layer]:
        return f'{layer} is below {parts[1]}'
    return None


def problems(root):
    for path in cpp_files(root):
        source = path.relative_to(root)
        for number, line in enumerate(path.read_text().split('\n'), 1):
            found = INCLUDE.match(line)
            why = found and refusal(source.parts, *found.groups())
            if why:
                yield f'{source}:{number}: includes {found.group(2)}: {why}'


sys.exit(report(list(problems(Path(sys.argv[1]))), 'includes point one way'))
