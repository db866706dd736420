"""`pyrometer lines` counts and times every line: what sys.settrace counts, exactly, and the program runs as without us."""
import collections
import json
import os
import re
import shutil
import time

import pytest

import harness
import random_programs
from harness import clean_environment, run

on_all = pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)


class Lines:
    """What a recording says: hits and nanoseconds by (file, function, first line, line)."""

    def __init__(self, raw):
        codes, stacks = {}, {}
        self.hits, self.ns, self.inside, self.calls, self.threads = collections.Counter(), collections.Counter(), collections.Counter(), collections.Counter(), set()
        for line in raw.splitlines():
            if line.startswith("code "):
                found = re.match(r'code id=(\d+) first_line=(\d+) flags=\d+ file="(.*?)" name="(.*?)"', line)
                codes[found[1]] = (found[3], found[4], int(found[2]))
            elif line.startswith("stack "):
                found = re.match(r"stack id=(\d+) parent=0 code=(\d+) instruction=(-?\d+)", line)
                stacks[found[1]] = codes[found[2]] + (int(found[3]),)
            elif line.startswith("event tally"):
                fields = dict(word.split("=") for word in line.split()[2:])
                where = stacks.get(fields["stack"])
                count, wall = int(fields.get("count", 0)), int(fields.get("wall", 0))
                if fields["subject"] == "line":
                    self.hits[where] += count
                    self.ns[where] += wall
                    self.threads.add(fields["thread"])
                elif fields["subject"] == "line-inside":
                    self.inside[where] += wall
                elif fields["subject"] == "lines":
                    self.calls[where[:3]] += count

    def by_line(self, file):
        """{"function:first line": {line: hits}} of one file."""
        found = {}
        for (path, name, first, line), hits in self.hits.items():
            if path == str(file):
                found.setdefault("%s:%d" % (name, first), {})[str(line)] = hits
        return found

    def line(self, name, offset=None, line=None):
        """(hits, ns, ns inside) of a function's line, by its distance from the first one."""
        where, = (where for where in self.hits if where[1] == name and (where[3] == line if line else where[3] - where[2] == offset))
        return self.hits[where], self.ns[where], self.inside[where]


class Scene(harness.Scene):
    """Runs programs under `lines`; they find modules that were written."""

    def __init__(self, interpreter, pyrometer):
        super().__init__(interpreter, pyrometer)
        self.environment["PYTHONPATH"] = str(self.path)

    def lines(self, *words, program=(), status=0):
        answer = run(self.pyrometer, "lines", "-q", "-o", self.path / "a.pyro", *words, "--", *self.interpreter.argv, *program, env=self.environment)
        assert answer.status == status, answer.err
        return answer, self.read()

    def read(self):
        return Lines(run(self.pyrometer, "report", "--raw", self.path / "a.pyro").out)


