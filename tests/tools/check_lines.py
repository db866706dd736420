#!/usr/bin/env python3
"""usage: check_lines.py BYTECODE_TOOL [PYTHON...]

Holds src/bytecode/lines.c against the truth: every interpreter found compiles part of its own standard library, tells
for each instruction where it stands (co_positions, co_lines, dis.findlinestarts), and BYTECODE_TOOL must say the same from
the raw table. More in oracle.py.
"""
import sys

import oracle

# Runs in the interpreter that is asked: must be valid from Python 2.7 to 3.15.
DUMP = r'''
import binascii, dis, glob, io, os, sys
version = sys.version_info[:2]
KIND = 4 if version >= (3, 11) else 3 if version >= (3, 10) else 2 if version >= (3, 0) else 1
LIMIT = 400

# What the standard library has few of: an expression over many lines, long gaps, steps back, columns beyond 255.
MADE = [
    "def f(a):\n    return [\n        x\n        for x in a\n        if x\n    ]\n",
    "def f(a):\n    x = (a +\n" + "\n" * 300 + "        1)\n    return x\n",
    "def f(a):\n" + " " * 4 + "return [" + "a, " * 300 + "]\n",
    "def f(a):\n    return (\n        a(1),\n        a(2)\n    )[\n        0]\n",
    "\n" * 70000 + "def f(a):\n    yield a\n    a(3)\n",
    "x = 1\n" * 600,
    "async def f(a):\n    async with a as b:\n        await b\n" if version >= (3, 5) else "pass\n",
    "def f():\n    try:\n        g()\n    except E as e:\n        pass\n    finally:\n        h()\n",
]

def codes_of(code):
    found = [code]
    for code in found:
        found.extend(c for c in code.co_consts if isinstance(c, type(code)))
    return found

def compiled():
    for source in MADE:
        for code in codes_of(compile(source, "made", "exec")):
            yield code
    where = os.path.dirname(os.__file__)
    for path in sorted(glob.glob(os.path.join(where, "*.py"))):
        with io.open(path, "rb") as file:
            try:
                codes = codes_of(compile(file.read(), path, "exec"))
            except (SyntaxError, ValueError):
                continue
        for code in codes[::5]:
            yield code

def spread(starts, end, step):
    """Line starts to a line for each instruction."""
    starts = list(starts)
    for number, (at, line) in enumerate(starts):
        until = starts[number + 1][0] if number + 1 < len(starts) else end
        for offset in range(at, until, step):
            yield offset, (line, line, -1, -1)

def expected(code):
    size = len(code.co_code)
    if KIND == 4:
        def place(p):
            known = p[2] is not None
            return (p[0] or 0, p[1] or 0, p[2] if known else -1, p[3] if known else -1)
        return [(2 * i, place(p)) for i, p in enumerate(code.co_positions())]
    if KIND == 3:
        return [(at, (line or 0, line or 0, -1, -1)) for start, end, line in code.co_lines() for at in range(start, end, 2)]
    return list(spread(dis.findlinestarts(code), size, 1 if KIND == 1 else 2))

for number, code in enumerate(compiled()):
    if number == LIMIT:
        break
    table = code.co_linetable if KIND >= 3 else code.co_lnotab
    first = (code.co_firstlineno, code.co_firstlineno, -1, -1)
    rows = [(-1, first)] + expected(code)
    hexed = binascii.hexlify(table).decode() or "-"
    print("lines %d %d %s %s" % (KIND, code.co_firstlineno, hexed, " ".join(str(at) for at, _ in rows)))
    print("%s\t%s:%d" % (" ".join("%d,%d,%d,%d" % place for _, place in rows), code.co_name, code.co_firstlineno))
'''


def compare(question, ours, theirs):
    """Yields (whether it is a difference, words) for each instruction."""
    places, name = theirs.split("\t")
    for offset, one, other in zip(question.split()[4:], ours.split(), places.split(), strict=True):
        yield one != other, f"{name} at {offset}: ours {one}, CPython's {other}"


if __name__ == "__main__":
    sys.exit(oracle.main(__doc__, DUMP, compare))
