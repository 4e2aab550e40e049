# SPDX-License-Identifier: LGPL-2.1-or-later
"""clang-format 14 with the project's .clang-format changes nothing."""
import shutil
import subprocess
import sys
from pathlib import Path

from sources import cpp_files

SKIPPED = 77  # Meson's exit status for a skipped test

tool = shutil.which('clang-format-14')
if tool is None:
    print('clang-format-14 is not installed')
    sys.exit(SKIPPED)
sys.exit(subprocess.run([tool, '--dry-run', '-Werror', *cpp_files(Path(sys.argv[1]))]).returncode)
