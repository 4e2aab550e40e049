# SPDX-License-Identifier: LGPL-2.1-or-later
# Refuses the co_await statement shapes that g++ 12 miscompiles (docs/style.md, section 6).
import re, sys

LAMBDA = re.compile(r'(?:^|[(,=]|\s)\[')
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', re.S)

def problems(source):
    text = NOISE.sub(lambda m: re.sub(r'[^\n]', ' ', m.group()), source)
    for m in re.finditer(r'\bco_await\b', text):
        if re.search(r'\boperator\s*$', text[:m.start()]):
            continue
        begin = max(text.rfind(c, 0, m.start()) for c in ';{}') + 1
        before, after = text[begin:m.start()], text[m.end():text.find(';', m.end())]
        if re.search(r'\b(if|while|switch|for)\s*\(', before): why = 'in a condition, or without braces after one'
        elif '{' in after or '}' in after: why = 'with braces in the same statement'
        elif '?' in before + after: why = 'with ?: in the same statement'
        elif re.search(r'&&|\|\|', before + after): why = 'with && or || in the same statement'
        elif LAMBDA.search(before + after): why = 'with a lambda in the same statement'
        else: continue
        yield text.count('\n', 0, m.start()) + 1, why

bad = [f'{p}:{n}: co_await {why}: name the value first' for p in sys.argv[1:] for n, why in problems(open(p).read())]
print('\n'.join(bad) or 'no co_await in a refused shape')
sys.exit(bool(bad))
