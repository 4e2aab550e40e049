# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each source is listed by name in a meson.build: no wildcard, and no file that nobody builds."""
import re
import sys
from pathlib import Path

from sources import files, report

WILDCARD = re.compile(r"'[^'\n]*[*?][^'\n]*\.[ch]pp'|\bglob\b|run_command\(\s*'(find|ls)'")


def listed(root, path):
    """True if a meson.build in the file's folder or above it, inside the project, names it."""
    folder = path.parent
    while True:
        build = folder / 'meson.build'
        name = path.relative_to(folder).as_posix()
        if build.exists() and f"'{name}'" in build.read_text():
            return True
        if folder == root:
            return False
        folder = folder.parent


def problems(root):
    for path in [root / 'meson.build', *files(root)]:
        if path.name == 'meson.build':
            for number, line in enumerate(path.read_text().split('\n'), 1):
                if WILDCARD.search(line):
                    yield f'{path.relative_to(root)}:{number}: list each source by name, without wildcards'
        elif path.suffix == '.cpp' and not listed(root, path):
            yield f'{path.relative_to(root)}:1: no meson.build names this file'


sys.exit(report(list(problems(Path(sys.argv[1]))), 'every source is listed by name'))
