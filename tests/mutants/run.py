#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Applies each tests/mutants/*.patch to a copy of the tree, builds what it needs and wants its tests to fail.
run.py [--jobs N] [NAME...]; see README.md here. Last line: `N passed, N failed`."""
import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

TOP = Path(os.environ.get('TOP') or Path(__file__).resolve().parents[2])
SCRATCH = TOP / 'build-mutants'
LIBTOOL = TOP / 'tests/mutants/libtool_once'
LOGS = Path(os.environ.get('LOGS') or TOP / 'build/logs') / 'mutants'
SECONDS = {'unit': 120, 'glue': 120, 'lab': 400}
TARGETS = {'unit': ['tests/unit/unit'],
           'glue': ['mech_ipsec.la', 'tests/glue/mech.conf', 'tests/glue/glue'],
           'lab': ['all-am', 'lab-programs']}
printing = threading.Lock()
first_build = threading.Lock()


def say(text):
    with printing:
        print(text, flush=True)


class Broken(Exception):
    """The mutant, or the tree it is made of, cannot be judged."""


class Mutant:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        text = path.read_text()
        header = dict(re.findall(r'^# ([a-z-]+): *(.+?) *$', text, re.M))
        self.by, _, self.scenario = header.get('caught-by', '').partition(':')
        self.filter, self.why = header.get('filter', ''), header.get('why', '')
        self.files = re.findall(r'^\+\+\+ b/(\S+)', text, re.M)

    def complaint(self):
        if self.by not in TARGETS or (self.by == 'lab') != bool(self.scenario):
            return 'first line wanted: # caught-by: unit, glue or lab:SCENARIO'
        if not self.why:
            return 'a line `# why: ...` is wanted'
        if not self.files:
            return 'no file is changed (a unified diff with a/ and b/ is wanted)'
        if any(name.startswith('tests/') for name in self.files):
            return 'a mutant changes the code, not its tests'
        return None

    def group(self):
        return (self.by, self.scenario)


class Before:
    """A source file, and what was compiled of it, before the mutant. A header's users are compiled again."""

    def __init__(self, tree, name):
        self.source = tree.top / name
        self.time = self.source.stat().st_mtime_ns
        made = tree.build / Path(name).parent
        objects = [made / f'.libs/{self.source.stem}.o', made / f'{self.source.stem}.o'] if name.endswith('.cc') else []
        self.octets = {path: path.read_bytes() for path in [self.source, *objects] if path.exists()}
        self.libtool = made / f'{self.source.stem}.lo'

    def give_back(self):
        for path, octets in self.octets.items():
            path.write_bytes(octets)
        if len(self.octets) > 1 and self.libtool.exists():
            os.utime(self.source, ns=(self.time, self.time))
            self.libtool.touch()  # the archives take the old object again


class Tree:
    """A copy of the checkout with a build of its own; one worker uses one."""

    def __init__(self, number):
        # Where `make distcheck` builds too, seen from the sources, and with its flags: a compiler cache serves both.
        self.top = SCRATCH / str(number)
        self.build = self.top / '_build/sub'
        self.log = LOGS / f'tree-{number}.log'
        self.names = {}  # of the tests that pass without mutants, by group

    def prepare(self):
        self.log.write_text('')
        copy_tree(TOP, self.top)
        if not (self.top / 'configure').exists():
            self.must(['autoreconf', '-fi'], self.top)
        self.build.mkdir(parents=True, exist_ok=True)
        if not (self.build / 'config.status').exists():
            cache = 'ccache ' if shutil.which('ccache') else ''
            self.must(['../../configure', '--enable-precompiled-prelude', f'CC={cache}gcc', f'CXX={cache}g++', 'CFLAGS=-O0', 'CXXFLAGS=-O0',
                       'LDFLAGS=-fuse-ld=lld' if shutil.which('ld.lld') else 'LDFLAGS='], self.build)
            self.must(['make', '-s', 'precompiled'], self.build)

    def must(self, command, folder):
        if not self.run(command, folder, 600):
            raise Broken(f'{" ".join(map(str, command))} failed, see {self.log}')

    def run(self, command, folder, seconds):
        """True if the command succeeds in time; its output goes to the log."""
        env = dict(os.environ, GSS_MECH_CONFIG=str(self.build / 'tests/glue/mech.conf'))
        with open(self.log, 'ab') as log:
            log.write(f'\n== {" ".join(map(str, command))}\n'.encode())
            log.flush()
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                       start_new_session=True)
            try:
                return process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                log.write(b'== took too long\n')
                return False

    def make(self, by):
        return self.run(['make', '-s', f'LIBTOOL={LIBTOOL}', f'-j{max(1, os.cpu_count() // workers)}', *TARGETS[by]], self.build, 900)

    def command(self, mutant):
        if mutant.by == 'lab':
            return [TOP / 'tests/lab/run.py', '--build', self.build, '--label', f'mutants-{self.top.name}', mutant.scenario], TOP
        return [self.build / f'tests/{mutant.by}/{mutant.by}', '--fail-fast', '--verbose',
                *(['--filter', mutant.filter] if mutant.filter else [])], self.build

    def prove(self, mutant):
        """Without mutants the same tests must be there and pass, else their failing means nothing."""
        if mutant.group() not in self.names:
            self.names[mutant.group()] = None
            if not self.make(mutant.by):
                raise Broken(f'the unchanged tree does not build, see {self.log}')
            command, folder = self.command(mutant)
            if not self.run(command if mutant.by == 'lab' else command[:1], folder, SECONDS[mutant.by]):
                raise Broken(f'the tests fail without the mutant too, see {self.log}')
            self.names[mutant.group()] = '' if mutant.by == 'lab' else subprocess.run(
                [command[0], '--list'], capture_output=True, text=True, check=True).stdout
        if self.names[mutant.group()] is None:
            raise Broken('the unchanged tree does not build or its tests fail')
        if mutant.by != 'lab' and not any(mutant.filter in name for name in self.names[mutant.group()].splitlines()):
            raise Broken(f'no test has {mutant.filter!r} in its name')

    def patch(self, mutant, *options):
        return self.run(['patch', '-p1', '-F0', '-s', '--no-backup-if-mismatch', '-r', '-', *options, '-i', mutant.path],
                        self.top, 60)

    def judge(self, mutant):
        """True if caught."""
        self.prove(mutant)
        if not self.patch(mutant, '--dry-run'):
            raise Broken('the patch does not apply to the code of today')
        before = [Before(self, name) for name in mutant.files if (self.top / name).exists()]
        self.patch(mutant)
        try:
            if not self.make(mutant.by):
                raise Broken(f'the changed code does not compile, see {self.log}')
            return not self.run(*self.command(mutant), SECONDS[mutant.by])
        finally:
            for file in before:
                file.give_back()


