"""What people do with cProfile and pstats (scenarios S-C), done with `calls` and `report`, on every Python that it counts in.

The programs are subjects/c_*.py and k_tiny_calls.py: each says at its top what must come out.
"""
import io
import json
import pstats
import re
import shutil
import statistics
import subprocess

import pytest

import harness
from harness import run

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]


class Calls:
    """A JSON report of calls, asked by names."""

    def __init__(self, data):
        self.rows, self.pairs, self.totals = data["functions"], data["calls"], data["totals"]

    def row(self, name):
        row, = (row for row in self.rows if row["name"] == name)
        return row

    def count(self, name):
        return self.row(name)["ncalls"]

    def share(self, name, of):
        return self.row(name)["cumtime_ns"] / self.row(of)["cumtime_ns"]

    def own_share(self, name, of):
        return self.row(name)["tottime_ns"] / self.row(of)["cumtime_ns"]

    def callers(self, name):
        return {self.rows[pair["caller"]]["name"]: pair["ncalls"] for pair in self.pairs if self.rows[pair["callee"]]["name"] == name}

    def callees(self, name):
        return {self.rows[pair["callee"]]["name"]: pair["ncalls"] for pair in self.pairs if self.rows[pair["caller"]]["name"] == name}


class Scene(harness.Scene):
    """Runs a subject under `calls` and keeps what came of it."""

    def file(self, name):
        return self.path / name

    def calls(self, subject, *words):
        """The answer; a.pyro, a.pstats and a.json lie in the folder."""
        if not self.file(subject).exists():
            shutil.copy(str(harness.SUBJECTS / subject), str(self.path))
        outputs = [word for name in ("a.pyro", "a.pstats", "a.json") for word in ("-o", self.file(name))]
        answer = run(self.pyrometer, "calls", *outputs, *words, "--", *self.interpreter.argv, self.file(subject), env=self.environment)
        assert answer.status == 0, answer.err
        return answer

    def data(self):
        return json.loads(self.file("a.json").read_text(encoding="utf-8"))

    def json(self):
        return Calls(self.data())


