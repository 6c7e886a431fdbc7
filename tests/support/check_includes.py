#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Dependencies between the rooms point one way, and what the shim's preload stands in front of is called past it: reads every source
below the tree given (default: this one), prints each offence and ends with `N passed, N failed`, one test a rule. --self-test plants
one offence of each kind in a small tree of its own and wants it found."""
import re
import sys
import tempfile
from pathlib import Path

# A room may include itself, what stands here, and what those may include.
ARROWS = {
    'base': [],
    'channel': ['base'],
    'kernel': ['channel'],
    'ike': ['channel'],
    'protocol': ['channel'],
    'preload': [],
    'broker': ['kernel', 'ike', 'protocol', 'channel'],
    'client': ['protocol', 'preload'],
    'mech_ipsec': ['client'],
    'gss-glue': ['mech_ipsec'],
    'ipsecapi': ['client'],
    'tools': ['client'],
}
# Public C headers (folder include/) are for the C borders.
PUBLIC = ('gss-glue', 'mech_ipsec', 'ipsecapi', 'tools', 'include')
PLUGIN = ('base', 'channel', 'protocol', 'preload', 'client', 'mech_ipsec', 'gss-glue', 'ipsecapi')

# Header, and the only files that may include it.
RESTRICTED = [
    (r'gssapi(/|\.h$)', r'gss-glue/|include/ipsec/ipsec_gss\.h$'),
    (r'netlink/|linux/xfrm\.h$|linux/pfkeyv2\.h$|linux/inet_diag\.h$|linux/sock_diag\.h$|linux/netlink\.h$|linux/rtnetlink\.h$', r'kernel/'),
    (r'openssl/', r'channel/exporter|channel/hmac|mech_ipsec/seal|ike/'),
    (r'systemd/', r'broker/'),
    (r'toml\+\+/|toml\.hpp$', r'broker/'),
    (r'CLI/|nlohmann/|fmt/', r'tools/'),
    (r'cppunit/|benchmark/', r'$'),
]
# The plugin lives in other people's programs: no threads, no standard streams (their constructor runs at load time).
PLUGIN_REFUSES = r'(thread|iostream|future|csignal)$'
# What libipsecshim-preload.so stands in front of would come back to the library that calls it.
PAST_THE_PRELOAD = re.compile(r'(?<![\w.:>])(?:::)?(accept4?|bind|connect|freeaddrinfo|getaddrinfo|getpeername|getsockname|getsockopt|setsockopt|socket)\((?!int )')
PAST_THE_PRELOAD_ROOMS = re.compile(r'(client|ipsecapi)/(?!libc\.|shim_preload\.)')
# Slow to compile: in one translation unit each.
ONE_UNIT = (r'CLI/', r'nlohmann/', r'toml\+\+/')

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def reachable(room):
    seen, todo = {room}, [room]
    while todo:
        for target in ARROWS[todo.pop()]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def sources(top):
    for room in [*ARROWS, 'include']:
        folder = top / room
        if folder.is_dir():
            for path in sorted(folder.rglob('*')):
                if path.suffix in ('.cc', '.h', '.c', '.def', '.inc') and path.is_file():
                    yield path.relative_to(top).as_posix(), path.read_text(errors='replace')


def arrow_offence(top, name, room, quote, target):
    first = target.split('/')[0]
    if (top / 'include' / target).is_file():
        return None if room in PUBLIC else f'the public header {target} is for {", ".join(PUBLIC[:-1])}'
    if quote == '<':
        return f'write "{target}" for a header of the tree' if first in ARROWS else None
    if first == 'tests':
        return f'{target} belongs to the tests'
    if first not in ARROWS or '/' not in target:
        return f'"{target}" is not named from the top of the tree'
    if not (top / target).is_file():
        return f'"{target}" does not exist'
    if room == 'include' or first not in reachable(room):
        return f'{room} must not depend on {first} ("{target}")'
    return None


def restricted_offence(name, room, target):
    for header, allowed in RESTRICTED:
        if re.match(header, target) and not re.match(allowed, name):
            return f'<{target}> is only for {allowed.rstrip("$") or "tests"}'
    return None


def plugin_offence(room, target):
    if room in PLUGIN and re.match(PLUGIN_REFUSES, target):
        return f'<{target}> has no place in the plugin'
    return None


def check(top):
    """Offences by rule."""
    found = {rule: [] for rule in ('one-way arrows', 'restricted headers', 'plugin headers', 'calls by client/libc.h', 'one translation unit', 'licence line')}
    units = {header: set() for header in ONE_UNIT}
    for name, text in sources(top):
        room = name.split('/')[0]
        if 'SPDX-License-Identifier: MIT' not in text.split('\n', 1)[0]:
            found['licence line'].append(f'{name}:1: the first line is not the SPDX line')
        for number, line in enumerate(text.split('\n'), 1):
            call = PAST_THE_PRELOAD.search(re.sub(r'"[^"]*"', '""', line).split('//')[0]) if PAST_THE_PRELOAD_ROOMS.match(name) else None
            if call:
                found['calls by client/libc.h'].append(f'{name}:{number}: write libc().{call.group(1)}(')
        for match in INCLUDE.finditer(text):
            quote, target = match.groups()
            place = f'{name}:{text.count(chr(10), 0, match.start(2)) + 1}'
            for rule, offence in (('one-way arrows', arrow_offence(top, name, room, quote, target)),
                                  ('restricted headers', restricted_offence(name, room, target)),
                                  ('plugin headers', plugin_offence(room, target))):
                if offence:
                    found[rule].append(f'{place}: {offence}')
            for header in ONE_UNIT:
                if re.match(header, target):
                    units[header].add(name)
    for header, names in units.items():
        if len(names) > 1 or any(name.endswith('.h') for name in names):
            found['one translation unit'].append(f'{header}: {", ".join(sorted(names))}: one source file only')
    return found


PLANTED = {
    'one-way arrows': [('channel/a.cc', '#include "broker/x.h"'), ('base/a.cc', '#include "channel/x.h"'),
                       ('kernel/a.cc', '#include "ike/x.h"'), ('client/a.cc', '#include "kernel/x.h"'),
                       ('tools/a.cc', '#include "mech_ipsec/x.h"'), ('ike/a.cc', '#include "x.h"'),
                       ('base/a.cc', '  #  include <channel/x.h>'), ('base/a.cc', '#include "tests/x.h"'),
                       ('base/a.cc', '#include "base/none.h"'), ('broker/a.cc', '#include "client/x.h"'),
                       ('kernel/a.cc', '#include <gss-ipsec/public.h>')],
    'restricted headers': [('mech_ipsec/a.cc', '#include <gssapi/gssapi.h>'), ('broker/a.cc', '#include <netlink/socket.h>'),
                           ('channel/a.cc', '#include <linux/xfrm.h>'), ('base/a.cc', '#include <openssl/evp.h>'),
                           ('channel/policy.cc', '#include <openssl/evp.h>'), ('client/a.cc', '#include <fmt/core.h>'),
                           ('tools/a.cc', '#include <cppunit/Test.h>')],
    'plugin headers': [('client/a.cc', '#include <thread>'), ('gss-glue/a.cc', '#include <iostream>')],
    'calls by client/libc.h': [('client/a.cc', 'int a = socket(1, 1, 0);'), ('ipsecapi/a.cc', 'if (::connect(fd, to, size) != 0) return;')],
    'one translation unit': [('tools/a.h', '#include <CLI/CLI.hpp>')],
    'licence line': [('base/b.cc', None)],
}
CLEAN = [('gss-glue/a.cc', '#include "base/x.h"\n#include <gssapi/gssapi.h>\n#include <gss-ipsec/public.h>'), ('broker/a.cc', '#include "kernel/x.h"'),
         ('channel/exporter.cc', '#include <openssl/evp.h>'), ('kernel/a.cc', '#include <linux/xfrm.h>\n#include "base/x.h"'),
         ('client/a.cc', '#include <linux/types.h>\n#include "channel/x.h"'),
         ('client/b.cc', 'Answer accept(int fd);  // accept(2)\nlibc().connect(fd, to, size); Broker::accept(fd);'), ('kernel/b.cc', 'socket(1, 1, 0);')]


def offences_of(files):
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        (top / 'include/gss-ipsec').mkdir(parents=True)
        (top / 'include/gss-ipsec/public.h').write_text('// SPDX-License-Identifier: MIT\n')
        for room in ARROWS:
            (top / room).mkdir()
            (top / room / 'x.h').write_text('// SPDX-License-Identifier: MIT\n')
        for name, text in files:
            (top / name).write_text('int x;\n' if text is None else f'// SPDX-License-Identifier: MIT\n{text}\n')
        return check(top)


def self_test():
    passed, failed = 0, 0
    for rule, plants in PLANTED.items():
        for plant in plants:
            good = len(offences_of([plant])[rule]) == 1
            passed, failed = passed + good, failed + (not good)
            if not good:
                print(f'FAILED: a planted offence was not found: {rule}: {plant}')
    wrong = [line for lines in offences_of(CLEAN).values() for line in lines]
    for line in wrong:
        print(f'FAILED: an offence where there is none: {line}')
    return passed + (not wrong), failed + bool(wrong)


def main():
    if '--self-test' in sys.argv:
        passed, failed = self_test()
    else:
        top = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2])
        found = check(top)
        for rule, lines in found.items():
            print(f'{"FAILED" if lines else "ok"}: {rule}')
            for line in lines:
                print(f'  {line}')
        failed = sum(bool(lines) for lines in found.values())
        passed = len(found) - failed
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
