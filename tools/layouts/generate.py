#!/usr/bin/env python3
"""Writes what src/cpython knows of CPython's structs, from each version's own headers.

    tools/layouts/generate.py                  write the three headers, after comparing them with live interpreters
    tools/layouts/generate.py --check          write nothing; status 1 when a header is not what the interpreters say
                                               that are here; the rows of other versions are left alone
    tools/layouts/generate.py --python EXE     one more interpreter, with its headers; may be repeated

It looks for interpreters in $PYENV_ROOT (default ~/.pyenv) and in the tree that tools/make-sid.sh makes (PYROMETER_SID,
default .sid; used through chroot, as root). probe.c is compiled against the headers of each, and each runs
live_check.py. Where a version is there in several patch levels, the newest makes the row, and what moved is printed.
"""
import argparse
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CPYTHON = os.path.join(ROOT, "src", "cpython")
# What the agent reads and writes in its own process, of versions without sys.monitoring; it includes nothing of src/cpython.
AGENT = "../agent/python/layouts.h"
AGENT_VERSIONS = range(0x0308, 0x030C)
AGENT_FIELDS = """runtime.tracing_possible interp.tracing_possible interp.eval_frame interp.threads_made tstate.interp tstate.number tstate.tracing tstate.use_tracing tstate.profile_function
    tstate.profile_object tstate.trace_function tstate.dict tstate.cframe cframe.use_tracing pyframe.code pyframe.lasti pyframe.stacktop
    pyframe.state pyframe.iframe pyframe.lineno pyframe.trace_lines iframe.executable iframe.instruction iframe.owner code.code_adaptive code.first_traceable
    generator.frame generator.state""".split()
# What a row holds where the version has no such field; the value of LAYOUT_NONE.
NONE = 2**32 - 1
OLDEST, NEWEST = (2, 7), (3, 15)
DEBUG_OFFSETS_SINCE = 0x030D
# From here on a free-threaded row can be had from the ordinary headers: compiled with Py_GIL_DISABLED, as pyconfig.h of
# such a build does. (3.13's can too; it is taken from a real build because one can be made here.)
FREE_THREADED_SINCE = 0x030D

ASK = """
import json, sys, sysconfig
paths = sysconfig.get_paths()
print(json.dumps({
    "hex": sys.hexversion, "text": sys.version.split()[0].rstrip("+"),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "includes": [paths["include"], paths.get("platinclude", paths["include"])],
    "core_flags": sysconfig.get_config_var("PY_CORE_CFLAGS") or ""}))
"""


class Failure(Exception):
    """Ends the program with a sentence."""


