# SPDX-License-Identifier: LGPL-2.1-or-later
"""What interfaces/contract.py accepts and, above all, refuses."""

import tempfile
import unittest
from pathlib import Path

import contract

ANNOTATIONS = '''<annotation name="org.vireo.Driver" value="qemud"/>
<annotation name="org.vireo.Action" value="org.vireo.domain.read"/>
<annotation name="org.vireo.Since" value="0.1.0"/>'''
PATH = '<annotation name="org.vireo.Path" value="/org/x/*"/>'


def method(inner='', name='Get', annotations=ANNOTATIONS):
    return f'<!-- Gets. -->\n<method name="{name}">{annotations}{inner}</method>'


def prop(attributes, more=''):
    return f'<!-- Is. -->\n<property name="P" {attributes}>{ANNOTATIONS}{more}</property>'


def interface(members, path=PATH, doc='<!-- Thing. -->', name='org.x.Y'):
    return f'<node>{doc}<interface name="{name}">{path}{members}</interface></node>'


class ContractReader(unittest.TestCase):
    def read(self, *documents):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, document in enumerate(documents):
                paths.append(Path(folder) / f'{number}.xml')
                paths[-1].write_text(document)
            return contract.load(paths)

    def refused(self, pattern, *documents):
        with self.assertRaisesRegex(contract.ContractError, pattern):
            self.read(*documents)

    def test_reads_a_member_with_its_documentation_and_arguments(self):
        arguments = ('<arg name="a" type="a{sv}" direction="in"/>'
                     '<arg name="b" type="(ii)" direction="out"/>')
        [found] = self.read(interface(method(arguments)))
        [m] = found.members
        self.assertEqual(('org.x.Y', '/org/x/*', 'Thing.'), (found.name, found.path, found.doc))
        self.assertEqual(('method', 'Get', 'Gets.'), (m.kind, m.name, m.doc))
        self.assertEqual(('a{sv}', '(ii)', 'qemud'), (m.signature, m.result, m.driver))

    def test_takes_the_driver_none_as_nobody(self):
        [found] = self.read(interface(method(annotations=ANNOTATIONS.replace('qemud', 'none'))))
        self.assertIsNone(found.members[0].driver)

    def test_a_method_and_a_signal_may_share_a_name(self):
        signal = f'<!-- Said. --><signal name="Get">{ANNOTATIONS}</signal>'
        self.assertEqual(2, len(self.read(interface(method() + signal))[0].members))

    def test_refuses_duplicates(self):
        self.refused(r'1\.xml:\d+: org\.x\.Y stands twice, first in .*0\.xml',
                     interface(''), interface(''))
        self.refused(r'0\.xml:\d+: method org\.x\.Y\.Get stands twice', interface(method() + method()))
        twice = '<arg name="a" type="s" direction="in"/>' * 2
        self.refused('argument Get.a stands twice', interface(method(twice)))
        self.refused('org.vireo.Path stands twice', interface('', PATH * 2))

    def test_refuses_what_lacks_an_annotation(self):
        for name in ('Driver', 'Action', 'Since'):
            kept = '\n'.join(a for a in ANNOTATIONS.split('\n') if name not in a)
            self.refused(f'org.x.Y.Get lacks org.vireo.{name}', interface(method(annotations=kept)))
        self.refused('lacks org.vireo.Path', interface('', path=''))
        self.refused('org.x.Y.P lacks org.vireo.SetAction',
                     interface(prop('type="s" access="readwrite"')))

    def test_refuses_what_has_no_documentation(self):
        self.refused('org.x.Y has no documentation', interface('', doc=''))
        self.refused('org.x.Y.Get has no documentation',
                     interface(method().removeprefix('<!-- Gets. -->\n')))

    def test_refuses_invalid_types(self):
        for signature, why in (('', "lacks the attribute 'type'"), ('ss', 'is 2 types, expected one'),
                               ('a', 'ends too early'), ('(s', 'ends too early'), ('()', "has '\\('"),
                               ('a{vs}', 'key that is not basic'), ('a{sss}', 'not a pair'),
                               ('z', "has 'z'"), ('a' * 33 + 's', 'deeper than 32')):
            self.refused(why, interface(method(f'<arg name="a" type="{signature}" direction="in"/>')))

    def test_refuses_what_json_cannot_say_in_interfaces_of_its_own(self):
        numbered = method('<arg name="a" type="aa{tv}" direction="out"/>')
        self.read(interface(numbered))
        self.refused('key that is no text', interface(numbered, name='org.vireo.Y'))

    def test_refuses_unknown_or_misplaced_markup(self):
        self.refused('unknown element <foo>', interface('<foo/>'))
        self.refused('<arg> may not stand in <interface>', interface('<arg name="a" type="s"/>'))
        self.refused("unknown attribute 'colour'", interface('').replace('<node', '<node colour="x"'))
        self.refused("unknown annotation 'org.x.Z'",
                     interface('<annotation name="org.x.Z" value="1"/>'))
        self.refused("unexpected text 'hello'", interface('hello'))
        self.refused(r'0\.xml:1: not well-formed', '<node>')
        self.refused('org.vireo.Driver may not stand in <interface>', interface(ANNOTATIONS))

    def test_refuses_values_out_of_form(self):
        self.refused("org.vireo.Driver is 'Qemu D'",
                     interface(method(annotations=ANNOTATIONS.replace('qemud', 'Qemu D'))))
        self.refused("org.vireo.Action is 'org.vireo.domain.look'",
                     interface(method(annotations=ANNOTATIONS.replace('.read', '.look'))))
        self.refused("'Get-It' is no member name", interface(method(name='Get-It')))
        self.refused("'noDots' is no interface name", interface('', name='noDots'))
        self.refused('needs direction', interface(method('<arg name="a" type="s"/>')))
        self.refused("access of P is 'write'", interface(prop('type="s" access="write"')))

    def test_refuses_contradictions(self):
        set_action = '<annotation name="org.vireo.SetAction" value="org.vireo.domain.write"/>'
        self.refused('is read only, yet has org.vireo.SetAction',
                     interface(prop('type="s" access="read"', set_action)))
        secure = '<annotation name="org.vireo.SecureAction" value="org.vireo.domain.write"/>'
        self.refused('last argument must be flags', interface(method(secure)))
        silent = '<annotation name="org.freedesktop.DBus.Method.NoReply" value="true"/>'
        self.refused('sends no reply, yet has results',
                     interface(method(silent + '<arg name="a" type="s" direction="out"/>')))


if __name__ == '__main__':
    unittest.main()