def skipped(name):
    return name.startswith('build') and name != 'build-aux' or name in ('.git', 'autom4te.cache', '__pycache__') \
        or name.startswith('gss-ipsec-')


def copy_tree(source, target):
    """Only what differs is written, so that an old build of the copy stays of use."""
    wanted = set()
    for folder, folders, files in os.walk(source):
        if Path(folder) == source:
            folders[:] = [name for name in folders if not skipped(name)]
        for name in files:
            origin = Path(folder) / name
            copy = target / origin.relative_to(source)
            wanted.add(copy)
            if not copy.exists() or copy.read_bytes() != origin.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, copy)  # with the time of now: what was built before is older
    for folder, folders, files in os.walk(target):
        if Path(folder) == target and '_build' in folders:
            folders.remove('_build')
        for name in files:
            if Path(folder) / name not in wanted:
                (Path(folder) / name).unlink()


def judge_one(tree, mutant):
    """The line to print, and whether it counts as passed."""
    start = time.monotonic()
    complaint = mutant.complaint()
    try:
        if complaint:
            raise Broken(complaint)
        caught = tree.judge(mutant)
    except Broken as broken:
        return f'BROKEN   {mutant.name}: {broken}', False
    where = mutant.by + (':' + mutant.scenario if mutant.scenario else '')
    text = f'{mutant.name} ({where}, {time.monotonic() - start:.1f} s)'
    return (f'caught   {text}', True) if caught else (f'SURVIVED {text}: {mutant.why}', False)


def work(number, jobs, results):
    tree = Tree(number)
    try:
        with first_build:  # one after the other: the compiler cache serves the second
            tree.prepare()
            tree.run(['make', '-s', f'LIBTOOL={LIBTOOL}', f'-j{os.cpu_count()}', *TARGETS['unit']], tree.build, 900)
    except (Broken, OSError) as broken:
        say(f'BROKEN   tree {number}: {broken}')
        results.append(False)
        return
    while True:
        try:
            group = jobs.get_nowait()
        except queue.Empty:
            return
        for mutant in group:
            line, good = judge_one(tree, mutant)
            say(line)
            results.append(good)


def batches(mutants):
    """Mutants of one lab scenario stay together (one boot proves the scenario), others go in small lots."""
    groups = {}
    for mutant in sorted(mutants, key=lambda m: (m.group(), m.files)):
        groups.setdefault(mutant.group(), []).append(mutant)
    for (by, _), group in groups.items():
        size = len(group) if by == 'lab' else 4
        for start in range(0, len(group), size):
            yield group[start:start + size]


def main():
    global workers
    parser = argparse.ArgumentParser()
    parser.add_argument('--jobs', type=int, default=min(2, os.cpu_count()))
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    mutants = [Mutant(path) for path in sorted((TOP / 'tests/mutants').glob('*.patch'))]
    known = {mutant.name for mutant in mutants}
    for name in set(args.names) - known:
        sys.exit(f'no mutant {name}')
    if args.names:
        mutants = [mutant for mutant in mutants if mutant.name in args.names]
    LOGS.mkdir(parents=True, exist_ok=True)
    jobs, results = queue.Queue(), []
    for batch in batches(mutants):
        jobs.put(batch)
    workers = max(1, min(args.jobs, jobs.qsize()))
    threads = [threading.Thread(target=work, args=(number, jobs, results)) for number in range(1, workers + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    missing = len(mutants) - len(results)
    passed = sum(results)
    failed = len(results) - passed + max(0, missing)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
