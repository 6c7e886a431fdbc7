#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_errors.py TOP MANPAGE: every code of base/errors.def has its line in the built man page, and every one that
tests/glue/errors_test.cc lets a stand-in tell is provoked for real: asserted by a unit test of the room that finds it, or by a
scenario. Prints each fault, last line `N passed, N failed`."""
import pathlib
import re
import sys

# Nothing real to provoke them with: memory that is not there, and what would be a fault of ours.
FAULTS = {'INTERNAL', 'NO_MEMORY'}


def errors(top):
    return re.findall(r'^GSS_IPSEC_ERROR\((\d+), (\w+), "(.*)"\)$', (top / 'base/errors.def').read_text(), re.M)


def text_of(paths):
    return '\n'.join(path.read_text() for path in paths)


def main():
    top, page = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text()
    table = errors(top)
    told = re.search(r'kTold\[\] = \{(.*?)\}', (top / 'tests/glue/errors_test.cc').read_text(), re.S).group(1)
    told = set(re.findall(r'Code::(\w+)', told))
    asserted = set(re.findall(r'(?:ASSERT|expect|refused)\w*\([^;]*\bCode::(\w+)', text_of((top / 'tests/unit').rglob('*.cc'))))
    scenarios = text_of((top / 'tests/lab').rglob('*.py'))
    faults = [f'{name} is not in the man page' for number, name, text in table
              if f'.It Dv GSS_IPSEC_E_{name} Pq {number}\n{text}\n' not in page]
    for _, name, text in table:
        start = re.escape(text.split(';')[0])
        if name in told - FAULTS and name not in asserted and not re.search(start, scenarios):
            faults.append(f'{name} is told by a stand-in and provoked by no test of its own')
    faults += [f'{name} is told and is not in errors.def' for name in sorted(told - {name for _, name, _ in table})]
    for fault in faults:
        print(f'FAILED: {fault}')
    print(f'{max(2 * len(table) - len(faults), 0)} passed, {len(faults)} failed')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
