# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ./check says in its last line, and its exit status."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / 'support/summary.py'
DOCTEST = '[doctest] test cases: {:2} | {} passed | {} failed | {} skipped\n'


def record(result='OK', stdout='', name='vireo:unit / a'):
    return {'name': name, 'result': result, 'stdout': stdout}


class Summary(unittest.TestCase):
    def summary(self, *logs, suite='unit'):
        """The last line, the whole output and the exit status; None stands for a missing record."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, records in enumerate(logs):
                path = Path(folder) / str(number) / f'check-{suite}.json'
                path.parent.mkdir()
                if records is not None:
                    path.write_text(''.join(json.dumps(r) + '\n' for r in records))
                paths.append(path)
            done = subprocess.run([sys.executable, SCRIPT, *paths], capture_output=True, text=True)
            return done.stdout.rstrip('\n').split('\n')[-1], done.stdout, done.returncode

    def test_counts_the_cases_of_doctest_and_other_tests_as_one(self):
        line, _, status = self.summary([record(stdout=DOCTEST.format(5, 5, 0, 1)), record()])
        self.assertEqual(line, '6 passed, 0 failed, 1 skipped')
        self.assertEqual(status, 0)

    def test_counts_a_plain_last_line(self):
        line, _, _ = self.summary([record(stdout='10 cases\n9 passed, 0 failed, 1 skipped\n')])
        self.assertEqual(line, '9 passed, 0 failed, 1 skipped')

    def test_sums_over_all_records(self):
        line, _, _ = self.summary([record()], [record(), record('SKIP')])
        self.assertEqual(line, '2 passed, 0 failed, 1 skipped')

    def test_a_failure_is_shown_and_fails(self):
        line, output, status = self.summary([record('FAIL', DOCTEST.format(3, 2, 1, 0) + 'why\n')])
        self.assertEqual(line, '2 passed, 1 failed, 0 skipped')
        self.assertIn('why', output)
        self.assertEqual(status, 1)

    def test_a_crash_after_passed_cases_is_a_failure(self):
        line, _, status = self.summary([record('FAIL', DOCTEST.format(3, 3, 0, 0))])
        self.assertEqual(line, '3 passed, 1 failed, 0 skipped')
        self.assertEqual(status, 1)

    def test_a_time_out_is_a_failure(self):
        line, _, status = self.summary([record('TIMEOUT')])
        self.assertEqual((line, status), ('0 passed, 1 failed, 0 skipped', 1))

    def test_nothing_run_is_a_failure(self):
        line, _, status = self.summary([])
        self.assertEqual((line, status), ('0 passed, 0 failed, 0 skipped', 1))

    def test_a_missing_record_is_a_failure(self):
        line, _, status = self.summary([record()], None)
        self.assertEqual((line, status), ('1 passed, 1 failed, 0 skipped', 1))

    def test_the_figures_of_the_benchmark_are_shown(self):
        _, output, _ = self.summary([record(stdout='GetState 75\n')], suite='benchmark')
        self.assertIn('GetState 75\n', output)

    def test_notes_of_tests_are_repeated(self):
        _, output, _ = self.summary([record(stdout='3 of 9 members of org.x are not served yet\n')])
        self.assertIn('\n3 of 9 members of org.x are not served yet\n', output)


unittest.main(verbosity=0)
