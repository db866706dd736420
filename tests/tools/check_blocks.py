#!/usr/bin/env python3
"""usage: check_blocks.py BLOCK_TOOL [FILE...]

The blocks of all functions, lambdas and classes of the standard library (or of the files), as report/block.c finds them and as
inspect.getblock of this Python does, with the words of Cython that line_profiler 5 adds to those that begin a block. Status 1:
they differ.
"""
import glob
import inspect
import os
import subprocess
import sys
import sysconfig
import types


# They begin amid an expression: where they end is an accident, and another one in each version.
INNER = ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")


class Finder(inspect.BlockFinder):
    def tokeneater(self, kind, token, *rest):
        begins = not self.started and token in ("cdef", "cpdef", "property")
        super().tokeneater(kind, "def" if begins else token, *rest)


def first_lines(code):
    found, left = set(), [code]
    while left:
        code = left.pop()
        if code.co_name not in INNER:
            found.add(code.co_firstlineno)
        left += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return sorted(found)


def length(lines):
    try:
        return len(inspect.getblock(lines))
    except Exception:  # amid an expression there may be no token that a tokenizer accepts: any answer will do
        return None


def main():
    inspect.BlockFinder = Finder
    tool, files = sys.argv[1], sys.argv[2:]
    if not files:
        library = sysconfig.get_path("stdlib")
        files = sorted(glob.glob(library + "/*.py") + glob.glob(library + "/[a-e]*/*.py") + glob.glob(library + "/test/test_*.py")[::8])
    asked, expected = [], []
    for path in files:
        try:
            with open(path, "rb") as file:
                text = file.read().decode()
            numbers = first_lines(compile(text, path, "exec"))
        except (SyntaxError, ValueError):
            continue
        if "\r" in text or "\f" in text:  # lines are split in one way only here
            continue
        lines = [line + "\n" for line in text.split("\n")]
        if lines[-1] == "\n":
            lines.pop()
        asked.append("\t".join([path, *map(str, numbers)]))
        expected.append((path, numbers, [length(lines[number - 1:]) for number in numbers]))
    answers = subprocess.run([tool], input="\n".join(asked) + "\n", capture_output=True, text=True, check=True).stdout.splitlines()
    checked = wrong = 0
    for (path, numbers, theirs), answer in zip(expected, answers, strict=True):
        for number, one, other in zip(numbers, theirs, map(int, answer.split()), strict=True):
            checked += one is not None
            if one is not None and one != other:
                wrong += 1
                if wrong <= 10:
                    print(f"{os.path.relpath(path)}:{number}: {other} lines, inspect has {one}")
    print(f"{checked} blocks of {len(expected)} files, {wrong} differ")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
