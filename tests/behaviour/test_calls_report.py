"""Reports of recordings of calls, beside cProfile's own. A program of random calls runs under cProfile with a clock that
we keep, so that each time is known; what an agent would count of the same calls is written by hand (tests/unit/script.c).
Then every number must be cProfile's, and every line what Python's pstats prints."""
import cProfile
import gc
import io
import itertools
import json
import marshal
import pstats
import random
import re
import subprocess

import pytest

from harness import clean_environment, run

CALLS, RESUMED, SUSPENDED, UNWOUND, CALL_COST, BUILTIN_COST = range(6)
SORT_KEYS = ["calls", "ncalls", "cumtime", "cumulative", "filename", "line", "module", "name", "nfl", "pcalls", "stdname",
             "time", "tottime"]


@pytest.fixture(scope="session")
def record(pyrometer, tmp_path_factory):
    """Makes a recording of the lines of a script."""
    tool = pyrometer.parent / "tests" / "unit" / "synthetic_tool"
    if not tool.exists():
        pytest.skip("there is no synthetic_tool beside %s" % pyrometer)

    def record_it(lines, name="calls"):
        path = tmp_path_factory.mktemp("calls") / (name + ".pyro")
        text = b"".join(line if isinstance(line, bytes) else "\t".join(map(str, line)).encode() + b"\n" for line in lines)
        subprocess.run([str(tool), "script", "pyro", "--path", str(path)], input=text, check=True)
        return path
    return record_it


# ---- a program whose calls are known ----

BODY = """def %s(children):
    for is_generator, function, below in children:
        if is_generator:
            for _ in function(below): pass
        else:
            function(below)
"""
GENERATOR = """def %s(steps):
    for children in steps:
        for is_generator, function, below in children:
            function(below)
        yield
"""


