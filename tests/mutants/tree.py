# SPDX-License-Identifier: MIT
"""A copy of the checkout with a build of its own, in which mutants are built and run."""
import os
import shutil
import subprocess
from pathlib import Path

from mutant import Broken

PROGRAMS = {'unit': 'tests/unit/unit', 'glue': 'tests/glue/glue', 'local': 'tests/glue/local'}
PLUGIN = ['mech_ipsec.la', 'tests/glue/mech.conf']
TARGETS = {'unit': [], 'glue': PLUGIN, 'local': PLUGIN}
SECONDS = 120  # for all tests of a program


class Tree:
    def __init__(self, origin, top, log):
        self.origin, self.top, self.build, self.log = origin, top, top / '_build', log

    def prepare(self, woven):
        """woven: {file: its text} where it is not the checkout's."""
        self.log.write_text('')
        copy_tree(self.origin, self.top, woven)
        if not (self.top / 'configure').exists():
            self.must(['autoreconf', '-fi'], self.top)
        self.build.mkdir(parents=True, exist_ok=True)
        if not (self.build / 'config.status').exists():
            cache = 'ccache ' if shutil.which('ccache') else ''
            self.must(['env', 'CONFIG_SHELL=/bin/sh', '../configure', '--enable-precompiled-prelude', '--enable-united-rooms',
                       f'CC={cache}clang', f'CXX={cache}clang++', 'CFLAGS=-O0', 'CXXFLAGS=-O0',
                       'LDFLAGS=-fuse-ld=lld' if shutil.which('ld.lld') else 'LDFLAGS='], self.build)
            self.must(['nice', 'make', '-s', 'precompiled'], self.build)

    def must(self, command, folder):
        if not self.run(command, folder, 600):
            raise Broken(f'{" ".join(map(str, command))} failed, see {self.log}')

    def run(self, command, folder, seconds, log=None, number=0):
        """True if the command succeeds in time, with the woven mutant of that number; its output goes to a log."""
        env = dict(os.environ, GSS_MECH_CONFIG=str(self.build / 'tests/glue/mech.conf'), IPSEC_TEST_MUTANT=str(number))
        with open(log or self.log, 'ab') as out:
            out.write(f'\n== {" ".join(map(str, command))}\n'.encode())
            out.flush()
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                       start_new_session=True)
            try:
                return process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                out.write(b'== took too long\n')
                return False

    def make(self, *catchers):
        targets = [target for by in catchers for target in [*TARGETS[by], PROGRAMS[by]]]
        return self.run(['nice', 'make', '-s', f'-j{os.cpu_count()}', *targets], self.build, 1500)

    def program(self, by):
        return self.build / PROGRAMS[by]

    def names(self, by):
        listed = subprocess.run([self.program(by), '--list'], capture_output=True, text=True, check=True)
        return listed.stdout.splitlines()

    def passes_whole(self, by, log):
        return self.run([self.program(by)], self.build, SECONDS, log)

    def catches(self, mutant, log=None, number=0):
        filtered = ['--filter', mutant.filter] if mutant.filter else []
        return not self.run([self.program(mutant.by), '--fail-fast', '--verbose', *filtered], self.build, SECONDS, log, number)

    def catches_alone(self, mutant, texts):
        """With the checkout's sources where the mutant changes them, and no mutant beside it."""
        before = {name: (self.top / name).read_text() for name in texts if (self.top / name).exists()}
        self.write(texts)
        try:
            if not self.make(mutant.by):
                raise Broken(f'the changed code does not compile, see {self.log}')
            return self.catches(mutant)
        finally:
            self.write(before)

    def write(self, texts):
        for name, text in texts.items():
            (self.top / name).write_text(text)


def skipped(name):
    return name.startswith('build') and name != 'build-aux' or name in ('.git', 'autom4te.cache', '__pycache__') \
        or name.startswith('gss-ipsec-')


def copy_tree(source, target, woven):
    """Only what differs is written, so that an old build of the copy stays of use."""
    wanted = set()
    for folder, folders, files in os.walk(source):
        if Path(folder) == source:
            folders[:] = [name for name in folders if not skipped(name)]
        for name in files:
            origin = Path(folder) / name
            relative = origin.relative_to(source)
            copy = target / relative
            wanted.add(copy)
            octets = woven[str(relative)].encode() if str(relative) in woven else origin.read_bytes()
            if not copy.exists() or copy.read_bytes() != octets:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, copy)
                copy.write_bytes(octets)  # with the time of now: what was built before is older
    for folder, folders, files in os.walk(target):
        if Path(folder) == target and '_build' in folders:
            folders.remove('_build')
        for name in files:
            if Path(folder) / name not in wanted:
                (Path(folder) / name).unlink()
