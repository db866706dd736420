#!/usr/bin/env python3
"""Writes src/bytecode/opcode_tables.h: what is known of each opcode of each version that is found.

    tools/layouts/opcodes.py             write it
    tools/layouts/opcodes.py --check     write nothing; status 1 when the file is not what the interpreters say

Interpreters are found as by generate.py. Numbers and names come from each version's headers, which list the specialized
opcodes too; cache entries from the headers' own table; the effect on the stack from dis.stack_effect() of the
interpreter itself. 2.7 has none: an opcode that 3.6 has under the same name takes 3.6's, which is the same."""
import json
import os
import re
import sys

from generate import ROOT, Failure, find_interpreters

OUTPUT = os.path.join(ROOT, "src", "bytecode", "opcode_tables.h")
PUSHES = re.compile(
    r"^(CALL|CALL_KW|CALL_FUNCTION_EX|FOR_ITER|SEND)$|"
    r"^(CALL_ADAPTIVE|CALL_PY_EXACT_ARGS|CALL_PY_WITH_DEFAULTS|CALL_PY_GENERAL|CALL_BOUND_METHOD_EXACT_ARGS|"
    r"CALL_BOUND_METHOD_GENERAL|CALL_ALLOC_AND_ENTER_INIT|BINARY_SUBSCR_GETITEM|LOAD_ATTR_PROPERTY|"
    r"LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN|FOR_ITER_GEN|SEND_GEN|ENTER_EXECUTOR)$")
# What moves entries about: where an entry came from cannot be followed through it by depth alone.
MOVES = re.compile(r"^(ROT_|DUP_|SWAP|COPY$)")
NOTHING = re.compile(r"^(NOP|CACHE|KW_NAMES|PRECALL|RESUME|POP_TOP)$")
CALLS = re.compile(r"^(PRE)?CALL(_.*)?$")
RESUMES = re.compile(r"^(FOR_ITER|SEND|YIELD_FROM)$")
NO_CALLS = re.compile(r"CALL_INTRINSIC|CALL_FINALLY")

# How many entries of the stack from the top down to what is called: least, and for each step of a call's argument. A
# NULL or a self lies on it from 3.13 on, and below it, or below its self, before. In 3.11 PRECALL has taken the
# arguments away before CALL.
CALLEES = {"CALL_FUNCTION": (1, 1), "CALL_METHOD": (2, 1), "CALL": (2, 1), "CALL_KW": (3, 1), "CALL_FUNCTION_KW": (2, 1)}

ASK = """
import dis, json, opcode, sys
jumps = set(dis.hasjrel) | set(dis.hasjabs) | set(getattr(dis, 'hasjump', ()))
effects, names = {}, {}
for name, number in opcode.opmap.items():
    if number > 255 or number in jumps or not hasattr(dis, 'stack_effect'):
        continue
    found = []
    for argument in range(16):
        try:
            found.append(dis.stack_effect(number, argument if number >= dis.HAVE_ARGUMENT else None))
        except ValueError:
            break
    effects[name] = found
# Where the index of a name is in the argument.
code = compile('''
def f(a):
    import b
    b.c; b.d(); e; e()
class C:
    def i(self):
        b.j; super().g(); super().h
e; e()
''', 'x', 'exec')
def look(code):
    for constant in code.co_consts:
        if hasattr(constant, 'co_names'):
            look(constant)
    for i in dis.get_instructions(code) if hasattr(dis, 'get_instructions') else ():
        if i.opcode in dis.hasname and i.opname.startswith('LOAD_') and i.arg is not None:
            where = [s for s in range(3) if i.arg >> s < len(code.co_names) and code.co_names[i.arg >> s] in str(i.argval).split()]
            names.setdefault(i.opname, []).append(where)
look(code)
print(json.dumps({'effects': effects, 'names': names, 'have_argument': dis.HAVE_ARGUMENT}))
"""


