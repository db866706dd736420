"""Times of lines against line_profiler's, where it is right: one thread, no recursion, lines that take far more than it costs."""
import ast
import json
import statistics

import pytest

import harness
from harness import run
from test_lines import scene  # noqa: F401: a fixture

pytestmark = [pytest.mark.parametrize("interpreter", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"], indirect=True)]

LINE_PROFILER = harness.ROOT / ".consumers" / "line_profiler"
PROGRAM = """import sys, time
def work(n):
    for i in range(n):
        time.sleep(0.0010)
        time.sleep(0.0003)
        if i % 2:
            total = sum(range(1000))
        else:
            time.sleep(0.0005)
    return total
if 'plain' in sys.argv:
    work(200)
else:
    import line_profiler
    profile = line_profiler.LineProfiler(work)
    profile.runcall(work, 200)
    stats = profile.get_stats()
    (rows,) = stats.timings.values()
    print({row[0]: (row[1], row[2] * stats.unit * 1e9) for row in rows})
"""
LINES = {4: "sleep(0.0010)", 5: "sleep(0.0003)", 9: "sleep(0.0005)"}  # that of the sum is the machine's, from run to run


def test_times(scene):
    """Within 3 %: medians of runs that take turns, and more of them while the machine is not steady."""
    peer = LINE_PROFILER / scene.interpreter.name
    if not peer.is_dir():
        pytest.skip("line_profiler is missing (tools/get-consumers.sh)")
    program = scene.write("app.py", PROGRAM)
    theirs, ours = [], []
    for attempt in range(15):
        answer = run(*scene.interpreter.argv, program, env=dict(scene.environment, PYTHONPATH=str(peer)))
        assert answer.status == 0, answer.err
        theirs.append(ast.literal_eval(answer.out))
        answer = run(scene.pyrometer, "lines", "-q", "-f", "work", "-o", scene.path / "a.json", "--", *scene.interpreter.argv, program, "plain", env=scene.environment)
        assert answer.status == 0, answer.err
        function, = json.loads((scene.path / "a.json").read_text())["functions"]
        ours.append({line["line"]: (line["hits"], line["time_ns"]) for line in function["lines"]})
        assert {line: hits for line, (hits, _) in theirs[-1].items()} == {line: hits for line, (hits, _) in ours[-1].items()}
        ratios = {text: statistics.median(run_[line][1] for run_ in ours) / statistics.median(run_[line][1] for run_ in theirs) for line, text in LINES.items()}
        ratios["all"] = statistics.median(sum(row[1] for row in run_.values()) for run_ in ours) / statistics.median(sum(row[1] for row in run_.values()) for run_ in theirs)
        if attempt >= 2 and all(abs(ratio - 1) < 0.03 for ratio in ratios.values()):
            return
    assert not ratios, ratios
