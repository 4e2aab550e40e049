# SPDX-License-Identifier: LGPL-2.1-or-later
"""Refuses the co_await statement shapes that g++ 12 miscompiles (docs/style.md, section 6)."""
import re
import sys
from pathlib import Path

from sources import cpp_files, report

LAMBDA = re.compile(r'(?:^|[(,=]|\s)\[')
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', re.S)


def shapes(source):
    """The line and the reason of each co_await in a refused shape."""
    text = NOISE.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), source)
    for m in re.finditer(r'\bco_await\b', text):
        if re.search(r'\boperator\s*$', text[:m.start()]):
            continue
        begin = max(text.rfind(c, 0, m.start()) for c in ';{}') + 1
        before, after = text[begin:m.start()], text[m.end():text.find(';', m.end())]
        if re.search(r'\b(if|while|switch|for)\s*\(', before):
            why = 'in a condition, or without braces after one'
        elif '{' in after or '}' in after:
            why = 'with braces in the same statement'
        elif '?' in before + after:
            why = 'with ?: in the same statement'
        elif re.search(r'&&|\|\|', before + after):
            why = 'with && or || in the same statement'
        elif LAMBDA.search(before + after):
            why = 'with a lambda in the same statement'
        else:
            continue
        yield text.count('\n', 0, m.start()) + 1, why


root = Path(sys.argv[1])
bad = [f'{path.relative_to(root)}:{line}: co_await {why}: name the value first'
       for path in cpp_files(root) for line, why in shapes(path.read_text())]
sys.exit(report(bad, 'no co_await in a refused shape'))
