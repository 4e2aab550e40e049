# SPDX-License-Identifier: LGPL-2.1-or-later
"""vireo-xml's exit status and messages. What needs a described host is skipped without one.

usage: vireo_xml_test.py VIREO_XML SHARED
"""
import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

TOOL, SHARED = sys.argv[1], Path(sys.argv[2])
GUEST = """<domain type='kvm'>
  <name>g</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    {}
  </devices>
</domain>
"""


def run(*words):
    return subprocess.run([TOOL, *words], capture_output=True, text=True, check=False, timeout=60)


class Usage(unittest.TestCase):
    def refused(self, *words):
        done = run(*words)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, '')
        self.assertTrue(done.stderr.startswith('usage: vireo-xml '), done.stderr)

    def test_what_is_not_understood(self):
        self.refused()
        self.refused('print', '--env', 'e', 'domain', 'f')
        self.refused('xml', '--env', 'e', 'teapot', 'f')
        self.refused('xml', '--loud', '--env', 'e', 'domain', 'f')

    def test_a_file_that_is_not_there(self):
        done = run('xml', '--env', '/nowhere/env.json', 'domain', 'f')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertEqual(done.stderr, "vireo-xml: cannot read '/nowhere/env.json'\n")


@unittest.skipUnless((SHARED / 'environment.json').exists(), f'{SHARED} is not there')
class Documents(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        text = (SHARED / 'environment.json').read_text().replace('"@', f'"{SHARED}/')
        (self.folder / 'env.json').write_text(text)

    def run_on(self, verb, devices):
        (self.folder / 'guest.xml').write_text(GUEST.format(devices))
        return run(verb, '--env', str(self.folder / 'env.json'), 'domain', str(self.folder / 'guest.xml'))

    def test_a_document_without_mistakes(self):
        done = self.run_on('check', '')
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, '', ''))
        self.assertEqual(xml.fromstring(self.run_on('xml', '').stdout).find('currentMemory').text, '65536')
        argv = json.loads(self.run_on('argv', '').stdout)
        self.assertIn('-name', argv)

    def test_a_mistake_has_its_line(self):
        for verb in ('check', 'xml', 'argv'):
            done = self.run_on(verb, "<input type='tablet' bus='ps2'/>")
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertEqual(done.stderr,
                             "vireo-xml: line 6: <input>: bus='ps2' has a mouse and a keyboard, no 'tablet'\n")


unittest.main(argv=sys.argv[:1])