class Interpreter:
    """A CPython with its headers, maybe inside another root."""

    def __init__(self, executable, root=None):
        self.executable, self.root = executable, root
        facts = json.loads(self.run([executable, "-c", ASK]))
        self.hex, self.text, self.free_threaded = facts["hex"], facts["text"], facts["free_threaded"]
        # Some structs depend on what only the makefile says: _Py_TIER2, of a build with the JIT compiler.
        self.definitions = re.findall(r"-D(_Py_\S+)", facts["core_flags"])
        self.includes = [path + sub for path in dict.fromkeys(facts["includes"])
                         for sub in ("", "/internal", "/internal/mimalloc")]

    @property
    def version(self):
        return self.hex >> 16

    @property
    def name(self):
        return self.text + ("t" if self.free_threaded else "")

    @property
    def has_headers(self):
        return any(os.path.exists((self.root or "") + path + "/Python.h") for path in self.includes)

    def run(self, command, text=None):
        if self.root:
            command = ["chroot", self.root, *command]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode:
            what = next(word for word in command if word not in ("chroot", self.root))
            raise Failure(f"{self.executable}: {what} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        return done.stdout

    def probe(self, definitions):
        """The lines that probe.c prints, compiled with this interpreter's headers."""
        with open(os.path.join(HERE, "probe.c")) as file:
            source = file.read()
        outside = tempfile.mkdtemp(dir=(self.root or "") + "/tmp")
        try:
            program = outside[len(self.root or ""):] + "/probe"
            flags = ["-I" + path for path in self.includes] + ["-D" + name for name in definitions]
            self.run(["gcc", "-std=gnu11", "-w", *flags, "-x", "c", "-", "-o", program], source)
            return [line.split() for line in self.run([program]).splitlines()]
        finally:
            shutil.rmtree(outside)


class Row:
    """All that one build's headers say."""

    def __init__(self, interpreter, lines, fields, assumed_free_threaded=False):
        self.interpreter = interpreter
        self.version = interpreter.version
        self.free_threaded = interpreter.free_threaded or assumed_free_threaded
        self.assumed = assumed_free_threaded
        self.values, self.published, self.head = {}, {}, {}
        for kind, name, *numbers in lines:
            numbers = [int(number) for number in numbers]
            if kind == "head":
                self.head[name] = numbers[0]
                continue
            if name not in fields:
                raise Failure(f"probe.c prints {name}, which layout.def does not name")
            if kind == "layout":
                self.values[name] = numbers[0]
                if not 0 <= numbers[0] < NONE:
                    raise Failure(f"{name} of {interpreter.name} is {numbers[0]}: too large for struct layout")
            else:
                self.published[name] = numbers

    @property
    def key(self):
        return self.version, self.free_threaded

    @property
    def source(self):
        """What the generated headers say of it."""
        if self.assumed:
            return f"{self.interpreter.text} with Py_GIL_DISABLED defined (never compared with a running one)"
        return self.interpreter.name + (" free-threaded" if self.free_threaded else "")


def read_fields():
    """'group.field' in the order of layout.def."""
    with open(os.path.join(CPYTHON, "layout.def")) as file:
        matches = re.findall(r"^LAYOUT_FIELD\((\w+), (\w+)\)", file.read(), re.MULTILINE)
    fields = [".".join(match) for match in matches]
    twice = [name for name, count in collections.Counter(fields).items() if count > 1]
    if twice:
        raise Failure(f"layout.def names twice: {', '.join(twice)}")
    return fields


def by_group(fields):
    groups = {}
    for name in fields:
        group, field = name.split(".")
        groups.setdefault(group, []).append(field)
    return groups


def find_interpreters(extra):
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    sid = os.environ.get("PYROMETER_SID") or os.path.join(ROOT, ".sid")
    places = [(path, None) for path in glob.glob(os.path.join(glob.escape(pyenv), "versions", "*", "bin", "python"))]
    inside = glob.glob(os.path.join(glob.escape(sid), "usr/bin/python3.[0-9]*")) + glob.glob(
        os.path.join(glob.escape(sid), "opt/python3*/bin/python3.*t"))
    inside = [path for path in inside if re.search(r"/python3\.\d+t?$", path)]
    if inside and os.geteuid() != 0:
        print("not root: the interpreters of the sid tree are left out", file=sys.stderr)
    else:
        places += [(path[len(sid):], sid) for path in inside]
    places += [(path, None) for path in extra]
    found = []
    for path, root in places:
        interpreter = Interpreter(path, root)
        if not OLDEST <= (interpreter.version >> 8, interpreter.version & 255) <= NEWEST:
            continue
        if not interpreter.has_headers:
            print(f"{interpreter.name}: no headers, left out", file=sys.stderr)
            continue
        found.append(interpreter)
    return found


def make_rows(interpreters, fields):
    """All rows, oldest first; a free-threaded one is derived where no such interpreter was found."""
    rows = [Row(interpreter, interpreter.probe(interpreter.definitions), fields) for interpreter in interpreters]
    real = {row.key for row in rows}
    for interpreter in interpreters:
        if interpreter.version >= FREE_THREADED_SINCE and (interpreter.version, True) not in real:
            lines = interpreter.probe(["Py_GIL_DISABLED=1"])
            rows.append(Row(interpreter, lines, fields, assumed_free_threaded=True))
    return sorted(rows, key=lambda row: (*row.key, row.interpreter.hex))


def choose(rows):
    """One row a version; what differs between its patch levels is printed."""
    chosen = {}
    for row in rows:
        older = chosen.get(row.key)
        chosen[row.key] = row
        if not older:
            continue
        names = sorted(older.values.keys() | row.values.keys())
        changed = [f"{name} {older.values.get(name)} -> {row.values.get(name)}"
                   for name in names if older.values.get(name) != row.values.get(name)]
        if (older.published, older.head) != (row.published, row.head):
            changed.append("_Py_DebugOffsets itself")
        print(f"{older.interpreter.name} -> {row.interpreter.name}: {'; '.join(changed) or 'no field moved'}")
    return list(chosen.values())


def check_live(rows):
    """Lets each interpreter compare its row with itself."""
    with open(os.path.join(HERE, "live_check.py")) as file:
        program = file.read()
    failed = False
    for row in rows:
        if row.assumed:
            continue
        facts = {"values": row.values, "published": row.published, "head": row.head}
        unchecked = set(row.values)
        for options in (["-X", "gil=0"], ["-X", "gil=1"]) if row.free_threaded else ([],):
            command = [row.interpreter.executable, *options, "-c", program, json.dumps(facts)]
            result = json.loads(row.interpreter.run(command).splitlines()[-1])
            unchecked -= set(result["checked"])
            for sentence in result["wrong"]:
                failed = True
                print(f"{row.interpreter.name}: WRONG: {sentence}", file=sys.stderr)
        count = len(row.values)
        print(f"{row.interpreter.name}: {count - len(unchecked)} of {count} fields compared with the "
              f"running interpreter, {result['published']} with _Py_DebugOffsets, {result['members']} with tp_members; "
              f"not: {', '.join(sorted(unchecked)) or 'none'}")
    if failed:
        raise Failure("the table and a running interpreter differ")


def heading(name, what, rows):
    lines = [f"/* {name}: generated by tools/layouts/generate.py, do not edit.", " *", f" * {what}"]
    if rows:
        lines += [" *", " * The rows come from the headers of these versions, x86-64:"]
        lines += [f" *   {row.source}" for row in rows]
    lines[-1] += " */"
    return lines


def write_groups(fields):
    lines = heading("layout_groups.h", "The members of struct layout, a group for each of CPython's structs.", [])
    for group, names in by_group(fields).items():
        lines += ["struct {", *(f"\tuint32_t {name};" for name in names), f"}} {group};"]
    return lines


def write_row(fields, row):
    lines = ["\t{", f"\t\t.version = 0x{row.version:04x}, /* {row.source} */",
             f"\t\t.free_threaded = {str(row.free_threaded).lower()},"]
    for group, names in by_group(fields).items():
        values = [f".{name} = {row.values.get(f'{group}.{name}', 'LAYOUT_NONE')}" for name in names]
        lines += wrapped(f"\t\t.{group} = {{ ", values, " },")
    return lines + ["\t},"]


def write_layouts(fields, rows):
    lines = heading("layouts.h", "For each version where its structs' fields lie, newest last.", rows)
    lines += ["", "static const struct layout layouts[] = {"]
    for row in rows:
        lines += write_row(fields, row)
    return lines + ["};"]


def write_agent_row(row):
    values = [f".{name.replace('.', '_')} = {row.values.get(name, 'LAYOUT_NONE')}" for name in AGENT_FIELDS]
    return [f"\t/* {row.source} */", *wrapped("\t{ ", [f".version = 0x{row.version:04x}", *values], " },")]


def write_agent(rows):
    rows = [row for row in rows if row.version in AGENT_VERSIONS]
    lines = heading("layouts.h", "Where the agent finds what it needs of CPython's structs, in versions without sys.monitoring.", rows)
    lines += ["#pragma once", "#include <stdint.h>", "", "#define LAYOUT_NONE UINT32_MAX", "", "struct layout {",
              "\tuint32_t version; /* major << 8 | minor */",
              *(f"\tuint32_t {name.replace('.', '_')};" for name in AGENT_FIELDS), "};", "",
              "static const struct layout layouts[] = {"]
    for row in rows:
        lines += write_agent_row(row)
    return lines + ["};"]


def wrapped(start, words, end):
    """`start` word, word `end`, in lines of at most 120 columns with tabs of 8."""
    one = start + ", ".join(words) + end
    if len(one.expandtabs(8)) <= 120:
        return [one]
    indent = re.match(r"\t*", start).group() + "\t"
    lines = [start.rstrip()]
    for word in words:
        if lines[-1].startswith(indent) and len(f"{lines[-1]} {word},".expandtabs(8)) <= 120:
            lines[-1] += f" {word},"
        else:
            lines.append(f"{indent}{word},")
    return lines + [indent[:-1] + end.strip()]


TABLE_TYPES = """
#include <stddef.h>
#include <stdint.h>
#include "cpython/layout.h"

#define DEBUG_OFFSETS_NONE UINT16_MAX

/* One field of struct layout and the u64 of _Py_DebugOffsets that tells it: the value is
 * u64[source] + u64[plus] - u64[minus], where DEBUG_OFFSETS_NONE stands for nothing. A field for which the row of
 * layouts[] holds LAYOUT_NONE does not exist in that build: 0 is published for it, and it must stay LAYOUT_NONE. */
struct debug_offsets_field {
	uint16_t field; /* offset of the uint32_t in struct layout */
	uint16_t source, plus, minus;
};

/* The form of _Py_DebugOffsets in one version, free-threaded or not. */
struct debug_offsets_map {
	uint16_t version;                              /* major << 8 | minor */
	uint16_t size;                                 /* sizeof(_Py_DebugOffsets) */
	uint16_t cookie, version_hex, free_threaded;   /* offsets in it: char[8] "xdebugpy", then two u64 */
	uint16_t field_count;
	const struct debug_offsets_field *fields;
};
"""


def write_map(fields, version, published):
    lines = [f"static const struct debug_offsets_field debug_offsets_fields_{version:04x}[] = {{"]
    for name in fields:
        if name in published:
            numbers = ["DEBUG_OFFSETS_NONE" if number < 0 else str(number) for number in published[name]]
            lines += wrapped("\t{ ", [f"offsetof(struct layout, {name})", *numbers], " },")
    return lines + ["};"]


def write_debug_offsets(fields, rows):
    maps = {}
    for row in rows:
        if row.version >= DEBUG_OFFSETS_SINCE:
            form = (row.head, row.published)
            if maps.setdefault(row.version, form) != form:
                raise Failure(f"_Py_DebugOffsets of {row.interpreter.name} differs between its builds")
    sources = [row for row in rows if row.version >= DEBUG_OFFSETS_SINCE]
    what = "Where _Py_DebugOffsets tells the fields of struct layout, by version."
    lines = heading("debug_offsets_table.h", what, sources)
    lines += ["#pragma once", *TABLE_TYPES.strip().splitlines()]
    for version, (_, published) in maps.items():
        lines += ["", *write_map(fields, version, published)]
    lines += ["", "static const struct debug_offsets_map debug_offsets_maps[] = {"]
    for version, (head, published) in maps.items():
        lines += wrapped("\t{ ", [
            f".version = 0x{version:04x}", f".size = {head['size']}", f".cookie = {head['cookie']}",
            f".version_hex = {head['version']}", f".free_threaded = {head['free_threaded']}",
            f".field_count = {len(published)}", f".fields = debug_offsets_fields_{version:04x}"], " },")
    return lines + ["};"]


def on_disk(name):
    try:
        with open(os.path.join(CPYTHON, name)) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def check_disk(fields, rows):
    """Fails unless each row and map of the interpreters here stands in the headers as it would be written."""
    layouts, maps = on_disk("layouts.h"), on_disk("debug_offsets_table.h")
    stale = [] if on_disk("layout_groups.h") == as_text(write_groups(fields)) else ["layout_groups.h"]
    for row in rows:
        if f" /* {row.source} */" not in layouts:
            print(f"{row.source}: layouts.h has no row of this patch level, or none of this version")
        elif as_text(write_row(fields, row)) not in layouts:
            stale.append(f"layouts.h, {row.source}")
        elif row.version in AGENT_VERSIONS and as_text(write_agent_row(row)) not in on_disk(AGENT):
            stale.append(f"agent/python/layouts.h, {row.source}")
        if row.version >= DEBUG_OFFSETS_SINCE and as_text(write_map(fields, row.version, row.published)) not in maps:
            stale.append(f"debug_offsets_table.h, {row.source}")
    if stale:
        raise Failure(f"out of date: {'; '.join(stale)}")


def refuse_loss(rows):
    """A machine with fewer interpreters must not make the table poorer."""
    here = {row.key for row in rows}
    pattern = r"\.version = 0x(\w+), .*\n\s*\.free_threaded = (\w+)"
    lost = [f"{int(version, 16) >> 8}.{int(version, 16) & 255}{'t' if free_threaded == 'true' else ''}"
            for version, free_threaded in re.findall(pattern, on_disk("layouts.h"))
            if (int(version, 16), free_threaded == "true") not in here]
    if lost:
        raise Failure(f"not written, since the rows of {', '.join(lost)} would be lost: no such interpreter is here")


def as_text(lines):
    return "\n".join(lines) + "\n"


def put(name, lines):
    text = as_text(lines)
    if on_disk(name) == text:
        return
    path = os.path.join(CPYTHON, name)
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)
    print(f"src/cpython/{name} written")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when a header is out of date")
    parser.add_argument("--python", action="append", default=[], metavar="EXE", help="one more interpreter")
    options = parser.parse_args()
    fields = read_fields()
    rows = make_rows(find_interpreters(options.python), fields)
    if not rows:
        raise Failure("no CPython with headers found")
    never = [name for name in fields if not any(name in row.values for row in rows)]
    if never:
        print(f"in no version found here: {', '.join(never)}")
    check_live(rows)
    if options.check:
        check_disk(fields, rows)
        return
    rows = choose(rows)
    refuse_loss(rows)
    put("layout_groups.h", write_groups(fields))
    put("layouts.h", write_layouts(fields, rows))
    put("debug_offsets_table.h", write_debug_offsets(fields, rows))
    put(AGENT, write_agent(rows))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"generate.py: {failure}")
