#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes things from the contract, interfaces/*.xml:

table      constexpr C++ data for libshared/bus/contract.cpp, so that nothing is parsed at run time
reference  a page of documentation in Markdown
missing    "N of M members of org.libvirt are not served yet"; with -v their names
members    one line per member, in the form of libvirt-dbus's list of members (for tests)
"""

import argparse
import sys
from xml.sax.saxutils import quoteattr

import contract

KINDS = ('method', 'property', 'signal')  # the order of MemberKind in contract.hpp
CHANGES = {'const': 'constant', 'false': 'silent', 'invalidates': 'invalidated', None: 'value'}


def introspection(interface):
    """The <interface> element that clients see: names and types, none of our annotations."""
    out = [f'<interface name={quoteattr(interface.name)}>']
    for m in interface.members:
        inner = []
        for direction, arguments in (('in', m.arguments), ('out', m.results)):
            for name, kind in arguments if m.kind != 'property' else ():
                shown = f' direction="{direction}"' if m.kind == 'method' else ''
                inner.append(f'<arg name={quoteattr(name)} type="{kind}"{shown}/>')
        for name in (contract.NO_REPLY, contract.EMITS):
            if name in m.annotations:
                inner.append(f'<annotation name="{name}" value="{m.annotations[name]}"/>')
        head = f'<{m.kind} name={quoteattr(m.name)}'
        if m.kind == 'property':
            head += f' type="{m.signature}" access="{m.access}"'
        out.append(head + '/>' if not inner else head + '>' + ''.join(inner) + f'</{m.kind}>')
    return '\n'.join(out) + '\n</interface>\n'


def text(value):
    return '"' + (value or '').replace('\\', '\\\\').replace('"', '\\"') + '"'


def truth(value):
    return 'true' if value else 'false'


def table(interfaces, out):
    out.write('// Generated from interfaces/*.xml by interfaces/generate.py. Do not edit.\n')
    for number, i in enumerate(interfaces):
        out.write(f'constexpr ContractMember members_{number}[] = {{  // {i.name}\n')
        # By kind, then by name in the order of bytes: contract.cpp searches it in halves.
        for m in sorted(i.members, key=lambda m: (KINDS.index(m.kind), m.name.encode())):
            a = m.annotations
            names = ' '.join(n for n, _ in m.arguments + m.results if n)
            fields = [text(m.name), text(m.signature), text(m.result), text(names), text(m.driver),
                      text(a.get('org.vireo.Action')), text(a.get('org.vireo.SetAction')),
                      text(a.get('org.vireo.SecureAction')), f'MemberKind::{m.kind}',
                      f'ChangeSignal::{CHANGES[a.get(contract.EMITS)]}',
                      truth(m.access == 'readwrite'), truth(contract.NO_REPLY in a)]
            out.write('    {' + ', '.join(fields) + '},\n')
        out.write('};\n')
    out.write('constexpr ContractInterface interfaces[] = {\n')
    for number, i in enumerate(interfaces):
        path = i.path.partition('/*')[0]
        shown = '' if i.private else introspection(i)
        out.write(f'    {{{text(i.name)}, {text(path)}, {text(i.path)}, '
                  f'{truth(i.private)}, members_{number},\nR"xml({shown})xml"}},\n')
    out.write('};\n')


def reference(interfaces, out):
    out.write('# D-Bus reference\n\nGenerated from `interfaces/*.xml`. Types are D-Bus signatures.\n')
    for i in interfaces:
        where = i.path.replace('*', '…')
        out.write(f'\n## {i.name}\n\nAt `{where}`'
                  f'{", on the socket of each driver only" if i.private else ""}. {i.doc}\n')
        for kind, plural in zip(KINDS, ('Methods', 'Properties', 'Signals')):
            members = [m for m in i.members if m.kind == kind]
            if members:
                out.write(f'\n### {plural} of {i.name}\n')
            for m in members:
                out.write(f'\n#### {m.name}\n\n`{heading(m)}`\n\n{m.doc}\n\n*{facts(m, i)}*\n')


def heading(m):
    def shown(arguments):
        return ', '.join(f'{n} {t}' for n, t in arguments)

    if m.kind == 'property':
        return f'{m.name} {m.signature}, {m.access}'
    return f'{m.name}({shown(m.arguments)})' + (f' → {shown(m.results)}' if m.results else '')


def facts(m, interface):
    a = m.annotations
    said = []
    if not interface.private:
        said.append(f'served by {m.driver}' if m.driver else 'not served yet')
        said.append(f'needs {a["org.vireo.Action"]}')
    if 'org.vireo.SetAction' in a:
        said.append(f'to be set {a["org.vireo.SetAction"]}')
    if 'org.vireo.SecureAction' in a:
        said.append(f'with flag 1 {a["org.vireo.SecureAction"]}')
    if m.kind == 'property':
        said.append({'const': 'never changes', 'false': 'changes without a signal',
                     'invalidates': 'a signal tells that it changed', None: 'a signal tells changes'}
                    [a.get(contract.EMITS)])
    return '; '.join(said + [f'since {a["org.vireo.Since"]}'])


def missing(interfaces, verbose, out):
    members = [(i.name, m) for i in interfaces if i.name.startswith('org.libvirt.') for m in i.members]
    unserved = [f'{name}.{m.name}' + (f' ({m.kind})' if m.kind != 'method' else '')
                for name, m in members if not m.driver]
    out.write(f'{len(unserved)} of {len(members)} members of org.libvirt are not served yet\n')
    for line in unserved if verbose else ():
        out.write(f'  {line}\n')


def members(interfaces, out):
    for i in interfaces:
        for m in i.members:
            if m.kind == 'property':
                emits = 'emits-changed=' + m.annotations.get(contract.EMITS, 'default')
                row = [i.name, m.kind, m.name, '', m.signature, m.access, emits]
            elif m.kind == 'signal':
                row = [i.name, m.kind, m.name, '', m.signature, '',
                       ' '.join(n for n, _ in m.arguments)]
            else:
                row = [i.name, m.kind, m.name, m.signature, m.result,
                       ' '.join(n for n, _ in m.arguments), ' '.join(n for n, _ in m.results)]
            out.write('\t'.join(row) + '\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=('table', 'reference', 'missing', 'members'))
    parser.add_argument('-v', '--verbose', action='store_true', help='missing: with names')
    parser.add_argument('files', nargs='+', metavar='FILE.xml')
    arguments = parser.parse_args()
    sys.stdout.reconfigure(encoding='utf-8')
    try:
        interfaces = contract.load(arguments.files)
    except (contract.ContractError, OSError) as e:
        sys.exit(f'error: {e}')
    if arguments.what == 'missing':
        missing(interfaces, arguments.verbose, sys.stdout)
    else:
        makers = {'table': table, 'reference': reference, 'members': members}
        makers[arguments.what](interfaces, sys.stdout)


if __name__ == '__main__':
    main()
