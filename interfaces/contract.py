# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads and checks interfaces/*.xml, the contract of every D-Bus interface.

A comment right before an interface or a member is its documentation. The first problem found is
raised as ContractError, whose text names the file, the line, the value and what was expected.
"""

import re
import xml.parsers.expat
from dataclasses import dataclass, field

NO_DRIVER = 'none'
NO_REPLY = 'org.freedesktop.DBus.Method.NoReply'
EMITS = 'org.freedesktop.DBus.Property.EmitsChangedSignal'

NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
INTERFACE = re.compile(r'[A-Za-z_]\w*(\.[A-Za-z_]\w*)+')
ACTION = re.compile(r'org\.vireo\.[a-z]+\.(read|write)')
RULES = {  # annotation: (where it may stand, pattern of its value, the same in words)
    'org.vireo.Path': ('interface', r'(/\w+)+(/\*|(/\*(/\w+)+)+/\*)?',
                       'a path, its last element and any before it "*" for any one element'),
    'org.vireo.Private': ('interface', r'true', '"true"'),
    'org.vireo.Driver': ('method property signal', r'[a-z][a-z0-9]*', 'a driver name or "none"'),
    'org.vireo.Action': ('method property signal', ACTION.pattern, 'org.vireo.GROUP.read or .write'),
    'org.vireo.SetAction': ('property', ACTION.pattern, 'org.vireo.GROUP.read or .write'),
    'org.vireo.SecureAction': ('method', ACTION.pattern, 'org.vireo.GROUP.read or .write'),
    'org.vireo.Since': ('method property signal', r'\d+\.\d+\.\d+', 'a version such as 0.1.0'),
    NO_REPLY: ('method', r'true', '"true"'),
    EMITS: ('property', r'const|false|invalidates', 'const, false or invalidates'),
}
ATTRIBUTES = {  # element: (must have, may have)
    'node': ((), ()), 'interface': (('name',), ()), 'method': (('name',), ()),
    'signal': (('name',), ()), 'property': (('name', 'type', 'access'), ()),
    'annotation': (('name', 'value'), ()), 'arg': (('name', 'type'), ('direction',)),
}
PARENTS = {
    'node': (None,), 'interface': ('node',), 'method': ('interface',), 'signal': ('interface',),
    'property': ('interface',), 'annotation': ('interface', 'method', 'signal', 'property'),
    'arg': ('method', 'signal'),
}


class ContractError(Exception):
    pass


@dataclass
class Member:
    kind: str  # method, property, signal
    name: str
    doc: str
    where: str  # FILE:LINE
    access: str = ''
    arguments: list = field(default_factory=list)  # (name, type); a property's value, unnamed
    results: list = field(default_factory=list)
    annotations: dict = field(default_factory=dict)

    @property
    def signature(self):
        return ''.join(t for _, t in self.arguments)

    @property
    def result(self):
        return ''.join(t for _, t in self.results)

    @property
    def driver(self):
        """Who serves it, None where nobody does."""
        name = self.annotations.get('org.vireo.Driver', NO_DRIVER)
        return None if name == NO_DRIVER else name


@dataclass
class Interface:
    name: str
    doc: str
    where: str
    members: list = field(default_factory=list)
    annotations: dict = field(default_factory=dict)

    @property
    def private(self):
        return 'org.vireo.Private' in self.annotations

    @property
    def path(self):
        return self.annotations['org.vireo.Path']


def complete_types(signature):
    """Splits a D-Bus signature into its complete types; ValueError where it is none."""

    def end_of_type(at, arrays, structs):
        if at >= len(signature):
            raise ValueError('ends too early')
        c = signature[at]
        if c in 'ybnqiuxtdsoghv':
            return at + 1
        if arrays >= 32 or structs >= 32:
            raise ValueError('is nested deeper than 32')
        if c == 'a' and signature[at + 1:at + 2] == '{':
            if signature[at + 2:at + 3] not in tuple('ybnqiuxtdsogh'):
                raise ValueError('has a dictionary key that is not basic')
            at = end_of_type(at + 3, arrays + 1, structs + 1)
            if signature[at:at + 1] != '}':
                raise ValueError('has a dictionary entry that is not a pair')
            return at + 1
        if c == 'a':
            return end_of_type(at + 1, arrays + 1, structs)
        if c == '(' and signature[at + 1:at + 2] != ')':
            at += 1
            while signature[at:at + 1] != ')':
                at = end_of_type(at, arrays, structs + 1)
            return at + 1
        raise ValueError(f"has '{c}' where a type must stand")

    if len(signature) > 255:
        raise ValueError('is longer than 255')
    types, at = [], 0
    while at < len(signature):
        end = end_of_type(at, 0, 0)
        types.append(signature[at:end])
        at = end
    return types


class _Reader:
    def __init__(self, path):
        self.path, self.interfaces, self.open, self.doc = path, [], [], ''
        self.parser = xml.parsers.expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CommentHandler = self.comment
        self.parser.CharacterDataHandler = self.text
        try:
            with open(path, 'rb') as source:
                self.parser.ParseFile(source)
        except xml.parsers.expat.ExpatError as e:
            raise ContractError(f'{path}:{e.lineno}: not well-formed XML: {e}') from e

    def fail(self, text, where=None):
        raise ContractError(f'{where or self.here()}: {text}')

    def here(self):
        return f'{self.path}:{self.parser.CurrentLineNumber}'

    def comment(self, text):
        self.doc = '\n'.join(line.strip() for line in text.strip().split('\n'))

    def text(self, text):
        if text.strip():
            self.fail(f'unexpected text {text.strip()!r}')

    def start(self, element, attributes):
        if element not in ATTRIBUTES:
            self.fail(f'unknown element <{element}>')
        parent = self.open[-1] if self.open else None
        if parent not in PARENTS[element]:
            self.fail(f'<{element}> may not stand in ' + (f'<{parent}>' if parent else 'the document'))
        must, may = ATTRIBUTES[element]
        for name in must:
            if not attributes.get(name):
                self.fail(f"<{element}> lacks the attribute '{name}'")
        for name in attributes:
            if name not in must + may:
                self.fail(f"<{element}> has an unknown attribute '{name}'")
        self.open.append(element)
        getattr(self, 'start_' + element)(attributes)
        if element not in ('annotation', 'arg', 'node'):
            self.doc = ''

    def end(self, element):
        self.open.pop()
        if element in ('method', 'property', 'signal'):
            self.check_member(self.interfaces[-1].members[-1])
        elif element == 'interface':
            if 'org.vireo.Path' not in self.interfaces[-1].annotations:
                self.fail('the interface lacks org.vireo.Path', self.interfaces[-1].where)
        self.doc = ''

    def start_node(self, attributes):
        pass

    def start_interface(self, attributes):
        name = attributes['name']
        if not INTERFACE.fullmatch(name) or len(name) > 255:
            self.fail(f"'{name}' is no interface name")
        if not self.doc:
            self.fail(f'{name} has no documentation: put a comment before it')
        self.interfaces.append(Interface(name, self.doc, self.here()))

    def start_member(self, kind, attributes):
        interface, name = self.interfaces[-1], attributes['name']
        if not NAME.fullmatch(name) or len(name) > 255:
            self.fail(f"'{name}' is no member name")
        # sd-bus keeps methods, properties and signals apart, and StoragePool has Refresh twice.
        for other in interface.members:
            if other.name == name and other.kind == kind:
                self.fail(f'{kind} {interface.name}.{name} stands twice, first in {other.where}')
        if not self.doc:
            self.fail(f'{interface.name}.{name} has no documentation: put a comment before it')
        interface.members.append(Member(kind, name, self.doc, self.here()))

    def start_method(self, attributes):
        self.start_member('method', attributes)

    def start_signal(self, attributes):
        self.start_member('signal', attributes)

    def start_property(self, attributes):
        self.start_member('property', attributes)
        member = self.interfaces[-1].members[-1]
        member.access = attributes['access']
        if member.access not in ('read', 'readwrite'):
            self.fail(f"access of {member.name} is '{member.access}', not read or readwrite")
        self.check_type(attributes['type'], member.name)
        member.arguments.append(('', attributes['type']))

    def start_arg(self, attributes):
        member, name = self.interfaces[-1].members[-1], attributes['name']
        if not NAME.fullmatch(name):
            self.fail(f"'{name}' is no argument name")
        self.check_type(attributes['type'], f'{member.name}.{name}')
        direction = attributes.get('direction')
        if member.kind == 'method' and direction not in ('in', 'out'):
            self.fail(f'argument {member.name}.{name} needs direction="in" or "out"')
        if member.kind == 'signal' and direction is not None:
            self.fail(f'argument {member.name}.{name} of a signal has no direction')
        into = member.results if direction == 'out' else member.arguments
        if any(name == other for other, _ in into):
            self.fail(f'argument {member.name}.{name} stands twice')
        into.append((name, attributes['type']))

    def start_annotation(self, attributes):
        interface, name, value = self.interfaces[-1], attributes['name'], attributes['value']
        if name not in RULES:
            self.fail(f"unknown annotation '{name}'")
        places, pattern, words = RULES[name]
        if self.open[-2] not in places.split():
            self.fail(f'{name} may not stand in <{self.open[-2]}>')
        if not re.fullmatch(pattern, value):
            self.fail(f"{name} is '{value}', expected {words}")
        owner = interface if self.open[-2] == 'interface' else interface.members[-1]
        if name in owner.annotations:
            self.fail(f'{name} stands twice')
        owner.annotations[name] = value

    def check_type(self, signature, owner):
        try:
            count = len(complete_types(signature))
        except ValueError as e:
            self.fail(f"type '{signature}' of {owner} {e}")
        if count != 1:
            self.fail(f"type '{signature}' of {owner} is {count} types, expected one")
        if self.interfaces[-1].name.startswith('org.vireo.') and re.search('a{[^sog]', signature):
            self.fail(f"type '{signature}' of {owner} has a dictionary key that is no text, which nobody can "
                      'print as JSON; take an array of structures')

    def check_member(self, member):
        interface = self.interfaces[-1]
        wanted = ['org.vireo.Since']
        if not interface.private:
            wanted += ['org.vireo.Driver', 'org.vireo.Action']
        if member.access == 'readwrite':
            wanted += ['org.vireo.SetAction']
        for name in wanted:
            if name not in member.annotations:
                self.fail(f'{interface.name}.{member.name} lacks {name}', member.where)
        if member.access == 'read' and 'org.vireo.SetAction' in member.annotations:
            self.fail(f'{interface.name}.{member.name} is read only, yet has org.vireo.SetAction',
                      member.where)
        if 'org.vireo.SecureAction' in member.annotations and member.arguments[-1:] != [('flags', 'u')]:
            self.fail(f'{interface.name}.{member.name} has org.vireo.SecureAction, so its last '
                      'argument must be flags of type u', member.where)
        if NO_REPLY in member.annotations and member.results:
            self.fail(f'{interface.name}.{member.name} sends no reply, yet has results', member.where)


def load(paths):
    """All interfaces of these files, sorted by name."""
    found = {}
    for path in paths:
        for interface in _Reader(path).interfaces:
            if interface.name in found:
                raise ContractError(f'{interface.where}: {interface.name} stands twice, first in '
                                    f'{found[interface.name].where}')
            found[interface.name] = interface
    return [found[name] for name in sorted(found)]