@pytest.fixture
def scene(interpreter, pyrometer):
    where = Scene(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


# ---- S-C2: which rows, in which order ----

@pytest.mark.parametrize("words", [["--sort", "tot", "-n", "5"], ["--sort", "nfl"], ["--callers", "move_to_end", "-n", "1"],
                                   ["--callees", "(put)", "--measured"]], ids=" ".join)
def test_the_report_at_the_end_is_that_of_report(scene, words):
    at_the_end = scene.calls("c_lru.py", *words).err
    assert at_the_end.startswith(scene.report(*words)), at_the_end


# ---- S-C1, S-C3: what cProfile prints and writes ----

def test_a_whole_script(scene):
    text = scene.calls("c_bubble.py").err
    assert re.match(r" +\d+ function calls \(\d+ primitive calls\) in \d+\.\d{3} seconds\n\n   Ordered by: cumulative time\n", text), text
    assert "\n   ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n" in text
    for count, label in ((1, r"c_bubble\.py:\d+\(main\)"), (1, r"c_bubble\.py:\d+\(make_data\)"), (1, r"c_bubble\.py:\d+\(bubble\)"),
                         (700, r"c_bubble\.py:\d+\(scramble\)")):
        assert re.search(r"^ +%d( +\d+\.\d{3}){4} %s$" % (count, label), text, re.M), (label, text)
    calls = scene.json()
    assert calls.callees("make_data") == {"scramble": 700, "<method 'append' of 'list' objects>": 700}
    assert 0.8 < calls.share("bubble", "main") <= 1


@pytest.mark.parametrize("key", ["time", "cumtime", "calls", "stdname", "nfl", "pcalls", "line", "mod"])
def test_pstats_and_report_print_the_same(scene, key):
    scene.calls("c_lru.py")
    stream = io.StringIO()
    stats = pstats.Stats(str(scene.file("a.pstats")), stream=stream)
    stats.sort_stats(key).print_stats(10)
    ours = scene.report("--sort", key, "-n", "10", "--full-paths", name="a.pstats")
    assert ours.splitlines()[1:] == stream.getvalue().splitlines()[1:] and str(scene.file("a.pstats")) in ours
    data = json.loads(scene.file("a.json").read_text())
    assert (stats.total_calls, stats.prim_calls) == (data["totals"]["calls"], data["totals"]["primitive"])
    assert stats.total_tt == pytest.approx(data["totals"]["time_ns"] / 1e9, abs=1e-6)


# ---- S-C6 to S-C10: where the time is ----

def test_a_nap_for_each_swap(scene):
    scene.calls("c_slow_sort.py")
    calls = scene.json()
    for name, count in (("<built-in method time.sleep>", 4305), ("<built-in method builtins.sum>", 4305), ("napping_sort", 1),
                        ("<method 'append' of 'list' objects>", 130), ("<method 'copy' of 'list' objects>", 1)):
        assert calls.count(name) == count, name
    assert calls.callees("napping_sort")["<built-in method builtins.len>"] == 131
    # A nap of 50 us lasts between 60 and 140, as the machine is: what is beside it has 2 to 6 %.
    assert 0.92 < calls.share("<built-in method time.sleep>", "napping_sort") < 1
    assert calls.own_share("napping_sort", "napping_sort") < 0.07


def test_a_cache(scene):
    scene.calls("c_lru.py")
    calls, move = scene.json(), "<method 'move_to_end' of 'collections.OrderedDict' objects>"
    for name, count in (("put", 2000), ("get", 2000), (move, 2800), ("<method 'popitem' of 'collections.OrderedDict' objects>", 1936)):
        assert calls.count(name) == count, name
    assert calls.callers(move) == {"put": 2000, "get": 800}
    text = scene.report("--callers", "move_to_end")
    assert re.search(r"<- +800 .*\(get\)\n +2000 .*\(put\)\n", text), text
    assert calls.share(move, "drive") < calls.share("get", "drive") and calls.share(move, "drive") < calls.share("put", "drive")


def test_recursion_counts_once(scene):
    text = scene.calls("c_fib.py").err
    for count, name in (("35421/1", "plain"), ("58/2", "kept"), ("41/1", "by_hand")):
        assert re.search(r"^ *%s .*\(%s\)$" % (count, name), text, re.M), (name, text)
    for word in ("ncalls", "tottime", "cumtime", "percall"):
        assert len(re.findall("^%s +[a-z]" % word, text, re.M)) == 1, "each column is explained, once"
    calls = scene.json()
    assert all(row["cumtime_ns"] <= calls.totals["time_ns"] for row in calls.rows)
    # Three milliseconds in all: a collection of garbage takes a fifth of that, and falls where the number of objects that were made
    # before has it fall, which is each time in `kept` on some machines. Without the GIL lru_cache takes its time, too.
    enough = 0.6
    shares = [calls.share("plain", "main")]
    while shares[-1] <= enough and len(shares) < 5:
        scene.calls("c_fib.py")
        shares.append(scene.json().share("plain", "main"))
    assert enough < shares[-1] <= 1, shares


def test_the_bottleneck_is_below(scene):
    scene.calls("c_nested.py")
    calls = scene.json()
    for name, count in (("load", 400), ("parse", 4000), ("decode", 8000), ("turn", 8001)):
        assert calls.count(name) == count, name
    generator = calls.row("<genexpr>")
    assert (generator["ncalls"], generator["ncalls"] + generator["resumed"]) == (400, 4400)
    assert calls.callers("turn") == {"decode": 8000, "setup_once": 1}
    assert calls.own_share("turn", "main") > 0.8
    assert calls.share("handle", "main") > 0.8 and calls.share("setup_once", "main") < 0.1
    names = re.findall(r"^ *\d+\.\d %.* (\w+) \(\S*c_nested\.py:\d+\)$", scene.report("--tree", "-n", "30"), re.M)
    chain = [name for name in names if name in ("handle", "load", "parse", "decode", "turn")]
    assert chain[:5] == ["handle", "load", "parse", "decode", "turn"], "one tree from handle to turn"


# ---- S-C10: what a row can win at most ----

def test_shares(scene):
    scene.calls("c_nested.py")
    text = scene.report("--shares")
    whole = float(re.match(r" *\d+ function calls .*in (\d+\.\d+) seconds", text)[1])
    rows = re.findall(r"^ *\S+ +(\d+\.\d+) +\S+ +(\d+\.\d+) +(?:\d\S+)? +(\d+\.\d)% +(\d+\.\d)% .*\((\w+)\)$", text, re.M)
    assert {"turn", "setup_once", "handle"} <= {row[4] for row in rows}
    for own, total, own_share, share, name in rows:
        rounded = 0.06 + 0.1 / whole  # a share to a tenth; of two times to a millisecond
        assert abs(float(own_share) - 100 * float(own) / whole) < rounded and abs(float(share) - 100 * float(total) / whole) < rounded, name
    share, = (float(row[3]) for row in rows if row[4] == "setup_once")
    assert 0.5 < share < 10 and "own% all% tottime and cumtime, of the whole run" in text
    assert "%" not in scene.report().split("\n\n\n")[0]


# ---- S-C11: imports apart ----

def test_imports_are_one_row(scene):
    text = scene.calls("c_bubble.py").err.split("\n\n\n")[0]
    found = re.search(r"^ *(\d+)(?:/\d+)? +(\d+\.\d+) +\S+ +(\d+\.\d+) +imports \((\d+) functions\)$", text, re.M)
    assert found and "importlib" not in text, text
    calls, whole = scene.json(), scene.report("--imports")
    assert "importlib" in whole and "imports (" not in whole and whole.splitlines()[0] == text.splitlines()[0]
    listed = [line for line in text.splitlines() if re.match(r" *\d+(/\d+)? +\d+\.\d{3} ", line)]
    assert len(calls.rows) == len(listed) - 1 + int(found[4])
    shown = sum(int(re.match(r" *(\d+)", line)[1]) for line in listed)
    assert shown == sum(row["ncalls"] for row in calls.rows), "nothing is lost and nothing counted twice"
    assert any("importlib" in row["path"] for row in calls.rows)
    assert any("importlib" in key[0] for key in pstats.Stats(str(scene.file("a.pstats"))).stats)


def test_callers_are_told_of_imports_too(scene):
    scene.calls("c_bubble.py")
    assert "importlib" in scene.report("--callers", "_find_and_load")


# ---- S-C12, S-C13: what measuring does ----

def test_tiny_calls_keep_their_share(scene):
    """Medians of runs, bare and counted in turns. The machine does other things, too, so that there may be more of them:
    what is wrong by itself stays wrong.

    While a profile function is set 3.11 takes a detour before each instruction, called function or not: `lump` takes half
    as long again there, which no subtraction by calls can undo. That bends the share by 2 to 5 points, by the machine."""
    bend = 0.09 if scene.interpreter.version[:2] == (3, 11) else 0.05
    bare, ours = [], {"cumtime_ns": [], "measured_cumtime_ns": []}
    for runs in range(1, 28):
        scene.calls("k_tiny_calls.py")
        calls = scene.json()
        assert calls.count("tiny") == 600000
        for key, shares in ours.items():
            many, lump = (calls.row(name)[key] for name in ("many", "lump"))
            shares.append(many / (many + lump))
        out = subprocess.run(scene.interpreter.argv + [str(scene.file("k_tiny_calls.py"))], stdout=subprocess.PIPE, check=True)
        bare.append(harness.truth_of(out.stdout.decode())["many_share"])
        corrected, measured = (statistics.median(shares) for shares in ours.values())
        if runs >= 5 and abs(corrected - statistics.median(bare)) < bend:
            break
    assert abs(corrected - statistics.median(bare)) < bend, (bare, ours)
    assert corrected < measured, "the raw times are kept"


def test_too_many_calls_are_told(scene):
    text = scene.calls("k_tiny_calls.py").err
    found = re.search(r"Many calls: (\d+\.\d) million a second. Measuring each made it some (\d+\.\d) times as slow", text)
    assert found and float(found[1]) > 1 and float(found[2]) > 1 and "pyrometer record" in text, text
    calls = scene.json()
    assert float(found[2]) == pytest.approx(calls.totals["measured_time_ns"] / calls.totals["time_ns"], abs=0.06)


def test_too_short_a_run_is_told(scene):
    scene.file("k_short.py").write_text("def f():\n    return 1\nf()\n")
    text = scene.calls("k_short.py").err
    assert "Too short" in text and "python -m timeit" in text, text
    assert "Too short" not in scene.calls("c_nested.py").err


def test_what_is_printed_fits_a_screen(scene):
    for subject in ("c_bubble.py", "k_tiny_calls.py"):
        text = scene.calls(subject, "-n", "5").err.split("recording:")[0]
        assert max(map(len, text.splitlines())) <= 80, text
