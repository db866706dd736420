"""Times of calls against cProfile's, where it is right: one thread, calls that take far more than it costs."""
import ast
import statistics

import pytest

import harness
from harness import run
from test_calls import Calls, folder  # noqa: F401: folder is a fixture

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]

PROGRAM = """import sys, time
def short(): time.sleep(0.0003)
def long(): time.sleep(0.0010)
def add(): return sum(range(1000))
def both():
    short()
    long()
    add()
def nested(n):
    if n: nested(n - 1)
    else: both()
def main():
    for _ in range(60): nested(5)
if sys.argv[1] == "plain":
    main()
else:
    import cProfile
    profile = cProfile.Profile()
    profile.runcall(main)
    profile.create_stats()
    print({key[2]: row[:4] for key, row in profile.stats.items()})
"""
KNOWN = ("short", "long", "both", "nested", "main")  # the time of add() is the machine's, from run to run


def test_times(pyrometer, folder):
    """Within 3 %: medians of runs that take turns, and more of them while the machine is not steady."""
    theirs, ours = [], []
    for attempt in range(12):
        answer, calls = folder.run(pyrometer, PROGRAM, arguments=("plain",))
        assert answer.status == 0, answer.err
        ours.append({name: calls.row(name) for name in KNOWN})
        answer = run(*folder.interpreter.argv, folder.path / "app.py", "cProfile", env=harness.clean_environment())
        assert answer.status == 0, answer.err
        rows = ast.literal_eval(answer.out)
        theirs.append({name: (rows[name][1], rows[name][0], *rows[name][2:]) for name in KNOWN})
        assert {name: row[:2] for name, row in ours[-1].items()} == {name: row[:2] for name, row in theirs[-1].items()}
        cumulative = {name: statistics.median(of[name][3] for of in ours) / statistics.median(of[name][3] for of in theirs) for name in KNOWN}
        if attempt >= 2 and all(0.97 < ratio < 1.03 for ratio in cumulative.values()):
            return
    assert not cumulative, cumulative
