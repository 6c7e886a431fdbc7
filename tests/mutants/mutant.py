# SPDX-License-Identifier: MIT
"""A mutant: its patch, who must catch it, and what it makes of the sources."""
import re
import subprocess
import tempfile
import zlib
from pathlib import Path

CATCHERS = ('unit', 'glue', 'local')


class Broken(Exception):
    """The mutant, or the tree it is made of, cannot be judged."""


class Mutant:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        self.number = zlib.crc32(self.name.encode()) >> 1  # stays when others come and go: what is compiled stays, too
        text = path.read_text()
        header = dict(re.findall(r'^# ([a-z-]+): *(.+?) *$', text, re.M))
        self.by, self.filter, self.why = (header.get(key, '') for key in ('caught-by', 'filter', 'why'))
        self.files = re.findall(r'^\+\+\+ b/(\S+)', text, re.M)

    def check(self):
        if self.by not in CATCHERS:
            raise Broken('first line wanted: # caught-by: unit, glue or local')
        if not self.why:
            raise Broken('a line `# why: ...` is wanted')
        if not self.files:
            raise Broken('no file is changed (a unified diff with a/ and b/ is wanted)')
        if any(name.startswith('tests/') for name in self.files):
            raise Broken('a mutant changes the code, not its tests')

    def texts(self, top):
        """{file: its text with the fault}."""
        with tempfile.TemporaryDirectory() as scratch:
            for name in self.files:
                copy = Path(scratch, name)
                copy.parent.mkdir(parents=True, exist_ok=True)
                if (top / name).exists():
                    copy.write_bytes((top / name).read_bytes())
            patch = subprocess.run(['patch', '-p1', '-F0', '-s', '--no-backup-if-mismatch', '-r', '-', '-d', scratch, '-i', self.path],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if patch.returncode != 0:
                raise Broken('the patch does not apply to the code of today')
            return {name: Path(scratch, name).read_text() for name in self.files}
