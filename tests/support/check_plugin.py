#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_plugin.py PLUGIN MAP [LIBRARY...]: the built plugin needs libc and these libraries alone, shows exactly the symbols of the
exports list, each with the version of its node, and is hardened. Prints each fault, last line `N passed, N failed`."""
import re
import subprocess
import sys

LIBC = {'libc.so.6', 'libm.so.6', 'ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1'}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def listed(path):
    text = re.sub(r'/\*.*?\*/|//[^\n]*', '', open(path).read(), flags=re.S)
    body = re.search(r'(\S*)\s*\{(.*)\}\s*;', text, re.S)
    exported = body.group(2).split('local:')[0].replace('global:', '') if body else ''
    version = f'@@{body.group(1)}' if body and body.group(1) else ''
    return version, {name.strip() for name in exported.split(';') if name.strip()}


def faults(plugin, exports, libraries):
    dynamic = output('readelf', '-dW', plugin)
    needed = set(re.findall(r'\(NEEDED\).*\[(.+)\]', dynamic))
    yield ' '.join(['needs libc', *libraries, 'alone']), [f'NEEDED {name}' for name in sorted(needed - LIBC - set(libraries))]

    version, wanted = listed(exports)
    symbols = [line.split() for line in output('nm', '-D', '--defined-only', '--with-symbol-versions', plugin).splitlines()]
    shown = {fields[-1] for fields in symbols if fields[-2] != 'A'}
    right = {name + version for name in wanted}
    yield 'shows exactly the exports list', ([f'{exports} lists nothing'] if not wanted else []) + \
        [f'wildcard {name} in the list' for name in wanted if '*' in name] + \
        [f'shown but not listed: {name}' for name in sorted(shown - right)] + \
        [f'listed but not shown: {name}' for name in sorted(right - shown)]

    segments = output('readelf', '-lW', plugin)
    yield 'is hardened', [text for ok, text in (
        ('BIND_NOW' in dynamic or 'NOW' in dynamic, 'not linked with -z now'),
        ('GNU_RELRO' in segments, 'not linked with -z relro'),
        (not re.search(r'GNU_STACK.*RWE', segments), 'executable stack'),
        ('TEXTREL' not in dynamic, 'text relocations')) if not ok]
    undefined = output('nm', '-D', '--undefined-only', plugin)
    yield 'runs nothing at exit', [text for ok, text in (
        (fini_entries(plugin) <= 1, 'has a destructor function (.fini_array beyond the toolchain\'s)'),
        ('__cxa_atexit' not in undefined, 'a static object has a destructor (calls __cxa_atexit)')) if not ok]


def fini_entries(plugin):
    size = re.search(r'FINI_ARRAYSZ\)\s+(\d+)', output('readelf', '-dW', plugin))
    return int(size.group(1)) // 8 if size else 0


def main():
    results = list(faults(sys.argv[1], sys.argv[2], sys.argv[3:]))
    for name, lines in results:
        print(f'{"FAILED" if lines else "ok"}: the plugin {name}')
        for line in lines:
            print(f'  {line}')
    failed = sum(bool(lines) for _, lines in results)
    print(f'{len(results) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
