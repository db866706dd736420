"""`pyrometer report` of recordings of lines and of line_profiler's files, as its users see it. That the text is line_profiler's own is
tests/consumers/check_consumers.py's to show."""
import json
import os
import pickle
import subprocess
import sys
import types

import pytest

from harness import run

SOURCE = """def hot(n):
    total = 0
    for i in range(n):
        total += i
    return total


def cold():
    pass
"""


@pytest.fixture(scope="module")
def line_stats():
    """A class that is pickled by the name that line_profiler's has; line_profiler itself need not be there."""
    module = types.ModuleType("line_profiler._line_profiler")

    class LineStats:
        pass

    LineStats.__module__, LineStats.__qualname__ = module.__name__, "LineStats"
    module.LineStats = LineStats
    before = dict(sys.modules)
    sys.modules.update({"line_profiler": types.ModuleType("line_profiler"), module.__name__: module})
    yield LineStats
    for name in ("line_profiler", module.__name__):
        sys.modules.pop(name)
        if name in before:
            sys.modules[name] = before[name]


@pytest.fixture
def files(tmp_path, line_stats):
    (tmp_path / "app.py").write_text(SOURCE)
    stats = line_stats()
    stats.timings = {(str(tmp_path / "app.py"), 1, "hot"): [(2, 1, 500), (3, 1001, 90000), (4, 1000, 110000), (5, 1, 250)],
                     (str(tmp_path / "app.py"), 8, "cold"): []}
    stats.unit = 1e-9
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        with open(str(tmp_path / ("p%d.lprof" % protocol)), "wb") as file:
            pickle.dump(stats, file, protocol)
    return tmp_path


HOT = """Timer unit: 1e-06 s

Total time: 0.00020075 s
File: %s/app.py
Function: hot at line 1

Line #      Hits         Time  Per Hit   %% Time  Line Contents
==============================================================
     1                                           def hot(n):
     2         1          0.5      0.5      0.2      total = 0
     3      1001         90.0      0.1     44.8      for i in range(n):
     4      1000        110.0      0.1     54.8          total += i
     5         1          0.2      0.2      0.1      return total

"""


def test_every_protocol(pyrometer, files):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        answer = run(pyrometer, "report", "--skip-zero", files / ("p%d.lprof" % protocol))
        assert (answer.status, answer.err) == (0, "")
        assert answer.out == HOT % files


def test_options(pyrometer, files):
    whole = run(pyrometer, "report", files / "p2.lprof").out
    assert whole.startswith(HOT % files) and "Function: cold at line 8\n" in whole
    assert "     8                                           def cold():\n" in whole
    last = run(pyrometer, "report", files / "p2.lprof", "--sort", "time", "--summarize", "--unit", "1e-3").out
    assert last.startswith("Timer unit: 0.001 s\n")
    assert last.index("Function: cold") < last.index("Function: hot")
    assert last.endswith("  0.00 seconds - %s/app.py:8 - cold\n  0.00 seconds - %s/app.py:1 - hot\n" % (files, files))
    assert "Own Time" in run(pyrometer, "report", files / "p2.lprof", "--self").out
    one = run(pyrometer, "report", files / "p2.lprof", "-n", "1").out
    assert "hot at line" in one and "cold at line" not in one


def test_written_again(pyrometer, files, line_stats):
    answer = run(pyrometer, "report", files / "p2.lprof", "-o", files / "again.lprof", "-o", files / "again.json")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    with open(str(files / "again.lprof"), "rb") as ours, open(str(files / "p5.lprof" if pickle.HIGHEST_PROTOCOL > 4 else files / "p4.lprof"), "rb") as theirs:
        ours, theirs = pickle.load(ours), pickle.load(theirs)
    assert type(ours) is line_stats and ours.__dict__ == theirs.__dict__
    report = json.loads((files / "again.json").read_text())
    assert report["schema"] == "pyrometer.lines/1" and report["totals"]["hits"] == 2003
    assert [line["time_ns"] for line in report["functions"][0]["lines"]] == [500, 90000, 110000, 250]


def test_refused(pyrometer, files):
    """One sentence each, which says what is wrong."""
    whole = (files / "p4.lprof").read_bytes()
    (files / "cut.lprof").write_bytes(whole[:100])
    (files / "other.lprof").write_bytes(pickle.dumps({"timings": {}}, 4))
    (files / "evil.lprof").write_bytes(b"\x80\x02cos\nsystem\nX\x12\x00\x00\x00touch evil-made-it\x85R.")
    for words, said in ((["cut.lprof"], "the pickle is damaged at byte "), (["other.lprof"], "none of line_profiler's: it is no LineStats"),
                        (["evil.lprof"], "none of line_profiler's: it is no LineStats"), (["p2.lprof", "-o", "x.pstats"], "is one of lines"),
                        (["p2.lprof", "-o", "x.callgrind"], "is one of lines"), (["p2.lprof", "-o", "x.pyro"], "cannot be made one"),
                        (["p2.lprof", "-o", "x.trace.json"], "has no single calls"), (["p2.lprof", "--tree"], "does not know who called whom"),
                        (["p2.lprof", "--callers", "hot"], "does not know who called whom"), (["p2.lprof", "--unit", "0"], "no number of seconds"),
                        (["p2.lprof", "--sort", "nonsense"], "--sort: 'nonsense'"), (["p2.lprof", "--clock", "cpu"], "CPU time")):
        answer = run(pyrometer, "report", *words, cwd=str(files))
        assert answer.status != 0 and answer.out == "", words
        assert said in answer.sentence(), words
    assert not os.path.exists(str(files / "evil-made-it"))
    assert not [name for name in os.listdir(str(files)) if name.startswith("x.")]


def test_recording(pyrometer, tmp_path):
    """A file of our own, through the file format: equal to what the profile says without it."""
    tool = pyrometer.parent / "tests" / "unit" / "synthetic_tool"
    if not tool.exists():
        pytest.skip("there is no synthetic_tool beside %s" % pyrometer)
    subprocess.run([str(tool), "mill", "pyro", "--path", str(tmp_path / "mill.pyro")], check=True)
    for format in ("json", "lprof", "collapsed", "text"):
        expected = subprocess.run([str(tool), "mill", format, "--root", "", "--weight", "wall"], stdout=subprocess.PIPE, check=True, cwd=str(tmp_path)).stdout
        answer = run(pyrometer, "report", "mill.pyro", "--format", format, cwd=str(tmp_path))
        assert (answer.status, answer.err) == (0, "")
        assert answer.out == expected.decode("utf-8", "replace"), format
