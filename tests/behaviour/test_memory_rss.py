"""`pyrometer memory --rss`: resident memory over time, with the functions that were on (scenarios S-O): what mprof run, plot and peak do.

subjects/m_stairs.py says at its top what must come out.
"""
import json
import os
import re
import subprocess
import time
import xml.dom.minidom

import pytest

import harness
from harness import Subject, clean_environment, run, tag_line

MIB = 1 << 20
PYTHONS = ["3.8", "3.11", "3.13"]
every_python = pytest.mark.parametrize("interpreter", PYTHONS, indirect=True)
MPROF = harness.ROOT / ".consumers" / "memory_profiler" / "bin"


class Curve:
    """One series of a JSON report."""

    def __init__(self, data):
        self.data = data
        self.points = list(zip(data["time_ns"], data["rss_bytes"]))
        self.peak = data["peak_bytes"]

    def plateaus(self):
        """MiB and seconds of what was held for a quarter of a second or longer, within a quarter of a MiB."""
        found, begin = [], 0
        for i in range(1, len(self.points) + 1):
            if i < len(self.points) and abs(self.points[i][1] - self.points[begin][1]) < MIB / 4:
                continue
            seconds = (self.points[i - 1][0] - self.points[begin][0]) / 1e9
            if seconds >= 0.25:
                found.append((self.points[i - 1][1] / MIB, seconds))
            begin = i
        return found

    def at(self, ns):
        return [bytes for time, bytes in self.points if time <= ns][-1]


class Memory:
    def __init__(self, path):
        self.data = json.loads(path.read_text(encoding="utf-8"))
        assert self.data["schema"] == "pyrometer.rss/1"
        self.curves = [Curve(one) for one in self.data.get("processes") or self.data["recordings"]]
        self.sum = Curve(self.data["sum"]) if "sum" in self.data else None
        self.steps, self.functions = self.data.get("steps"), self.data.get("functions")

    def step(self, mebibytes):
        """The step of so much, of the first process."""
        found = [s for s in self.steps if s["curve"] == 0 and abs((s["end_bytes"] - s["begin_bytes"]) / MIB - mebibytes) < 4]
        assert found, [(s["end_bytes"] - s["begin_bytes"]) / MIB for s in self.steps]
        return found[0]


@pytest.fixture(scope="module")
def stairs(pyrometer, interpreters, tmp_path_factory):
    """By interpreter: the folder with a recording of the stairs and their child, run once, and the program's answer."""
    made = {}

    def make(interpreter):
        if interpreter.name not in made:
            folder = tmp_path_factory.mktemp("stairs")
            subjects = interpreter.make_folder()
            answer = run(pyrometer, "memory", "--rss", "-s", "-o", folder / "m.pyro", *interpreter.command(subjects / "m_stairs.py"),
                         env=clean_environment(COLUMNS="80"))
            assert answer.status == 0, answer.err
            made[interpreter.name] = (folder, answer)
        return made[interpreter.name]
    return make


def reported(pyrometer, path, *more):
    """The recordings as JSON."""
    out = path.parent / (path.name + ".json")
    answer = run(pyrometer, "report", path, *more, "-o", out)
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    return Memory(out)


def close(mebibytes, expected):
    return abs(mebibytes - expected) <= 0.5


# ---- S-O1, S-O4: steps, and the functions that were on ----

