# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every file of code names its licence in its first line (the second, where the first is `#!` or `<?xml`)."""
import sys
from pathlib import Path

from sources import files, report

TAG = 'SPDX-License-Identifier: LGPL-2.1-or-later'
CODE = ('.cpp', '.hpp', '.py', '.sh', '.service', '.socket', '.in', '.conf')
NAMED = ('meson.build', 'run', 'check')


def problems(root):
    top = [root / name for name in ('meson.build', 'meson_options.txt', 'run', 'check')]
    for path in [p for p in top if p.exists()] + files(root):
        if path.suffix not in CODE and path.name not in NAMED:
            continue
        lines = path.read_text().split('\n', 2)
        first = lines[1] if lines[0].startswith(('#!', '<?xml')) and len(lines) > 1 else lines[0]
        if TAG not in first:
            yield f'{path.relative_to(root)}:1: the first line must hold "{TAG}"'


sys.exit(report(list(problems(Path(sys.argv[1]))), 'every file names its licence'))
