# SPDX-License-Identifier: MIT
"""Many mutants in one source: a function that a mutant changes gets that mutant's body beside its own, and which one runs is chosen
when the program starts (woven.h). What stands outside of functions' bodies cannot be chosen so and needs a build of its own.

>>> text = '''int f(int a) {
...   return a; // }
... }
... X::X() : a_{1}, b_(2) { g(); }
... '''
>>> [text[begin:end] for begin, end in bodies(text)]
['\\n  return a; // }\\n', ' g(); ']
>>> woven, numbers = weave(text, {1: text.replace('return a', 'return 0'), 2: text.replace('b_(2)', 'b_(3)'), 3: text.replace('g()', '')})
>>> sorted(numbers)
[1, 3]
>>> print(woven.replace(' ', ''))
#include"tests/mutants/woven.h"
#line1
intf(inta){if(woven::is(1)){
return0;//}
<BLANKLINE>
}else{
returna;//}
<BLANKLINE>
}}
X::X():a_{1},b_(2){if(woven::is(3)){;
}else{g();
}}
<BLANKLINE>
"""
import difflib
import re

TOKEN = re.compile(r'''
    (?P<skip> //[^\n]* | /\*.*?\*/ | ^[ \t]*\#(?:[^\n\\]|\\.)* | [ \t\n]+ )
  | (?P<literal> R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)" | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)+' )
  | (?P<word> [A-Za-z_0-9]+(?:'[0-9a-fA-F]+)* | . )''', re.X | re.S | re.M)
SCOPES = {'namespace', 'struct', 'class', 'union', 'enum'}


def tokens(text):
    """(word or sign, where it stands); a literal is an empty string, comments and directives are nothing."""
    return [(match[0] if match.lastgroup == 'word' else '""', match.start())
            for match in TOKEN.finditer(text) if match.lastgroup != 'skip']


def opened_by(head):
    """What the brace behind these words opens: a scope, whose inside is looked at, a function's body, or some value."""
    depth, outside, parameters = 0, [], False
    for word in head:
        if word in '([':
            depth += 1
            parameters = True
        if depth == 0:
            outside.append(word)
        if word in ')]':
            depth -= 1
    if 'template' in outside and '>' in outside:
        outside = outside[outside.index('>'):]
    if SCOPES.intersection(outside) or outside == ['extern', '""']:
        return 'scope'
    return 'body' if parameters and depth == 0 and ('=' not in outside or 'operator' in outside) else 'value'


def bodies(text):
    """Where the insides of functions' bodies begin and end."""
    found, open_braces, head = [], [], []
    words = tokens(text)
    for index, (word, at) in enumerate(words):
        within = open_braces[-1][0] if open_braces else 'scope'
        if word == '{':
            open_braces.append((opened_by(head) if within == 'scope' else 'inner', at + 1))
            if open_braces[-1][0] == 'scope':
                head = []
        elif word == '}':
            if not open_braces:
                return []
            kind, begin = open_braces.pop()
            following = words[index + 1][0] if index + 1 < len(words) else ''
            initializer = following in (',', '{')  # of a constructor's member
            if kind == 'body' and not initializer:
                found.append((begin, at))
                head = []
        elif within == 'scope':
            head = [] if word == ';' else head + [word]
    return [] if open_braces else found


def changes(before, after):
    """(begin, end, text): what to put in the place of before[begin:end]."""
    old, new = before.splitlines(True), after.splitlines(True)
    begins = [0]
    for line in old:
        begins.append(begins[-1] + len(line))
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == 'equal':
            continue
        begin, end, text = begins[a], begins[b], ''.join(new[c:d])
        while begin < end and text and before[begin] == text[0]:
            begin, text = begin + 1, text[1:]
        while begin < end and text and before[end - 1] == text[-1]:
            end, text = end - 1, text[:-1]
        yield begin, end, text


def changed_bodies(text, insides, mutated):
    """{inside: its text in the mutant}, or None if something else is changed, too."""
    changed = {}
    for begin, end, new in changes(text, mutated):
        inside = next((inside for inside in insides if inside[0] <= begin and end <= inside[1]), None)
        if inside is None:
            return None
        changed.setdefault(inside, []).append((begin, end, new))
    made = {}
    for (first, last), parts in changed.items():
        made[first, last], at = '', first
        for begin, end, new in parts:
            made[first, last] += text[at:begin] + new
            at = end
        made[first, last] += text[at:last]
    return made


def weave(text, mutants):
    """The source with all mutants {number: its text} that can be chosen when the program runs, and their numbers."""
    insides = bodies(text)
    choices, numbers = {}, set()
    for number, mutated in mutants.items():
        made = changed_bodies(text, insides, mutated)
        if made:
            numbers.add(number)
            for inside, body in made.items():
                choices.setdefault(inside, []).append((number, body))
    for (begin, end), bodies_made in sorted(choices.items(), reverse=True):
        branches = ''.join(f' if (woven::is({number})) {{{body}\n}} else' for number, body in bodies_made)
        text = f'{text[:begin]}{branches} {{{text[begin:end]}\n}}{text[end:]}'
    return f'#include "tests/mutants/woven.h"\n#line 1\n{text}' if numbers else text, numbers