@pytest.fixture
def scene(interpreter, pyrometer):
    where = Scene(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


# ---- hits ----

@on_all
def test_random_programs(scene):
    """PYROMETER_LINE_PROGRAMS says how many; PYROMETER_SEED, which."""
    count, seed = int(os.environ.get("PYROMETER_LINE_PROGRAMS", "50")), int(os.environ.get("PYROMETER_SEED", "0"))
    driver = shutil.copy(str(harness.SUBJECTS / "run_counted.py"), str(scene.path))
    paths = [scene.write("p%d.py" % number, random_programs.make(seed + number, scene.interpreter.version)) for number in range(count)]
    wanted = json.loads(scene.plain(driver, "count", *paths).out)
    _, lines = scene.lines("-f", "**", "--exclude", "run_counted:", program=(driver, *paths))
    total = 0
    for number, path in enumerate(paths):
        assert lines.by_line(path) == wanted[str(path)], "seed %d" % (seed + number)
        total += sum(sum(hits.values()) for hits in wanted[str(path)].values())
    assert total > 100 * count


@on_all
def test_threads_and_tasks(scene):
    """Two threads and fifty tasks in one function."""
    program = scene.write("app.py", """
import asyncio, threading
def work(n):
    for i in range(n):
        x = i
        y = x
async def task(n):
    for i in range(n):
        x = i
        await asyncio.sleep(0)
        y = x
async def main():
    await asyncio.gather(*(task(20) for _ in range(50)))
threads = [threading.Thread(target=work, args=(20000,)) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
asyncio.run(main())
""")
    _, lines = scene.lines(program=(program,))
    assert [lines.line("work", offset)[0] for offset in (1, 2, 3)] == [40002, 40000, 40000]
    assert [lines.line("task", offset)[0] for offset in (1, 2, 3, 4)] == [1050, 1000, 1000, 1000]
    assert len(lines.threads) == 3


# ---- time ----

@on_all
def test_time(scene):
    program = scene.write("app.py", """
import time
def nap(seconds):
    time.sleep(seconds)
def work():
    nap(0.05)
    time.sleep(0.03)
    return 1
def again(level):
    if level:
        again(level - 1)
    time.sleep(0.01)
def gen():
    time.sleep(0.01)
    yield 1
    time.sleep(0.02)
for _ in range(2): work()
again(4)
for _ in gen(): time.sleep(0.05)
""")
    _, lines = scene.lines(program=(program,))
    ms = {key: value / 1e6 for key, value in (
        ("nap", lines.line("nap", 1)[1]), ("call", lines.line("work", 1)[1]), ("inside", lines.line("work", 1)[2]), ("sleep", lines.line("work", 2)[1]),
        ("recursion", lines.line("again", 2)[1]), ("leaf", lines.line("again", 3)[1]), ("first", lines.line("gen", 1)[1]),
        ("yield", lines.line("gen", 2)[1]), ("last", lines.line("gen", 3)[1]))}
    wanted = {"nap": 100, "call": 100, "inside": 100, "sleep": 60, "recursion": 40, "leaf": 50, "first": 10, "yield": 0, "last": 20}
    for key, value in wanted.items():
        assert value - 0.1 <= ms[key] < value * 1.1 + 6, (key, ms)
    assert lines.line("again", 2)[0] == 4 and lines.line("again", 3)[0] == 5


# ---- which code ----

@on_all
def test_only_what_was_asked_for(scene):
    program = scene.write("app.py", "import json\ndef a(): return 1\nclass C:\n    def a(self): return 2\n    def b(self): return json.dumps(a())\nC().b(); C().a()\n")
    if scene.interpreter.version >= (3, 11):  # before, code does not say which class it is of
        scene.lines("-f", "C.*", program=(program,))
        assert {(name, first) for _, name, first in scene.read().calls} == {("a", 4), ("b", 5)}
    scene.lines("-f", "b", program=(program,))
    assert {(name, first) for _, name, first in scene.read().calls} == {("b", 5)}
    for words in ((program,), ("-m", "app")):
        scene.lines(program=words)
        assert {(name, first) for _, name, first in scene.read().calls} == {("<module>", 1), ("a", 2), ("a", 4), ("b", 5)}, "the program's own functions and its body"
    answer = run(scene.pyrometer, "lines", "-q", "-o", scene.path / "b.pyro", "-f", "workk", "--", *scene.interpreter.argv, program, env=scene.environment)
    assert answer.status == 125 and "no function that was called matches" in answer.sentence()


@on_all
def test_killed(scene):
    """What was counted is there, and the line in which it was."""
    program = scene.write("app.py", "import os, time\ndef work():\n    for i in range(10): x = i\n    time.sleep(0.05)\n    os.kill(os.getpid(), 9)\nwork()\n")
    _, lines = scene.lines(program=(program,), status=128 + 9)
    assert lines.line("work", 1)[0] == 11 and lines.line("work", 3)[0] == 1
    assert 50e6 <= lines.line("<module>", line=6)[1] < 1e9


@on_all
def test_attached(scene):
    program = scene.write("app.py", "import time\ndef leaf(n):\n    for i in range(n):\n        x = i\n    time.sleep(0.001)\nprint('READY', flush=True)\nwhile True: leaf(10)\n")
    with harness.Subject([*scene.interpreter.argv, str(program)]) as subject:
        subject.await_ready()
        for _ in range(3):
            answer = run(scene.pyrometer, "lines", "-q", "-p", subject.pid, "-d", "300ms", "-f", "leaf", "-o", scene.path / "a.pyro", env=scene.environment)
            assert answer.status == 0, answer.err
            lines = scene.read()
            first, second = lines.line("leaf", 1)[0], lines.line("leaf", 2)[0]
            assert second > 100 and abs(first * 10 - second * 11) <= 110


@pytest.mark.parametrize("interpreter", ["2.7", "3.7"], indirect=True)
def test_too_old(pyrometer, interpreter, tmp_path):
    answer = run(pyrometer, "lines", "-o", tmp_path / "a.pyro", "--", *interpreter.argv, "-c", "print('ran')", env=clean_environment(XDG_CACHE_HOME=str(tmp_path)))
    assert answer.status == 125 and answer.out == "ran\n" and "no lines were measured in" in answer.sentence()
