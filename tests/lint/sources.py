# SPDX-License-Identifier: LGPL-2.1-or-later
"""The project's own files, as the lint tests see them."""
from pathlib import Path

PRODUCT = ('daemons', 'libshared', 'nodedev-driver', 'proxy', 'qemu-driver', 'storage-driver', 'tools')
OTHER = ('.ci', 'docs', 'examples', 'interfaces', 'tests', 'units')
CPP = ('.cpp', '.hpp')


def files(root, folders=PRODUCT + OTHER):
    """Every file below `folders` of `root`, sorted; test data is not code and is left out."""
    found = []
    for folder in folders:
        for path in sorted((Path(root) / folder).rglob('*')):
            parts = path.relative_to(root).parts
            if path.is_file() and 'data' not in parts and '__pycache__' not in parts:
                found.append(path)
    return found


def cpp_files(root, folders=PRODUCT + OTHER):
    return [path for path in files(root, folders) if path.suffix in CPP]


def report(problems, fine):
    """Prints the problems, or `fine` where there are none; returns the exit status."""
    print('\n'.join(problems) or fine)
    return 1 if problems else 0