@every_python
def test_steps_are_right(pyrometer, interpreter, stairs):
    folder, _ = stairs(interpreter)
    curve = reported(pyrometer, folder / "m.pyro").curves[0]
    levels = curve.plateaus()
    base = levels[0][0]
    held = [level - base for level, _ in levels[1:4]]
    assert all(map(close, held, [48, 72, 24])), levels
    assert all(0.3 < seconds < 0.8 for _, seconds in levels[:3]), levels
    assert close(levels[-1][0] - base, 24), "and again while the child runs, and after"
    assert close(curve.peak / MIB - base, 72)
    # Read every 10 ms, and more often only where it moves.
    assert len(curve.points) >= 0.8 * curve.points[-1][0] / 1e7
    gaps = sorted(b[0] - a[0] for a, b in zip(curve.points, curve.points[1:]))
    assert gaps[len(gaps) // 2] < 12e6


@every_python
def test_what_made_the_steps(pyrometer, interpreter, stairs):
    folder, _ = stairs(interpreter)
    memory = reported(pyrometer, folder / "m.pyro")
    source = harness.SUBJECTS / "m_stairs.py"

    def lines(step):
        return {frame["line"] for frame in step.get("stack", []) + step.get("before", []) + step.get("after", [])}
    assert tag_line(source, "first") in lines(memory.step(48))
    assert tag_line(source, "second") in lines(memory.step(24))
    assert memory.step(48)["stack"][0]["function"] == "block"
    drop = memory.step(-48)
    seen = tag_line(source, "drop") in lines(drop)
    # munmap may be over before a sample sees it: then it is between the lines of `main` before and after.
    assert seen or drop["before"][0]["line"] < tag_line(source, "drop") < drop["after"][0]["line"], drop
    rose = {(line.get("function"), line["rose_bytes"] // MIB) for line in memory.data["lines"]}
    assert any(name == "block" and 60 <= mebibytes <= 73 for name, mebibytes in rose), rose


@every_python
def test_function_marks(pyrometer, interpreter, stairs):
    folder, _ = stairs(interpreter)
    functions = reported(pyrometer, folder / "m.pyro").functions
    by_name = {}
    for function in functions:
        by_name.setdefault(function["function"].split(".")[-1], []).append(function)
    main, = by_name["main"]
    blocks = [f for f in by_name["block"] if f["end_bytes"] - f["begin_bytes"] > 8 * MIB]
    source = harness.SUBJECTS / "m_stairs.py"
    assert [f["caller_line"] for f in blocks] == [tag_line(source, "first"), tag_line(source, "second")]
    marks = [f for f in by_name["mark"] if f["end_ns"] - f["begin_ns"] > 3e8]
    assert len(marks) == 5 and {f["level"] for f in marks} == {main["level"] + 1}
    for mark in marks:
        assert main["begin_ns"] <= mark["begin_ns"] < mark["end_ns"] <= main["end_ns"]
        assert 0.38e9 < mark["end_ns"] - mark["begin_ns"] < 0.6e9


# ---- S-O2: children ----

@every_python
def test_children_and_their_sum(pyrometer, interpreter, stairs):
    folder, answer = stairs(interpreter)
    memory = reported(pyrometer, folder / "m.pyro")
    parent, child = memory.curves
    bare = min(level for level, _ in parent.plateaus())
    (held, seconds), = child.plateaus()
    assert abs(held - bare - 32) < 4 and 0.3 < seconds < 0.6, "32 MiB and an interpreter"
    middle = child.points[len(child.points) // 2][0]
    assert memory.sum.at(middle) == parent.at(middle) + child.at(middle)
    assert memory.sum.peak == max(bytes for _, bytes in memory.sum.points) >= parent.peak
    assert memory.sum.points[-1] == parent.points[-1], "the child has ended"
    # The report at the end says it.
    said = re.search(r"([\d.]+) MiB +([\d.]+) s +.*all processes together", answer.err)
    assert said and abs(float(said.group(1)) - memory.sum.peak / MIB) <= 0.06
    assert abs(float(said.group(2)) - memory.sum.data["peak_ns"] / 1e9) <= 0.006


def test_without_s_only_the_program(pyrometer, any_python, own_subjects, tmp_path):
    run(pyrometer, "memory", "--rss", "-q", "-o", tmp_path / "x.json", *any_python.command(own_subjects / "m_stairs.py"))
    memory = Memory(tmp_path / "x.json")
    assert len(memory.curves) == 1 and memory.sum is None


def test_a_program_without_python_and_a_shell(pyrometer, any_python, tmp_path):
    code = "b = bytearray(b'x') * (20 << 20); import time; time.sleep(.3)"
    answer = run(pyrometer, "memory", "--rss", "-s", "-q", "-o", tmp_path / "x.json", "sh", "-c", 'sleep .3; "$0" -c "$1"; true',
                 any_python.argv[0], code)
    assert (answer.status, answer.err) == (0, "")
    memory = Memory(tmp_path / "x.json")
    commands = {curve.data["command"][0].split("/")[-1]: curve for curve in memory.curves}
    assert {"sh", "sleep"} <= set(commands)
    assert memory.sum.peak > 25 * MIB


# ---- the text ----

def test_text(pyrometer, any_python, stairs):
    folder, answer = stairs(any_python)
    assert "truth" in answer.out and "resident memory" not in answer.out
    lines = [line for line in answer.err.splitlines() if not line.startswith("recording: ")]
    assert max(map(len, lines)) <= 80
    chart = [line for line in lines if re.match(r"^ {0,9}[\d. ]*[MK]?i?B? +[│┤]", line)]
    assert 8 <= len(chart) <= 16
    assert re.search(r"^ +└─.*main", answer.err, re.M), "brackets below the curve"
    assert re.search(r"\+48\.\d MiB a  block \(.*m_stairs\.py:\d+\) ← main", answer.err)
    again = run(pyrometer, "report", folder / "m.pyro", env=clean_environment(COLUMNS="80"))
    assert again.out.split("\n\n")[1] == answer.err.split("\n\n")[1], "report says the same"


def test_text_follows_the_terminal(pyrometer, any_python, stairs):
    folder, _ = stairs(any_python)
    for columns in (40, 60, 132):
        text = run(pyrometer, "report", folder / "m.pyro", env=clean_environment(COLUMNS=str(columns))).out
        assert max(map(len, text.splitlines())) <= columns
    environment = dict(clean_environment(), FORCE_COLOR="1")
    assert "\x1b[" in run(pyrometer, "report", folder / "m.pyro", env=environment).out
    assert "\x1b[" not in run(pyrometer, "report", folder / "m.pyro", env=dict(environment, NO_COLOR="1")).out
    plain = run(pyrometer, "report", folder / "m.pyro", env=dict(clean_environment(), LC_ALL="C")).out
    assert plain.isascii() and "[-" in plain


def test_svg(pyrometer, any_python, stairs):
    folder, _ = stairs(any_python)
    assert run(pyrometer, "report", folder / "m.pyro", "-o", folder / "m.svg").status == 0
    document = xml.dom.minidom.parse(str(folder / "m.svg"))
    texts = ["".join(n.data for n in node.childNodes) for node in document.getElementsByTagName("text")]
    assert "all processes together" in texts and "main" in texts and "block" in texts
    assert any(re.match(r"peak of the sum [\d.]+ MiB at", text) for text in texts)
    curves = [p for p in document.getElementsByTagName("path") if p.getAttribute("fill") == "none" and p.getAttribute("stroke")]
    assert len(curves) == 3
    assert not document.getElementsByTagName("script")


# ---- S-O3: mprof's files, and several recordings in one picture ----

def read_dat(path):
    """As mprof's own reader does: MEM, CHLD by child, FUNC by name."""
    memory, children, functions = [], {}, {}
    for line in path.read_text(encoding="utf-8").splitlines():
        field, value = line.split(" ", 1)
        values = value.split(" ")
        if field == "MEM":
            memory.append((float(values[0]), float(values[1])))
        elif field == "CHLD":
            children.setdefault(values[0], []).append((float(values[1]), float(values[2])))
        elif field == "FUNC":
            functions.setdefault(values[0], []).append([float(v) for v in values[1:5]])
    return memory, children, functions


def test_dat_both_ways(pyrometer, any_python, stairs):
    folder, _ = stairs(any_python)
    run(pyrometer, "report", folder / "m.pyro", "-o", folder / "m.dat")
    ours = reported(pyrometer, folder / "m.pyro")
    memory, children, functions = read_dat(folder / "m.dat")
    start = ours.data["start_unix_ns"]
    parent, child = ours.curves
    assert [round(m * MIB / 1024) * 1024 for m, _ in memory] == [bytes for _, bytes in parent.points]
    assert all(abs(t - (start + ns) / 1e9) < 1e-4 for (_, t), (ns, _) in zip(memory, parent.points))
    assert [round(m * MIB / 1024) * 1024 for m, _ in children[str(child.data["pid"])]] == [bytes for _, bytes in child.points]
    assert len(functions["main"]) == 1 and len(functions["block"]) >= 2
    # And back.
    again = reported(pyrometer, folder / "m.dat")
    assert [b for _, b in again.curves[0].points] == [b for _, b in parent.points]
    assert [b for _, b in again.curves[1].points] == [b for _, b in child.points]
    assert again.sum.peak == ours.sum.peak
    assert {f["function"] for f in again.functions} == set(functions)
    run(pyrometer, "report", folder / "m.dat", "-o", folder / "again.dat")
    assert (folder / "again.dat").read_bytes() == (folder / "m.dat").read_bytes()


def test_mprof_reads_ours_and_we_read_its(pyrometer, any_python, stairs, own_subjects, tmp_path):
    if not (MPROF / "mprof").exists():
        pytest.skip("memory_profiler is missing (tools/get-consumers.sh)")
    folder, _ = stairs(any_python)
    run(pyrometer, "report", folder / "m.pyro", "-o", tmp_path / "m.dat")
    ours = reported(pyrometer, folder / "m.pyro")
    code = "import json, mprof, sys; print(json.dumps(mprof.read_mprofile_file(sys.argv[1])))"
    theirs = json.loads(subprocess.run([str(MPROF / "python"), "-W", "ignore", "-c", code, str(tmp_path / "m.dat")], check=True, stdout=subprocess.PIPE,
                                       env=clean_environment()).stdout.decode())
    assert [round(m * MIB / 1024) * 1024 for m in theirs["mem_usage"]] == [bytes for _, bytes in ours.curves[0].points]
    assert [len(of) for of in theirs["children"].values()] == [len(ours.curves[1].points)]
    assert {"main", "block"} <= set(theirs["func_timestamp"])
    peak = subprocess.run([str(MPROF / "mprof"), "peak", str(tmp_path / "m.dat")], check=True, stdout=subprocess.PIPE, env=clean_environment()).stdout.decode()
    assert "%.3f MiB" % (ours.curves[0].peak / MIB) in peak
    # Its own file: the same values here as there.
    subprocess.run([str(MPROF / "mprof"), "run", "-M", "-o", str(tmp_path / "its.dat"), str(own_subjects / "m_stairs.py")], check=True,
                   stdout=subprocess.PIPE, env=clean_environment())
    its = reported(pyrometer, tmp_path / "its.dat")
    memory, children, _ = read_dat(tmp_path / "its.dat")
    assert [b for _, b in its.curves[0].points] == [round(m * MIB / 1024) * 1024 for m, _ in memory]
    assert [len(curve.points) for curve in its.curves[1:]] == [len(of) for of in children.values()]


def test_several_in_one_picture(pyrometer, any_python, stairs):
    folder, _ = stairs(any_python)
    run(pyrometer, "report", folder / "m.pyro", "-o", folder / "other.dat")
    recordings = [folder / "m.pyro", folder / "other.dat", folder / "m.pyro"]
    answer = run(pyrometer, "report", *recordings, "-o", folder / "all.svg")
    assert (answer.status, answer.err) == (0, "")
    document = xml.dom.minidom.parse(str(folder / "all.svg"))
    texts = ["".join(n.data for n in node.childNodes) for node in document.getElementsByTagName("text")]
    assert "Resident memory of 3 recordings" in texts
    assert all(any(text.endswith(path.name) for text in texts) for path in recordings)
    curves = [p for p in document.getElementsByTagName("path") if p.getAttribute("fill") == "none" and p.getAttribute("stroke")]
    assert len({p.getAttribute("stroke") for p in curves}) == len(curves) == 3
    several = reported(pyrometer, *recordings)
    assert len(several.curves) == 3 and len({curve.peak for curve in several.curves}) == 1
    assert "3 recordings" in run(pyrometer, "report", *recordings).out


# ---- the target is left alone ----

def test_status_and_output_are_the_targets(pyrometer, any_python, tmp_path):
    code = "import sys, time; print('out'); print('err', file=sys.stderr); time.sleep(.1); sys.exit(7)"
    answer = run(pyrometer, "memory", "--rss", "-q", "-o", tmp_path / "x.pyro", *any_python.argv, "-c", code)
    assert (answer.status, answer.out, answer.err) == (7, "out\n", "err\n")
    assert "ended with status 7" in run(pyrometer, "report", tmp_path / "x.pyro").out


def test_default_name(pyrometer, any_python, own_subjects, tmp_path):
    answer = run(pyrometer, "memory", "--rss", "-i", "5ms", *any_python.command(own_subjects / "echo.py"), cwd=str(tmp_path))
    made, = tmp_path.glob("*.pyro")
    assert re.match(r"^.+-\d+\.pyro$", made.name) and "recording: %s" % made.name in answer.err


def test_attach(pyrometer, any_python, own_subjects, tmp_path):
    code = "import time; b = bytearray(b'x') * (30 << 20); print('READY', flush=True); time.sleep(60)"
    with Subject(any_python.argv + ["-c", code]) as subject:
        subject.await_ready()
        answer = run(pyrometer, "memory", "--rss", "-p", subject.pid, "-d", "500ms", "-q", "-o", tmp_path / "x.json")
        assert (answer.status, answer.err) == (0, "")
        assert subject.process.poll() is None
        with open("/proc/%d/statm" % subject.pid) as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    memory = Memory(tmp_path / "x.json")
    assert {bytes for _, bytes in memory.curves[0].points} == {resident}
    assert memory.curves[0].data["pid"] == subject.pid


def test_shares_cost_less_than_a_thousandth(pyrometer, any_python, tmp_path):
    """PSS is what smaps_rollup says, and is read the less often the more pages there are."""
    code = "import time; b = bytearray(b'x') * (%d << 20); time.sleep(2)"
    readings = {}
    for mebibytes in (1, 200):
        run(pyrometer, "memory", "--rss", "-q", "-o", tmp_path / "x.json", *any_python.argv, "-c", code % mebibytes)
        curve = Memory(tmp_path / "x.json").curves[0].data
        readings[mebibytes] = list(zip(curve.get("shares_ns", []), curve.get("pss_bytes", []), curve.get("uss_bytes", [])))
        for ns, pss, uss in readings[mebibytes]:
            resident = max(bytes for time, bytes in Curve(curve).points)
            assert 0 < uss <= pss <= resident + MIB
    assert len(readings[1]) >= 1 and len(readings[200]) < len(readings[1])


# ---- what cannot be ----

@pytest.mark.parametrize("words, status, says", [
    (["memory", "--rss"], 2, "nothing to look at"),
    (["memory", "--rss", "-p", "1", "true"], 2, "not both"),
    (["memory", "--rss", "-i", "0", "true"], 2, "no duration"),
    (["memory", "--rss", "no-such-program"], 127, "no-such-program"),
    (["memory", "--rss", "no-such.py"], 127, "no-such.py"),
    (["memory", "--rss", "-p", "4194303"], 125, "there is no process"),
    (["memory", "--rss", "-o", "/no/such/x.pyro", "true"], 125, "cannot create"),
    (["memory", "--rss", "-o", "/no/such/x.svg", "true"], 125, "cannot write"),
    (["memory", "--rss", "-o", "x.unknown", "true"], 2, "no format"),
], ids=lambda value: "-".join(value) if isinstance(value, list) else None)
def test_refused(pyrometer, tmp_path, words, status, says):
    answer = run(pyrometer, *words, cwd=str(tmp_path))
    assert (answer.status, answer.out) == (status, "")
    assert says in answer.sentence()
    assert not list(tmp_path.iterdir())


def test_a_target_that_ends_at_once(pyrometer, tmp_path):
    """Either there was a reading or there is a sentence; its status is its own."""
    for program, status in [("true", {0, 125})] * 8 + [("false", {1})]:
        answer = run(pyrometer, "memory", "--rss", "-o", tmp_path / "x.pyro", program)
        assert answer.status in status
        if (tmp_path / "x.pyro").exists():
            assert "resident memory" in run(pyrometer, "report", tmp_path / "x.pyro").out
            (tmp_path / "x.pyro").unlink()
        else:
            assert "ended before the first reading" in answer.sentence()
            assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content, says", [
    ("MEM 1 2\nMEM x 3\n", "line 2 is no MEM line"),
    ("MEM 1 2\n\n", "line 2 is empty"),
    ("CMDLINE a\nCHLD 1\n", "line 2 is no CHLD line"),
    ("FUNC f 1 2 3\nMEM 1 2\n", "line 1 is no FUNC line"),
    ("CMDLINE python3 app.py\n", "no reading of memory"),
    ("", "empty"),
    ("MEM \0\0\xff 3\n", "line 1 is no MEM line"),
], ids=["number", "blank", "child", "function", "none", "empty", "bytes"])
def test_damaged_dat(pyrometer, tmp_path, content, says):
    path = tmp_path / "x.dat"
    path.write_bytes(content.encode("latin-1"))
    answer = run(pyrometer, "report", path)
    assert (answer.status, answer.out) == (125, "")
    assert says in answer.sentence() and "x.dat" in answer.sentence()


def test_dat_that_breaks_off(pyrometer, tmp_path):
    path = tmp_path / "x.dat"
    path.write_text("NEW 1\nMEM 10 20\nMEM 30 21\nMEM 12")
    answer = run(pyrometer, "report", path)
    assert answer.status == 125 and "not a recording" in answer.sentence(), "a word that nobody knows says nothing of the file"
    path.write_text("MEM 10 20\nNEW 1\nMEM 30 21\nMEM 12")
    answer = run(pyrometer, "report", path)
    assert answer.status == 0 and "30.0 MiB" in answer.out and "breaks off" in answer.out


def test_only_memory_can_be_shown_together(pyrometer, any_python, own_subjects, tmp_path):
    (tmp_path / "x.dat").write_text("MEM 10 20\nMEM 30 21\n")
    run(pyrometer, "record", "-q", "-o", tmp_path / "s.pyro", *any_python.command(own_subjects / "demo.py"))
    for words in (("x.dat", "s.pyro"), ("s.pyro", "x.dat")):
        answer = run(pyrometer, "report", *words, cwd=str(tmp_path))
        assert answer.status == 2 and "s.pyro has no resident memory" in answer.sentence()
    answer = run(pyrometer, "report", "x.dat", "x.dat", "-o", "y.dat", cwd=str(tmp_path))
    assert answer.status == 2 and "one recording only" in answer.sentence()
    answer = run(pyrometer, "report", "s.pyro", "-o", "y.dat", cwd=str(tmp_path))
    assert answer.status == 2 and "no resident memory" in answer.sentence()
    answer = run(pyrometer, "report", "x.dat", "-o", "y.pyro", cwd=str(tmp_path))
    assert answer.status == 2 and "cannot be made one" in answer.sentence()
    assert not (tmp_path / "y.dat").exists()


def test_killed_it_leaves_what_was_read(pyrometer, any_python, tmp_path):
    code = "import time; b = bytearray(b'x') * (30 << 20); time.sleep(2.5)"
    process = harness.start_pyrometer(pyrometer, "memory", "--rss", "-q", "-o", tmp_path / "x.pyro", *any_python.argv, "-c", code)
    time.sleep(2)
    process.kill()
    process.communicate()
    answer = run(pyrometer, "report", tmp_path / "x.pyro.part")
    assert answer.status == 0 and "cut off" in answer.out
    assert float(re.search(r"^ +([\d.]+) MiB", answer.out, re.M).group(1)) > 30
