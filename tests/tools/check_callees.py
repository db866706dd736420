#!/usr/bin/env python3
"""usage: check_callees.py BYTECODE_TOOL [PYTHON...]

Holds src/bytecode/callee.c against the truth: every interpreter found compiles part of its own standard library, and its
own parser says what each call names. BYTECODE_TOOL must say the same from the instructions alone, or that it does not know:
of calls by a global name or an attribute it must know nine in ten. More in oracle.py.
"""
import sys

import oracle

# Runs in the interpreter that is asked: must be valid from Python 2.7 to 3.15. Which call in the source an instruction is,
# is told by positions from 3.11 on; before, only lines with one call and one such instruction are asked about.
DUMP = r'''
import ast, binascii, dis, glob, io, os, sys
version = sys.version_info[:2]
LIMIT = 400
MADE = """
def f(a, b, *c, **d):
    f(1, 2)
    a.method(b, key=1)
    a(f)
    a[0](1)
    f(lambda: 1)
    f([x for x in a], {1: 2}, (3, 4), b[1:2], -a, not b, "x" + "y")
    a.b.c.deep(1, a.d, b.e)
    f()
    a.b().c
    f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, k=1, l=2, m=3)
    f(a if b else 1)
"""

def codes_of(code):
    found = [code]
    for code in found:
        found.extend(c for c in code.co_consts if isinstance(c, type(code)))
    return found

def instructions(code):
    """(offset, opcode's name, line, position)"""
    lines, line = dict(dis.findlinestarts(code)), 0
    if version >= (3, 6):
        for i in dis.get_instructions(code):
            line = lines.get(i.offset, line)
            p = getattr(i, "positions", None)
            yield i.offset, i.opname, line, p and (p.lineno, p.end_lineno, p.col_offset, p.end_col_offset)
        return
    data, at = bytearray(code.co_code), 0
    while at < len(data):
        line = lines.get(at, line)
        yield at, dis.opname[data[at]], line, None
        at += 3 if data[at] >= dis.HAVE_ARGUMENT else 1

def is_call(name):
    return name in ("CALL", "CALL_KW", "CALL_FUNCTION", "CALL_METHOD", "CALL_FUNCTION_KW")

def keys_of(tree):
    """What calls there are: position or line -> their names; None: not by name."""
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", None))
        key = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) if version >= (3, 11) else node.lineno
        found.setdefault(key, []).append(name)
    return found

def several_lines(tree):
    """Before 3.11: lines on which something else may call, too."""
    found = set()
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", []):
            found.update(range(node.lineno - 1, node.lineno + 2)); found.add(decorator.lineno)
        if isinstance(node, (ast.ClassDef, ast.With, ast.Assert, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)):
            found.add(node.lineno)
    return found

def ask(source, path):
    tree = ast.parse(source)
    codes = codes_of(compile(source, path, "exec"))
    keys = keys_of(tree)
    bad = several_lines(tree) if version < (3, 11) else ()
    on_line = {}
    for code in codes:
        for offset, name, line, position in instructions(code):
            on_line[line] = on_line.get(line, 0) + ("CALL" in name and name != "PRECALL")
    for code in codes:
        rows = []
        for offset, name, line, position in instructions(code):
            key = position if version >= (3, 11) else line
            if not is_call(name) or line in bad or len(keys.get(key, ())) != 1 or (version < (3, 11) and on_line[line] != 1):
                continue
            wanted = keys[key][0]
            private = [n for n in code.co_names if wanted and wanted.startswith("__") and n.startswith("_") and n.endswith(wanted)]
            index = [i for i, n in enumerate(code.co_names) if n == wanted or n in private]
            rows.append((offset, ",".join(map(str, index)) or "-1"))
        if rows:
            hexed = binascii.hexlify(code.co_code).decode()
            print("callees %d %s %s" % (version[0] << 8 | version[1], hexed, " ".join(str(o) for o, _ in rows)))
            print("%s\t%s:%d" % (" ".join(e for _, e in rows), code.co_name, code.co_firstlineno))
            yield 1

def main():
    count = sum(ask(MADE, "made"))
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py"))):
        with io.open(path, "rb") as file:
            source = file.read()
        try:
            compile(source, path, "exec")
        except (SyntaxError, ValueError):
            continue
        count += sum(ask(source, path))
        if count > LIMIT:
            break
main()
'''
UNKNOWN_AT_MOST = 0.1
asked = {"all": 0, "unknown": 0}


def compare(question, ours, theirs):
    """Yields (whether it is a difference, words) for each call."""
    expected, name = theirs.split("\t")
    for offset, one, other in zip(question.split()[3:], ours.split(), expected.split(), strict=True):
        asked["all"] += other != "-1"
        asked["unknown"] += one == "-1" and other != "-1"
        yield one != "-1" and one not in other.split(","), f"{name} at {offset}: ours {one}, CPython's {other}"


if __name__ == "__main__":
    status = oracle.main(__doc__, DUMP, compare)
    print(f"{asked['unknown']} of {asked['all']} calls by name were not known")
    sys.exit(status or asked["unknown"] > UNKNOWN_AT_MOST * asked["all"])
