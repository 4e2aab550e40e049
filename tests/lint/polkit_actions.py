# SPDX-License-Identifier: LGPL-2.1-or-later
"""polkit is told of exactly those actions that the contract's members name."""
import re
import sys
from pathlib import Path

from sources import report

root = Path(sys.argv[1])
policy = root / 'units/org.vireo.policy'
offered = set(re.findall(r'<action id="([^"]+)"', policy.read_text()))
needed = {}
for interface in sorted((root / 'interfaces').glob('*.xml')):
    for action in re.findall(r'name="org\.vireo\.Action" value="([^"]+)"', interface.read_text()):
        needed.setdefault(action, interface.relative_to(root))

bad = [f'{needed[action]}: no action {action} in {policy.relative_to(root)}'
       for action in sorted(needed.keys() - offered)]
bad += [f'{policy.relative_to(root)}: no member needs the action {action}'
        for action in sorted(offered - needed.keys())]
sys.exit(report(bad, f'{len(needed)} actions, each named by a member'))