class Opcodes:
    """All opcodes of one version."""

    def __init__(self, interpreter):
        self.interpreter = interpreter
        self.text = self.read_headers()
        numbers = re.findall(r"^#define\s+([A-Z][A-Z0-9_]+)\s+(\d+)\b", self.text, re.M)
        skip = ("HAVE_ARGUMENT", "MIN_", "MAX_", "NB_", "EXCEPT_HANDLER", "PY_")
        self.numbers = {name: int(number) for name, number in numbers if int(number) < 256 and not name.startswith(skip)}
        self.caches = self.table("_PyOpcode_Caches", r"(\d+)")
        self.deopt = self.table("_PyOpcode_Deopt", r"([A-Z0-9_]+)")
        answer = json.loads(interpreter.run([interpreter.executable, "-c", ASK]))
        self.effects, self.have_argument = answer["effects"], answer["have_argument"]
        self.shifts = {name: self.shift(name, found) for name, found in answer["names"].items()}

    @property
    def version(self):
        return self.interpreter.version

    def read_headers(self):
        text = ""
        for folder in self.interpreter.includes:
            for name in ("opcode.h", "opcode_ids.h", "pycore_opcode.h", "pycore_opcode_metadata.h"):
                path = (self.interpreter.root or "") + folder + "/" + name
                if os.path.exists(path):
                    with open(path) as file:
                        text += file.read()
        return text

    def table(self, name, value):
        found = re.search(name + r"\[256\] = \{(.*?)\};", self.text, re.S)
        return dict(re.findall(r"\[([A-Z0-9_]+)\] = " + value, found[1])) if found else {}

    def shift(self, name, found):
        common = set(found[0]).intersection(*found)
        if not common:
            raise Failure(f"{self.interpreter.name}: where {name} has its name cannot be said")
        return max(common) if name != "LOAD_NAME" else min(common)

    def base(self, name):
        """The opcode that this one is a special form of."""
        plain = re.sub("^INSTRUMENTED_", "", name)
        return self.deopt.get(plain, plain)

    def effect(self, name, older):
        """C's words for it: kind, constant, slope."""
        if older and name.startswith("CALL_"):
            return ("EFFECT_CALL_27" if name == "CALL_FUNCTION" else "EFFECT_UNKNOWN"), 0, 0
        found = [] if MOVES.match(name) else (older or self).effects.get(name, [])
        if len(found) >= 2 and all(found[i] == found[0] + i * (found[1] - found[0]) for i in range(len(found))):
            return "EFFECT_LINEAR", found[0], found[1] - found[0]
        if len(found) >= 2 and all(found[i] == found[i & 1] for i in range(len(found))):
            return "EFFECT_LOW_BIT", found[0], found[1] - found[0]
        if len(found) >= 2 and all(found[i] == found[0] + bin(i).count("1") * (found[1] - found[0]) for i in range(len(found))):
            return "EFFECT_BITS", found[0], found[1] - found[0]
        return "EFFECT_UNKNOWN", 0, 0

    @staticmethod
    def puts(name, kind, names):
        """How many entries it leaves on the stack; a load by name two, when it puts a NULL or a self there, too."""
        if NOTHING.match(name):
            return "PUTS_NOTHING"
        if name == "LOAD_METHOD":
            return "PUTS_TWO"
        return "PUTS_TWO_IF_ODD" if names >= 0 and kind == "EFFECT_LOW_BIT" else 0

    def callee(self, name):
        if name not in CALLEES or (name == "CALL_FUNCTION_KW" and self.version < 0x0306):
            return 0, 0
        if name == "CALL" and self.version < 0x030D:
            return (1, 0) if "PRECALL" in self.numbers else (1, 1)
        return CALLEES[name]

    def rows(self, older):
        for name, number in sorted(self.numbers.items(), key=lambda item: item[1]):
            base, plain = self.base(name), re.sub("^INSTRUMENTED_", "", name)
            calls = bool(CALLS.match(plain)) and not NO_CALLS.search(plain)
            # A call that is specialized for C now may have pushed a frame before it was.
            pushes = bool(self.deopt) and (bool(PUSHES.match(plain)) or calls and not plain.startswith("PRECALL"))
            kind, constant, slope = self.effect(base, older)
            names = (older or self).shifts.get(base, -1)
            fields = [("caches", int(self.caches.get(base, 0))), ("pushes", int(pushes)), ("calls", int(calls)),
                      ("resumes", int(bool(RESUMES.match(base)))), ("extends", int(base == "EXTENDED_ARG")),
                      ("name_shift", names + 1), ("puts", self.puts(base, kind, names)), ("effect_kind", kind if kind != "EFFECT_UNKNOWN" else 0),
                      ("effect", constant), ("effect_slope", slope),
                      ("callable", self.callee(base)[0]), ("callable_slope", self.callee(base)[1])]
            words = ", ".join(f".{field} = {value}" for field, value in fields if value)
            yield f"\t\t[{number}] = {{ {words} }}, /* {name} */" if words else None


HEAD = """/* opcode_tables.h: generated by tools/layouts/opcodes.py, do not edit.
 *
 * From %s. An opcode that is not
 * named has no effect that is known. */
#pragma once
#include "bytecode/opcode.h"

"""


def write(all_opcodes):
    lines = [HEAD % ", ".join(opcodes.interpreter.text for opcodes in all_opcodes)]
    lines.append("static const struct opcode_table opcode_tables[] = {\n")
    three_six = next((opcodes for opcodes in all_opcodes if opcodes.version == 0x0306), None)
    for opcodes in all_opcodes:
        older = three_six if opcodes.version < 0x0306 else None
        lines.append(f"\t{{ .version = 0x{opcodes.version:04x}, .have_argument = {opcodes.have_argument}, .opcodes = {{\n")
        lines += [row + "\n" for row in opcodes.rows(older) if row]
        lines.append("\t} },\n")
    lines.append("};\n")
    return "".join(lines)


def main():
    newest = {}
    for interpreter in find_interpreters([]):
        if interpreter.free_threaded:
            continue
        known = newest.get(interpreter.version)
        if not known or known.hex < interpreter.hex:
            newest[interpreter.version] = interpreter
    text = write([Opcodes(newest[version]) for version in sorted(newest)])
    if "--check" in sys.argv[1:]:
        with open(OUTPUT) as file:
            return file.read() != text
    with open(OUTPUT, "w") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(str(failure))
