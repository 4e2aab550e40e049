# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums Meson's test records (meson-logs/check-SUITE.json) up: what failed with its output, the
figures of the benchmark and the lines of the lab, the notes of the tests, a line per record, and
`N passed, N failed, N skipped` over all as the last line.

A test that counts its own cases (doctest does; a script may print a last line of the same form)
counts as these, any other as one. Exits with 1 when something failed, nothing ran or a record is
missing.
"""
import json
import re
import sys
from pathlib import Path

DOCTEST = re.compile(r'test cases:\s+\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed(?:\s*\|\s*(\d+) skipped)?')
PLAIN = re.compile(r'^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$', re.M)
NOTE = re.compile(r'^(?:note: .*|\d+ of \d+ members of .* not served yet)$', re.M)
SHOWN = 60  # lines of a failed test's output


def cases(record):
    """How many cases passed, failed and were skipped in one test."""
    result, output = record['result'], record.get('stdout', '')
    if result == 'SKIP':
        return 0, 0, 1
    found = DOCTEST.findall(output) or PLAIN.findall(output)
    passed, failed, skipped = (int(n or 0) for n in found[-1]) if found else (0, 0, 0)
    if result in ('OK', 'EXPECTEDFAIL'):
        # A doctest without a single case is not a pass.
        return (passed, failed, skipped) if found else (1, 0, 0)
    return passed, max(failed, 1), skipped


def show_failure(record, log):
    print(f"\n== {record['name']}: {record['result']}")
    output = (record.get('stdout', '') + record.get('stderr', '')).rstrip().split('\n')
    if len(output) > SHOWN:
        print(f'[{len(output) - SHOWN} lines before this are in {log}]')
    print('\n'.join(output[-SHOWN:]))


def main(logs):
    total = [0, 0, 0]
    lines, notes, missing = [], [], 0
    for log in logs:
        if not log.exists():
            missing += 1
            lines.append(f'{log}: no record, the tests did not run')
            continue
        sums, text = [0, 0, 0], log.with_suffix('.txt')
        label = log.stem.removeprefix('check-')
        for line in log.read_text().splitlines():
            record = json.loads(line)
            counted = cases(record)
            sums = [a + b for a, b in zip(sums, counted)]
            notes += NOTE.findall(record.get('stdout', ''))
            if label in ('benchmark', 'lab'):
                print(record.get('stdout', '') + (record.get('stderr', '') if counted[1] else ''))
            elif counted[1]:
                show_failure(record, text)
        total = [a + b for a, b in zip(total, sums)]
        lines.append(f'{label:12} {sums[0]:5} passed {sums[1]:5} failed {sums[2]:5} skipped   ({text})')
    print()
    for note in dict.fromkeys(notes):
        print(note)
    print('\n'.join(lines))
    total[1] += missing
    print('{} passed, {} failed, {} skipped'.format(*total))
    return 1 if total[1] or not total[0] else 0


sys.exit(main([Path(name) for name in sys.argv[1:]]))
