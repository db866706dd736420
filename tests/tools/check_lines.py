#!/usr/bin/env python3
"""usage: check_lines.py LINES_TOOL [PYTHON...]

Holds src/bytecode/lines.c against the truth: every interpreter found compiles part of its own standard library, tells
for each instruction where it stands (co_positions, co_lines, dis.findlinestarts), and LINES_TOOL must say the same from
the raw table. Interpreters: those given, else those under $PYENV_ROOT/versions, on PATH and in $PYROMETER_SID.
Prints a row for each. Status 1 when one differs, or when one that $PYROMETER_REQUIRE_PYTHONS names ("2.7 3.13") is not
there; 77 (skipped) when no interpreter was found.
"""
import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

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
    print("%d %d %s %s" % (KIND, code.co_firstlineno, hexed, " ".join(str(at) for at, _ in rows)))
    print("%s\t%s:%d" % (" ".join("%d,%d,%d,%d" % place for _, place in rows), code.co_name, code.co_firstlineno))
'''


def interpreters():
    found = {}
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    candidates = glob.glob(os.path.join(root, "versions", "*", "bin", "python"))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if "shims" not in folder:
            candidates += glob.glob(os.path.join(folder, "python[23]")) + glob.glob(os.path.join(folder, "python[23].[0-9]*[0-9]"))
    for path in sorted(candidates) + [sys.executable]:
        found.setdefault(os.path.realpath(path), [path])
    sid = os.environ.get("PYROMETER_SID") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".sid")
    if os.geteuid() == 0:
        for name in sorted(glob.glob(os.path.join(sid, "usr/bin/python3.1[0-9]"))):
            found["sid:" + name] = ["chroot", os.path.realpath(sid), "/usr/bin/" + os.path.basename(name)]
    return list(found.values())


def check(tool, python):
    """(label, number of instructions compared, list of differences), or None when it does not run."""
    label = subprocess.run(python + ["-c", "import sys; print(sys.version.split()[0])"], capture_output=True, text=True)
    if label.returncode:
        return None
    run = subprocess.run(python + ["-c", DUMP], capture_output=True, text=True)
    if run.returncode:
        return label.stdout.strip(), 0, 0, run.stderr.splitlines()
    dump = run.stdout.splitlines()
    asked, truth = dump[0::2], dump[1::2]
    got = subprocess.run([tool], input="\n".join(asked) + "\n", capture_output=True, text=True, check=True).stdout.splitlines()
    different, compared = [], 0
    if len(got) != len(truth):
        different.append(f"{len(got)} answers for {len(truth)} questions")
    for question, ours, theirs in zip(asked, got, truth):
        places, name = theirs.split("\t")
        offsets = question.split()[3:]
        for offset, one, other in zip(offsets, ours.split(), places.split(), strict=True):
            compared += 1
            if one != other:
                different.append(f"{name} at {offset}: ours {one}, CPython's {other}")
    return label.stdout.strip(), len(truth), compared, different


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    pythons = [[p] for p in sys.argv[2:]] or interpreters()
    with ThreadPoolExecutor(2) as pool:
        results = [r for r in pool.map(lambda p: check(sys.argv[1], p), pythons) if r]
    if not results and not os.environ.get("PYROMETER_REQUIRE_PYTHONS"):
        print("check_lines: no Python found; skipped")
        return 77
    for label, codes, compared, different in sorted(results):
        print(f"{label:10} {codes:4} code objects {compared:7} instructions  {'DIFFERS' if different else 'equal'}")
        for line in different[:5]:
            print("   ", line)
    required = os.environ.get("PYROMETER_REQUIRE_PYTHONS", "").replace(",", " ").split()
    missing = [v for v in required if not any(r[0] == v or r[0].startswith(v + ".") for r in results)]
    for version in missing:
        print(f"{version:10} MISSING, and required")
    return 1 if missing or any(r[3] for r in results) else 0


if __name__ == "__main__":
    sys.exit(main())
