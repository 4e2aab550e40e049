# SPDX-License-Identifier: LGPL-2.1-or-later
"""vireo-xml's exit status and messages. What needs a described host is skipped without one; what it
says of this host is in the integration suite.

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
        self.refused('xml', 'domain', 'f', '--env')
        self.refused('argv', 'pool', 'f')

    def test_help_and_version(self):
        for word in ('--help', '-h'):
            done = run(word)
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertTrue(done.stdout.startswith('usage: vireo-xml '), done.stdout)
        self.assertRegex(run('--version').stdout, r'^vireo-xml \d+\.\d+\.\d+\n$')

    def test_a_file_that_is_not_there(self):
        done = run('xml', '--env', '/nowhere/env.json', 'domain', '/dev/null')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertEqual(done.stderr, "vireo-xml: cannot read '/nowhere/env.json'\n")
        for kind in ('domain', 'nodedev', 'pool', 'volume'):
            done = run('check', kind, '/nowhere/document.xml')
            self.assertEqual((done.returncode, done.stdout), (1, ''))
            self.assertIn("'/nowhere/document.xml'", done.stderr)


class OtherKinds(unittest.TestCase):
    """Documents that need no host."""

    def answer(self, text, *words):
        with tempfile.NamedTemporaryFile('w', suffix='.xml') as file:
            file.write(text)
            file.flush()
            return run(*words, file.name)

    def test_a_pool_and_a_volume(self):
        pool = "<pool type='dir'><name>p</name><target><path>/srv//p/</path></target>{}</pool>"
        done = self.answer(pool.format(''), 'xml', 'pool')
        self.assertEqual((done.returncode, done.stderr), (0, ''))
        self.assertEqual(xml.fromstring(done.stdout).find('target/path').text, '/srv/p')
        self.assertEqual(self.answer(pool.format(''), 'check', 'pool').returncode, 0)
        done = self.answer(pool.format('\n<tea/>\n<pot/>'), 'check', 'pool')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertEqual([line.split(':')[1] for line in done.stderr.splitlines()], [' line 2', ' line 3'])
        volume = "<volume><name>v.img</name><capacity unit='KiB'>4</capacity></volume>"
        done = self.answer(volume, 'xml', 'volume')
        self.assertEqual(xml.fromstring(done.stdout).find('capacity').text, '4096')
        self.assertEqual(self.answer('<volume/>', 'check', 'volume').returncode, 1)

    def test_a_node_device(self):
        device = ("<device><name>d</name><parent>nowhere</parent><capability type='mdev'>"
                  "<type id='t'/><uuid>b7f0a1c2-0000-4000-8000-000000000001</uuid></capability></device>")
        self.assertEqual(xml.fromstring(self.answer(device, 'xml', 'nodedev').stdout).find('name').text, 'd')
        self.assertEqual(self.answer(device, 'check', 'nodedev').returncode, 0)
        done = self.answer(device, 'argv', '--action', 'stop', 'nodedev')
        self.assertEqual(json.loads(done.stdout)[:2], ['mdevctl', 'stop'])
        done = self.answer(device, 'argv', '--action', 'define', 'nodedev')
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        self.assertIn("the parent 'nowhere' of 'd' is not there", done.stderr)
        self.assertEqual(self.answer(device, 'argv', '--action', 'paint', 'nodedev').returncode, 1)


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

    def test_every_mistake_has_its_line(self):
        done = self.run_on('check', "<input type='tablet' bus='ps2'/>\n<input type='tablet' bus='ps2'/>\n"
                                    "<disk type='file' device='lun'><source file='/i'/><target dev='sda'/></disk>\n"
                                    "<disk type='file' device='lun'><source file='/j'/><target dev='sdb'/></disk>")
        self.assertEqual((done.returncode, done.stdout), (1, ''))
        lines = [line.split(':')[1].strip() for line in done.stderr.splitlines()]
        self.assertEqual(sorted(lines), ['line 6', 'line 7', 'line 8', 'line 9'], done.stderr)
        done = self.run_on('check', "<input type='tea'/>\n<input type='pot'/>")
        self.assertEqual([line.split(':')[1] for line in done.stderr.splitlines()], [' line 6', ' line 7'])


unittest.main(argv=sys.argv[:1])
