# SPDX-License-Identifier: LGPL-2.1-or-later
"""The org.libvirt interfaces of the contract have exactly libvirt-dbus's members.

Skipped (77) where the list of those, in the folder shared/ beside the checkout, is not there.
"""

import difflib
import io
import sys
from pathlib import Path

import contract
import generate

files = sys.argv[1:]
checkout = Path(files[0]).resolve().parents[1]
corpus = checkout.parent / 'shared/conformance/dbus-interfaces/members.tsv'
if not corpus.exists():
    print(f'skipped: {corpus} is not there')
    sys.exit(77)

ours = io.StringIO()
libvirt = [i for i in contract.load(files) if i.name.startswith('org.libvirt.')]
generate.members(libvirt, ours)
expected = sorted(corpus.read_text().splitlines()[1:])
got = sorted(ours.getvalue().splitlines())
differences = [line for line in difflib.unified_diff(expected, got, 'libvirt-dbus', 'contract', '', '', 0, '')]
print('\n'.join(differences) or f'{len(got)} members agree')
sys.exit(bool(differences))
