#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Wants the tests to fail with each of tests/mutants/*.patch. Nearly all mutants are woven into one build, which their tests run with one
of them chosen; the others, and those that no test caught there, are built one by one.
run.py [--jobs N] [NAME...]; see README.md here. Last line: `N passed, N failed`."""
import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutant import Broken, Mutant
from tree import Tree
from weave import weave

TOP = Path(os.environ.get('TOP') or Path(__file__).resolve().parents[2])
LOGS = Path(os.environ.get('LOGS') or TOP / 'build/logs') / 'mutants'


def say(verdict, mutant, text):
    print(f'{verdict:8} {mutant.name}{text}', flush=True)


def told(verdict, mutant, begin):
    why = f': {mutant.why}' if verdict == 'SURVIVED' else ''
    say(verdict, mutant, f' ({mutant.by}, {time.monotonic() - begin:.1f} s){why}')
    return verdict == 'caught'


def readable(mutants):
    """{mutant: its texts}; what cannot be read is told."""
    texts = {}
    for mutant in mutants:
        try:
            mutant.check()
            texts[mutant] = mutant.texts(TOP)
        except Broken as broken:
            say('BROKEN', mutant, f': {broken}')
    return texts


def weave_all(texts):
    """{file: woven text}, and the mutants that are in it whole."""
    by_file = {}
    for mutant, changed in texts.items():
        for name, text in changed.items():
            by_file.setdefault(name, {})[mutant.number] = text
    files, missed = {}, set()
    for name, mutated in by_file.items():
        files[name], numbers = weave((TOP / name).read_text() if (TOP / name).exists() else '', mutated)
        missed |= set(mutated) - numbers
    return files, [mutant for mutant in texts if mutant.number not in missed]


def prove(tree, mutants, jobs):
    """The mutants whose tests are there. Without mutants they must pass, else their failing means nothing."""
    catchers = sorted({mutant.by for mutant in mutants})
    if not tree.make(*catchers):
        raise Broken(f'the tree with all mutants does not build, see {tree.log}')
    with ThreadPoolExecutor(jobs) as pool:
        passed = pool.map(lambda by: tree.passes_whole(by, LOGS / f'{by}.log'), catchers)
        if not all(list(passed)):
            raise Broken(f'tests fail without mutants, too, see {LOGS}')
    names = {by: tree.names(by) for by in catchers}
    proven = [mutant for mutant in mutants if any(mutant.filter in name for name in names[mutant.by])]
    for mutant in mutants:
        if mutant not in proven:
            say('BROKEN', mutant, f': no test has {mutant.filter!r} in its name')
    return proven


def judge_woven(tree, mutant):
    begin = time.monotonic()
    log = LOGS / f'{mutant.name}.log'
    log.unlink(missing_ok=True)
    return tree.catches(mutant, log, mutant.number) and told('caught', mutant, begin)


def judge_alone(tree, mutant, texts):
    begin = time.monotonic()
    try:
        return told('caught' if tree.catches_alone(mutant, texts) else 'SURVIVED', mutant, begin)
    except Broken as broken:
        say('BROKEN', mutant, f': {broken}')
        return False


def judge_all(texts, wanted, jobs):
    """How many of those wanted are caught. All are woven, so that the build serves the next run too."""
    files, woven = weave_all(texts)
    tree = Tree(TOP, TOP / 'build-mutants', LOGS / 'tree.log')
    tree.prepare(files)
    wanted = prove(tree, [mutant for mutant in wanted if mutant in texts], jobs)
    with ThreadPoolExecutor(jobs) as pool:
        chosen = [mutant for mutant in woven if mutant in wanted]
        caught = {mutant for mutant, good in zip(chosen, pool.map(lambda mutant: judge_woven(tree, mutant), chosen)) if good}
    return len(caught) + sum(judge_alone(tree, mutant, texts[mutant]) for mutant in wanted if mutant not in caught)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    mutants = [Mutant(path) for path in sorted((TOP / 'tests/mutants').glob('*.patch'))]
    if len({mutant.number for mutant in mutants}) < len(mutants):
        sys.exit('two mutants have one number: give one of them another name')
    for name in set(args.names) - {mutant.name for mutant in mutants}:
        sys.exit(f'no mutant {name}')
    wanted = [mutant for mutant in mutants if not args.names or mutant.name in args.names]
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        caught = judge_all(readable(mutants), wanted, args.jobs)
    except Broken as broken:
        print(f'BROKEN   {broken}')
        caught = 0
    print(f'{caught} passed, {len(wanted) - caught} failed')
    return 0 if caught == len(wanted) else 1


if __name__ == '__main__':
    sys.exit(main())
