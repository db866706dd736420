"""Other tools beside `pyrometer lines`, and programs that are busy: each gets what it would get without us."""
import json

import pytest

import harness
from harness import clean_environment, run
from test_calls_beside import COVERAGE, COVERED, DEBUGGED
from test_lines import scene  # noqa: F401: a fixture

COMMANDS = ("b f", "c", "p x", "n", "p y", "r", "cl 1", "c", "q")
YIELDED = "the program has set a trace function of its own, and this Python has one place for one: lines that ran from then on were not measured"
on_all = pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)


@on_all
def test_debugger(scene):
    """pdb stops where it is told to. From 3.12 on we measure beside it; before, it has the one place for a trace function, and
    we say that we end."""
    script = scene.write("debugged.py", DEBUGGED)
    words = ["-m", "pdb", *(word for command in COMMANDS for word in ("-c", command)), str(script)]
    plain = run(*scene.interpreter.argv, *words, env=scene.environment)
    answer = run(scene.pyrometer, "lines", "-q", "-o", scene.path / "a.pyro", "-f", "f", "-f", "pdb:main", "--", *scene.interpreter.argv, *words, env=scene.environment)
    assert answer.out == plain.out and "[1, 2, 3]" in plain.out and "--Return--" in plain.out
    if scene.interpreter.version >= (3, 12):
        assert answer.status == plain.status
        assert scene.read().line("f", 1)[0] == scene.read().line("f", 2)[0] == 3
    else:
        assert YIELDED in answer.err


@pytest.mark.parametrize("core", ["ctrace", "sysmon"])
@pytest.mark.parametrize("interpreter", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"], indirect=True)
def test_coverage(scene, core):
    """coverage.py finds the same lines and branches."""
    version = scene.interpreter.name
    if core == "sysmon" and scene.interpreter.version < (3, 12):
        pytest.skip("sys.monitoring is there from 3.12 on")
    if not (COVERAGE / version).is_dir():
        pytest.skip("coverage.py is missing (tools/get-consumers.sh)")
    script = scene.write("covered.py", COVERED)
    environment = dict(scene.environment, PYTHONPATH=str(COVERAGE / version), COVERAGE_CORE=core, COVERAGE_FILE=str(scene.path / "data"))

    def covered(*before):
        branches = ["--branch"] if core == "ctrace" else []
        answer = run(*before, *scene.interpreter.argv, "-m", "coverage", "run", *branches, "--include", script, script, env=environment)
        assert answer.status == 0 or YIELDED in answer.err, answer.err
        found = scene.path / "found.json"
        told = run(*scene.interpreter.argv, "-m", "coverage", "json", "-q", "-o", found, env=environment)
        assert told.status == 0, told.err
        file, = json.loads(found.read_text())["files"].values()
        return answer, {key: file.get(key) for key in ("executed_lines", "missing_lines", "executed_branches", "missing_branches")}

    _, plain = covered()
    answer, beside = covered(scene.pyrometer, "lines", "-q", "-o", scene.path / "a.pyro", "-f", "f", "-f", "g", "-f", "covered:", "--")
    assert plain == beside and plain["missing_lines"] == [13]
    if scene.interpreter.version >= (3, 12):
        lines = scene.read()
        assert [lines.line("f", offset)[0] for offset in (1, 2, 3)] == [9, 5, 4] and lines.line("g", 1)[0] == 10
    else:
        assert YIELDED in answer.err  # and nothing was measured before


BUSY = """import threading, sys
def leaf(n):
    total = 0
    for i in range(n):
        total += i
    return total
def work():
    while not done:
        for n in (1, 5, 9): assert leaf(n) == n * (n - 1) // 2
done = []
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
print('READY', flush=True)
sys.stdin.readline()
done.append(1)
for thread in threads: thread.join()
print('right', sys.gettrace(), sys.getprofile())
"""


@on_all
def test_coming_and_going(scene):
    """Into four busy threads and out again, fifteen times: hits of a call's lines agree but for the calls that were under way."""
    program = scene.write("busy.py", BUSY)
    with harness.Subject([*scene.interpreter.argv, str(program)], env=clean_environment()) as subject:
        subject.await_ready()
        for _ in range(15):
            answer = run(scene.pyrometer, "lines", "-q", "-p", subject.pid, "-d", "20ms", "-f", "leaf", "-o", scene.path / "a.pyro", env=scene.environment)
            assert answer.status == 0, answer.err
            lines = scene.read()
            begun, again, added, left = (lines.line("leaf", offset)[0] for offset in (1, 2, 3, 4))
            assert added > 50 and abs(again - added - left) <= 8 and abs(begun - left) <= 8 and abs(added - 5 * begun) <= 8 * 9 + 4 * 9
        subject.tell("\n")
        assert subject.rest().strip() == "right None None"
