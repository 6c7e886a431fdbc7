#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_abi.py [--write] LIBRARY LIST HEADER...: what a program that was built with the headers relies on is as the list says: each
function with its version and prototype, each struct with its members' places, each constant with its value. What is in the list may
never change or go; what is new is to be put there (--write). Prints each fault, last line `N passed, N failed`."""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def text_of(header):
    with open(header, encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def compiled(directory, headers, body, *options):
    source = os.path.join(directory, "abi.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write("#include <stddef.h>\n#include <stdio.h>\n" + "".join(f'#include "{os.path.realpath(h)}"\n' for h in headers) + body)
    return output(os.environ.get("CC", "cc"), "-std=c11", f"-I{TOP}/include", *options, source, "-o", os.path.join(directory, "abi"))


def functions(directory, library, headers):
    """Prototypes by the compiler's word."""
    compiled(directory, headers, "", "-fsyntax-only", "-aux-info", os.path.join(directory, "prototypes"))
    with open(os.path.join(directory, "prototypes"), encoding="utf-8") as file:
        prototypes = re.findall(r"\*/ extern (.*?\b(\w+) \(.*\));", file.read())
    versions = dict(re.findall(r" T (\w+)@@(\S+)", output("nm", "-D", "--defined-only", "--with-symbol-versions", library)))
    for prototype, name in prototypes:
        if name in versions:
            yield f"{versions.pop(name)} {prototype}"
    yield from (f"{version} {name} without a prototype" for name, version in versions.items())


def layout(text):
    """Statements that print where members are, and the values of constants."""
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text, re.S | re.M):
        yield f'printf("struct {name}: %zu octets\\n", sizeof(struct {name}));'
        for member in re.findall(r"(\w+)(?:\[\w+\])?[;,]", body):
            yield f'printf("struct {name}: {member} at %zu, %zu octets\\n", offsetof(struct {name}, {member}), sizeof(((struct {name} *)0)->{member}));'
    names = [name for body in re.findall(r"^enum \w* ?\{(.*?)\};", text, re.S | re.M) for name in re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", body.strip())]
    names += re.findall(r"^#define (?!IPSEC_API_VERSION )(\w+) [0-9]", text, re.M)  # the version grows
    yield from (f'printf("{name} = %lld\\n", (long long){name});' for name in names)
    yield from (f'printf("{name} = \\"%s\\"\\n", {name});' for name in re.findall(r'^#define (\w+) "', text, re.M))


def found(library, headers):
    with tempfile.TemporaryDirectory() as directory:
        facts = set(functions(directory, library, headers))
        statements = [line for header in headers for line in layout(text_of(header))]
        compiled(directory, headers, "int main(void) {\n" + "\n".join(statements) + "\nreturn 0;\n}\n")
        return facts | set(output(os.path.join(directory, "abi")).splitlines())


def main():
    write = sys.argv[1] == "--write"
    library, path, *headers = sys.argv[2:] if write else sys.argv[1:]
    facts = found(library, headers)
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in sorted(facts)))
    with open(path, encoding="utf-8") as file:
        listed = set(file.read().splitlines())
    faults = [f"changed or gone: {line}" for line in sorted(listed - facts)] + [f"not in {path}: {line}" for line in sorted(facts - listed)]
    print("\n".join(faults + [f"{len(listed & facts)} passed, {len(faults)} failed"]))
    return 1 if faults or not listed else 0


if __name__ == "__main__":
    sys.exit(main())
