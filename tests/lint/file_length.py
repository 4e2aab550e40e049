# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file of product code past 400 lines is about two things."""
import sys
from pathlib import Path

from sources import PRODUCT, cpp_files, report

LIMIT = 400


def problems(root):
    for path in cpp_files(root, PRODUCT):
        lines = path.read_text().count('\n')
        if lines > LIMIT:
            yield f'{path.relative_to(root)}:{LIMIT + 1}: {lines} lines, more than {LIMIT}: split the file'


sys.exit(report(list(problems(Path(sys.argv[1]))), f'no file of product code is past {LIMIT} lines'))
