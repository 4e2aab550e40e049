#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs our tools over the conformance corpora beside the checkout (../shared/conformance).

    run.py [--build DIR] [CORPUS...]      fails where a corpus falls below floor.json
    run.py --raise [CORPUS...]            keeps in floor.json what is better than before
    run.py --list [CORPUS...]             also prints each case that is not as expected

Without CORPUS: all of corpora.txt. Per corpus floor.json keeps how many cases print what is expected
(`equal`) and how many wrong documents are refused (`errors`); a crash fails in any case.
Skipped (exit status 77) where the corpora are not there.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
CONFORMANCE = CHECKOUT.parent / 'shared/conformance'
FLOOR = HERE / 'floor.json'
SKIPPED = 77


def commands():
    """Corpus -> command, from corpora.txt."""
    lines = [line.split(None, 1) for line in (HERE / 'corpora.txt').read_text().splitlines()]
    return {words[0]: words[1] for words in lines if words and not words[0].startswith('#')}


def measure(corpus, command, build, report):
    """Runs compare.py; leaves its report in the file `report` and returns the part of this corpus."""
    folder = CONFORMANCE / corpus
    kind = json.loads((folder / 'corpus.json').read_text())['kind']
    # A tool that ends at once has nothing to lose: looking for leaks takes longer than its work.
    environment = {'ASAN_OPTIONS': 'detect_leaks=0', **os.environ}
    subprocess.run([sys.executable, CONFORMANCE / 'compare.py', kind, folder, '--tool', f'{build}/{command}',
                    '--json', report], stdout=subprocess.DEVNULL, check=False, env=environment)
    return json.loads(report.read_text())


def figures(summary):
    """What floor.json keeps of a summary of compare.py."""
    return {'equal': summary['equal'] - summary['errors_met'], 'errors': summary['errors_met']}


def show(case):
    print(f"  {case['case']}: {case['result']}")
    for line in case['diff'][:12]:
        print(f'      {line}')


def judge(corpus, report, floor, listing):
    """Prints the figures and what fell; whether the corpus holds its floor."""
    summary = report['corpora'][corpus]
    got = figures(summary)
    of = {'equal': summary['total'] - summary['errors_expected'], 'errors': summary['errors_expected']}
    problems = [f"{name} {got[name]} of {of[name]}, the floor is {floor[name]}"
                for name in got if got[name] < floor[name]] if floor else ['it has no floor: run.py --raise']
    if summary['crashed']:
        problems.append(f"{summary['crashed']} crashed")
    if listing or problems:
        for case in report['cases']:
            if case['result'] != 'equal':
                show(case)
    print(f"note: {corpus}: {got['equal']}/{of['equal']} equal, {got['errors']}/{of['errors']} errors refused")
    for problem in problems:
        print(f'{corpus}: {problem}')
    return not problems


def raise_floor(floors, corpus, got):
    """A floor only ever rises here; a number that must fall is edited, and the commit says why."""
    before = floors.get(corpus, {})
    floors[corpus] = {name: max(value, before.get(name, 0)) for name, value in got.items()}
    if floors[corpus] != before:
        print(f'{corpus}: {before or "none"} -> {floors[corpus]}')


def write_floors(floors):
    lines = [f'  {json.dumps(corpus)}: {json.dumps(floors[corpus])}' for corpus in sorted(floors)]
    FLOOR.write_text('{\n' + ',\n'.join(lines) + '\n}\n')


def main():
    known = commands()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=Path, default=CHECKOUT / 'build', help='the build folder')
    parser.add_argument('--raise', dest='raising', action='store_true')
    parser.add_argument('--list', dest='listing', action='store_true')
    parser.add_argument('corpora', nargs='*', metavar='CORPUS', help=', '.join(known))
    options = parser.parse_args()
    if not CONFORMANCE.is_dir():
        print(f'skipped: {CONFORMANCE} is not there')
        return SKIPPED
    floors = json.loads(FLOOR.read_text()) if FLOOR.exists() else {}
    good = True
    for corpus in options.corpora or known:
        if corpus not in known:
            parser.error(f"corpora.txt has no corpus '{corpus}'")
        with tempfile.NamedTemporaryFile(suffix='.json') as file:
            report = measure(corpus, known[corpus], options.build, Path(file.name))
        if options.raising and not report['corpora'][corpus]['crashed']:
            raise_floor(floors, corpus, figures(report['corpora'][corpus]))
            write_floors(floors)
        good &= judge(corpus, report, floors.get(corpus), options.listing)
    return 0 if good else 1


sys.exit(main())