class Program:
    """Functions f0, f1 ..., some of the same name, and generators g0 ..., and a plan of who calls whom, from a seed. `events`: its calls and
    returns; `prof`: what cProfile says of it."""

    def __init__(self, seed, generators):
        self.random = random.Random(seed)
        self.functions = [self.make("f%d" % (i % 3), BODY, i) for i in range(7)]
        self.generators = [self.make("g%d" % i, GENERATOR, 7 + i) for i in range(3 if generators else 0)]
        self.budget = 400
        self.plan = [self.node(1) for _ in range(6)]
        self.clock = itertools.accumulate(self.random.randrange(1, 2000000) for _ in itertools.count())
        self.times = []
        self.tallies = {}
        self.count((False, self.functions[0], self.plan), ())
        self.prof = cProfile.Profile(timer=iter(self.times).__next__, timeunit=1e-9, subcalls=True, builtins=False)
        gc.disable()  # finalizers of something else would be calls, too
        try:
            self.prof.runcall(self.functions[0], self.plan)
        finally:
            gc.enable()
        self.prof.create_stats()

    def make(self, name, body, number):
        names = {}
        exec(compile("\n" * (10 * number) + body % name, "/srv/folder%d/module%d.py" % (number % 2, number // 2), "exec"), names)
        return names[name]

    def node(self, depth):
        self.budget -= 1
        many = 0 if depth > 12 or self.budget < 0 else self.random.randrange(1 if depth < 6 else 0, 5)
        if self.generators and self.random.random() < 0.3:
            steps = [[self.plain(depth + 1) for _ in range(self.random.randrange(2))] for _ in range(many)]
            return True, self.random.choice(self.generators), steps
        return False, self.random.choice(self.functions), [self.node(depth + 1) for _ in range(many)]

    def plain(self, depth):
        self.budget -= 1
        return False, self.random.choice(self.functions), [self.node(depth + 1)] if self.budget > 0 else []

    def now(self):
        self.times.append(next(self.clock))
        return self.times[-1]

    def count(self, node, path):
        """What happens, in the order in which it does."""
        is_generator, function, below = node
        path += (function.__code__,)
        tally = self.tallies.setdefault(path, [0, 0, 0])
        for number, children in enumerate(below + [[]] if is_generator else [below]):
            start = self.now()
            tally[RESUMED if number else CALLS] += 1
            for child in children:
                self.count(child, path)
            tally[2] += self.now() - start

    def lines(self):
        yield "process", 7
        yield "thread", 1, 7, "MainThread"
        codes, stacks = {}, {(): 0}
        for path, (calls, resumed, wall) in self.tallies.items():
            code = path[-1]
            if code not in codes:
                codes[code] = len(codes) + 1
                yield "code", 0, code.co_firstlineno, code.co_name, "", code.co_filename
            stacks[path] = len(stacks)
            yield "stack", stacks[path[:-1]], codes[code]
            yield "tally", CALLS, 1, stacks[path], calls, wall
            if resumed:
                yield "tally", RESUMED, 1, stacks[path], resumed, 0


def rounded(stats):
    """Keys as strings, times as whole nanoseconds."""
    def values(numbers):
        return [round(number * 1e9) if isinstance(number, float) else number for number in numbers]
    return {str(tuple(key)): (values(row[:4]), {str(tuple(caller)): values(of) for caller, of in row[4].items()})
            for key, row in stats.items()}


@pytest.mark.parametrize("seed", range(8))
def test_numbers_are_those_of_cprofile(pyrometer, record, tmp_path, seed):
    program = Program(seed, generators=seed % 2)
    answer = run(pyrometer, "report", record(program.lines()), "-o", tmp_path / "x.pstats")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    ours = rounded(marshal.loads((tmp_path / "x.pstats").read_bytes()))
    assert len(ours) > 5 and ours == rounded(program.prof.stats)


def printed(path, act, *words):
    """What pstats prints, without the line with the file's name."""
    stream = io.StringIO()
    stats = pstats.Stats(str(path), stream=stream).strip_dirs()
    act(stats)
    text = stream.getvalue()
    return text.split("\n\n", 1)[1] if text.count(str(path)) else text


@pytest.fixture(scope="module")
def calls(pyrometer, record, tmp_path_factory):
    """The recording of a program and the .pstats made of it."""
    recording = record(Program(42, generators=False).lines())
    path = tmp_path_factory.mktemp("pstats") / "x.pstats"
    assert run(pyrometer, "report", recording, "-o", path).status == 0
    return recording, path


@pytest.mark.parametrize("key", SORT_KEYS)
def test_text_is_that_of_pstats(pyrometer, calls, key):
    recording, path = calls
    for rows in ([], [3]):
        expected = printed(path, lambda stats: stats.sort_stats(key).print_stats(*rows))
        assert "function calls (" in expected
        answer = run(pyrometer, "report", recording, "--sort", key, *(["-n", 3] if rows else []))
        assert (answer.status, answer.out) == (0, expected)


@pytest.mark.parametrize("pattern", ["f[0-1]", "module1", "", r"\(f1\)", r"py:\d1", r"[\d]{2}", "(?:f1|f2)", "'*f1", "f1\"*'*", "{*f2",
                                     "[]f]0", r"[]\d]\("])
def test_callers_and_callees_are_those_of_pstats(pyrometer, calls, pattern):
    recording, path = calls
    for option, act in (("--callers", pstats.Stats.print_callers), ("--callees", pstats.Stats.print_callees)):
        for rows in ([], [2]):
            expected = printed(path, lambda stats: act(stats.sort_stats("cumulative"), pattern, *rows))
            answer = run(pyrometer, "report", recording, option, pattern, *(["-n", 2] if rows else []))
            assert (answer.status, answer.out) == (0, expected)


def test_as_cprofile_prints_it(pyrometer, calls):
    """Its command does these calls; functions of equal numbers, of which there are none here, may change places."""
    stream = io.StringIO()
    pstats.Stats(Program(42, generators=False).prof, stream=stream).strip_dirs().sort_stats("cumtime").print_stats()
    assert run(pyrometer, "report", calls[0]).out == stream.getvalue()


# ---- every Python reads it ----

READER = """
import json, pstats, sys
stats = pstats.Stats(sys.argv[1])
print(json.dumps({"calls": stats.total_calls, "primitive": stats.prim_calls, "time": stats.total_tt,
                  "names": sorted(key[2] for key in stats.stats),
                  "counts": sorted(row[1] for row in stats.stats.values())}))
"""
HOSTILE = [
    ["process", 7], ["thread", 1, 7, "MainThread"],
    ["code", 0, 1, "many", "many", "/srv/a.py"], ["code", 0, 2147483648, "line", "line", "/srv/a.py"],
    b"code\t0\t3\tn\xff\xfe\tq\t/srv/\xff.py\n", b"code\t0\t4\ts\xed\xa0\x80\tq\t/srv/\xed\xa0\x80.py\n",
    ["code", 0, 5, "a;\u00e9\u4e2d\U0001f525 b", "", "/srv/\u00e4.py"], ["code", 2, 0, "<built-in method builtins.len>", "", "~"],
    ["code", 0, 1, "many", "many", "/srv/a.py"], ["code", 0, 0, "", "", ""],
]
COUNTS = [2 ** 31, 2 ** 31 - 1, 32768, 2 ** 62 + 65535, 1, 7, 3, 9]


@pytest.mark.feature("pstats")
def test_every_python_reads_it(pyrometer, record, interpreter, subjects):
    lines = HOSTILE + [["stack", 0, i + 1] for i in range(len(COUNTS))]
    lines += [["tally", CALLS, 1, i + 1, count, 1000 * i] for i, count in enumerate(COUNTS)]
    path = subjects / "x.pstats"
    assert run(pyrometer, "report", record(lines), "-o", path).status == 0
    out = subprocess.run(interpreter.argv + ["-c", READER, interpreter.inside(path)], stdout=subprocess.PIPE, check=True,
                         env=clean_environment()).stdout
    said = json.loads(out.decode())
    assert (said["calls"], said["primitive"], round(said["time"] * 1e9)) == (sum(COUNTS), sum(COUNTS), 28000)
    assert said["counts"] == sorted(COUNTS)
    assert {"many", "many#2", "n\ufffd\ufffd", "<built-in method builtins.len>", "a;\u00e9\u4e2d\U0001f525 b", ""} <= set(said["names"])


# ---- what only we print ----

NEST = [["process", 7], ["thread", 1, 7, "MainThread"], ["code", 0, 1, "gen", "gen", "/srv/a.py"], ["stack", 0, 1],
        ["tally", CALLS, 1, 1, 400, 500000000], ["tally", RESUMED, 1, 1, 4400, 0], ["tally", SUSPENDED, 1, 1, 0, 250000000],
        ["cost", CALL_COST, 1, 10000000, 0]]


def test_generators_and_correction(pyrometer, record, tmp_path):
    """4,800 times 10 us are 48 of 500 ms."""
    recording = record(NEST)
    text = run(pyrometer, "report", recording).out
    assert text.startswith("         4800 function calls in 0.452 seconds\n")
    assert "      400    0.452    0.001    0.452    0.001 a.py:1(gen)\n" in text
    assert "      400      4400     0.250 a.py:1(gen)\n" in text
    assert re.search(r"Measured were 0\.500 seconds.*--measured", text, re.DOTALL)
    measured = run(pyrometer, "report", recording, "--measured").out
    assert measured.startswith("         4800 function calls in 0.500 seconds\n") and "some 0.048 of the 0.500 seconds" in measured
    assert run(pyrometer, "report", recording, "-o", tmp_path / "x.pstats").status == 0
    stats = pstats.Stats(str(tmp_path / "x.pstats"))
    assert (stats.total_calls, round(stats.total_tt, 6)) == (4800, 0.452)


def test_flame_graphs_are_of_time(pyrometer, record, tmp_path):
    assert run(pyrometer, "report", record(NEST), "-o", tmp_path / "x.collapsed").status == 0
    assert (tmp_path / "x.collapsed").read_text() == "gen (a.py:1) 452000\n"


def test_tree(pyrometer, record, tmp_path):
    recording = record(Program(42, generators=False).lines())
    lines = run(pyrometer, "report", recording, "--tree", "-n", 5).out.splitlines()
    assert [line.split()[0] for line in lines if "f0 (" in line][0] == "100.0"
    assert sum(" %" in line for line in lines) == 5 and "not shown" in lines[-1]
    assert run(pyrometer, "report", recording, "-o", tmp_path / "x.pstats").status == 0
    assert "no calls with their callers" in run(pyrometer, "report", tmp_path / "x.pstats", "--tree").out


def test_builtins_fold_into_the_library(pyrometer, record):
    recording = record([
        ["process", 7], ["thread", 1, 7, "MainThread"], ["code", 0, 1, "main", "main", "/srv/a.py"],
        ["code", 0, 9, "loads", "loads", "/usr/lib/python3.12/json/__init__.py"], ["code", 2, 0, "<built-in method scan>", "", "~"],
        ["stack", 0, 1], ["stack", 1, 2], ["stack", 2, 3], ["stack", 1, 3]] +
        [["tally", CALLS, 1, stack, 1, wall] for stack, wall in ((1, 1000), (2, 600), (3, 500), (4, 300))])
    rows = [line.split() for line in run(pyrometer, "report", recording, "--tree").out.splitlines() if "%" in line]
    assert [(row[0], row[2]) for row in rows] == [("100.0", "10.0"), ("60.0", "60.0"), ("30.0", "30.0")]
    assert rows[1][-1] == "+1" and rows[2][-1] == "scan>"


def test_json(pyrometer, record, tmp_path):
    assert run(pyrometer, "report", record(NEST), "-o", tmp_path / "x.json").status == 0
    said = json.loads((tmp_path / "x.json").read_text())
    assert said["schema"] == "pyrometer.calls/1" and said["recording"]["mode"] == "calls"
    assert said["totals"] == {"calls": 4800, "primitive": 4800, "time_ns": 452000000, "measured_time_ns": 500000000, "cpu_ns": 0,
                              "corrected": True}
    function, = said["functions"]
    assert (function["label"], function["ncalls"], function["resumed"], function["suspended_ns"]) == \
        ("a.py:1(gen)", 400, 4400, 250000000)


@pytest.mark.parametrize("words, says", [
    (["--sort", "cum"], "cumtime, cumulative"), (["--sort", "nosuch"], "stdname"), (["--callers", "("], "regular expression")])
def test_wrong_usage(pyrometer, calls, words, says):
    answer = run(pyrometer, "report", calls[0], *words)
    assert (answer.status, answer.out) == (2, "") and says in answer.sentence()


# ---- files that cProfile wrote ----

WRITER = """
import cProfile, json, marshal, pstats, sys
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def many(): return [len(str(fib(i % 9))) for i in range(50)]
profile = cProfile.Profile()
profile.runcall(many)
profile.create_stats()
profile.stats[("~", 0, "<built-in method t.e>")] = (1, 2 ** 40, 0.5, 1.5, {})
with open(sys.argv[1], "wb") as file:
    marshal.dump(profile.stats, file)
print(json.dumps([[key, row[:4], list(row[4].items())] for key, row in profile.stats.items()]))
for key in ("time", "stdname", "nfl"):
    print("----")
    pstats.Stats(sys.argv[1]).strip_dirs().sort_stats(key).print_stats(4)
"""


@pytest.mark.feature("pstats read")
def test_files_of_every_cprofile(pyrometer, interpreter, subjects, tmp_path):
    """Read, and written again, they say what they said."""
    path = subjects / "theirs.prof"
    out = subprocess.run(interpreter.argv + ["-c", WRITER, interpreter.inside(path)], check=True, stdout=subprocess.PIPE,
                         env=clean_environment()).stdout.decode()
    said, *texts = out.split("----\n")
    theirs = {tuple(key): tuple(row) + ({tuple(caller): of for caller, of in callers},) for key, row, callers in json.loads(said)}
    assert run(pyrometer, "report", path, "-o", tmp_path / "ours.pstats").status == 0
    assert rounded(marshal.loads((tmp_path / "ours.pstats").read_bytes())) == rounded(theirs) and len(theirs) >= 4
    for key, text in zip(("time", "stdname", "nfl"), texts):
        ours = run(pyrometer, "report", path, "--sort", key, "-n", 4).out
        assert ours.splitlines()[1:] == text.splitlines()[1:]
        assert ours.splitlines()[0].split()[1:4] == text.splitlines()[0].split()[1:4] and str(path) in ours


@pytest.mark.parametrize("data, says", [
    (b"{", "cut off"), (marshal.dumps({}), None), (marshal.dumps({1: 2}), "none of cProfile's"),
    (marshal.dumps({("a", 1, "b"): (1, 2)}), "none of cProfile's"), (marshal.dumps({("a", 1, "b"): (1, 1, 1., 1., {})})[:-9], "cut off"),
    (b"{" * 100, "nested"), (b"{(\xff\xff\xff\xff", "larger"), (b"{r\x05\0\0\0", "not there"), (b"\xfbr\0\0\0\0", "holds itself"),
    (b"{x", "no number"), (marshal.dumps({("__sampled__",): True, ("a", 1, "b"): (1, 1, 1., 1., {("c", 1, "d"): 3})}), None)])
def test_damaged_files(pyrometer, tmp_path, data, says):
    (tmp_path / "x.prof").write_bytes(data)
    answer = run(pyrometer, "report", tmp_path / "x.prof")
    assert answer.status == (125 if says else 0), answer.err
    assert not says or says in answer.sentence()


def test_they_are_no_recordings(pyrometer, tmp_path):
    (tmp_path / "x.prof").write_bytes(marshal.dumps({}))
    answer = run(pyrometer, "report", tmp_path / "x.prof", "-o", tmp_path / "x.pyro")
    assert (answer.status, answer.out) == (2, "") and "no recording" in answer.sentence()
    assert [path.name for path in tmp_path.iterdir()] == ["x.prof"]
