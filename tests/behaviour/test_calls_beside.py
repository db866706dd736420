"""Other tools beside `pyrometer calls`: each gets what it would get without us, and we say when we get nothing any more."""
import json

import pytest

import harness
from harness import clean_environment
from test_calls import Calls, folder  # noqa: F401: folder is a fixture

MONITORING = pytest.mark.parametrize("interpreter", ["3.12", "3.13", "sid-3.13", "sid-3.14", "sid-3.15"], indirect=True)
FRAMES = pytest.mark.parametrize("interpreter", ["3.8", "3.9", "3.10"], indirect=True)
BEFORE = pytest.mark.parametrize("interpreter", ["3.8", "3.9", "3.10", "3.11"], indirect=True)
BUILTINS = pytest.mark.parametrize("words", [(), ("--no-builtins",)], ids=["builtins", "python"])


def without_us(folder):
    """What the program that was run last prints by itself."""
    return harness.subprocess.run([*folder.interpreter.argv, str(folder.path / "app.py")], stdout=harness.subprocess.PIPE,
                                  env=clean_environment(), universal_newlines=True, check=True).stdout


@MONITORING
def test_other_tools_of_monitoring(pyrometer, folder):
    """A debugger or coverage beside us gets what it would get."""
    answer, calls = folder.run(pyrometer, """
import sys
seen = []
mon = sys.monitoring
def f(): pass
mon.use_tool_id(mon.COVERAGE_ID, "coverage")
mon.register_callback(mon.COVERAGE_ID, mon.events.PY_START, lambda code, offset: seen.append(code.co_name))
mon.set_events(mon.COVERAGE_ID, mon.events.PY_START)
for _ in range(10): f()
mon.set_events(mon.COVERAGE_ID, 0)
import cProfile
p = cProfile.Profile(); p.enable(); f(); p.disable()
print(seen.count("f"), sum(e.callcount for e in p.getstats() if getattr(e.code, "co_name", "") == "f"))
""")
    assert answer.status == 0 and answer.out == "10 1\n" and calls.count("f") == 11


CPROFILE = """
import cProfile
def f(): return len("abc")
for _ in range(5): f()
profile = cProfile.Profile()
profile.enable()
for _ in range(10): f()
profile.disable()
for _ in range(20): f()
def name(entry): return entry.code if isinstance(entry.code, str) else entry.code.co_name
print(sorted((name(entry), entry.callcount, entry.reccallcount) for entry in profile.getstats()))
"""


@FRAMES
@BUILTINS
def test_cprofile(pyrometer, folder, words):
    answer, calls = folder.run(pyrometer, CPROFILE, *words)
    assert answer.status == 0 and answer.out == without_us(folder)
    assert calls.count("f") == 35
    if not words:
        assert calls.callers("<built-in method builtins.len>")["f"] == 35


YIELDED = "the program has set a profile function of its own, and Python 3.11 has one place for one: calls from then on were not counted"
ONE_PLACE = pytest.mark.parametrize("interpreter", ["3.11"], indirect=True)


@ONE_PLACE
@pytest.mark.parametrize("where", ["{}", "import threading; thread = threading.Thread(target=lambda: exec({!r}, globals())); thread.start(); thread.join()"],
                         ids=["main", "thread"])
def test_cprofile_takes_the_place(pyrometer, folder, where):
    """It gets what it would get, and we say since when calls are missing."""
    source = where.format(CPROFILE) if where == "{}" else "def f(): pass\n" + where.format(CPROFILE)
    answer, calls = folder.run(pyrometer, source + "\nimport time; time.sleep(0.8)\n", "-o", folder.path / "a.pyro")
    assert answer.out == without_us(folder) and YIELDED in answer.err
    assert calls.count("f") == 5
    text = harness.run(pyrometer, "report", folder.path / "a.pyro").out
    assert 0 < float(harness.re.search(r"Measuring ended at ([0-9.]+) s, before the program did", text)[1]) < 0.7


@ONE_PLACE
def test_a_tool_that_comes_later(pyrometer, folder):
    """While we are in a running program."""
    script = folder.path / "app.py"
    script.write_text("import sys, threading\ndef f(): pass\ndef tool(*_): pass\nprint('READY', flush=True)\n"
                      "sys.stdin.readline(); f(); sys.setprofile(tool); f()\nsys.stdin.readline(); print('set', sys.getprofile() is tool)\n")
    with harness.Subject([*folder.interpreter.argv, str(script)], env=clean_environment()) as subject:
        subject.await_ready()
        command = [str(pyrometer), "calls", "-q", "-p", str(subject.pid), "-d", "1", "-o", str(folder.path / "a.pstats")]
        with harness.subprocess.Popen(command, stderr=harness.subprocess.PIPE, env=clean_environment(XDG_CACHE_HOME=str(folder.path))) as ours:
            harness.time.sleep(0.5)
            subject.tell("\n")
            assert YIELDED in ours.stderr.read().decode()
        assert Calls(folder.path / "a.pstats").count("f") == 1
        subject.tell("\n")
        assert subject.rest().strip() == "set True"


TOOLS = """
import sys, threading
seen = []
def tool(frame, event, argument):
    if event in ("call", "return"): seen.append((event, frame.f_code.co_name))
    elif event.startswith("c_"): seen.append((event, argument.__name__))
    else: seen.append((event, frame.f_lineno))
    return tool
def f(): return len("abc")
def fails(): int("x")
print(sys.getprofile(), sys.gettrace())
sys.%(set)s(tool)
f()
print(sys.%(get)s() is tool)
try: fails()
except ValueError: pass
sys.%(set)s(None)
f()
print(seen, sys.getprofile(), sys.gettrace())
"""


@BEFORE
@BUILTINS
def test_trace_functions(pyrometer, folder, words):
    """Of debuggers and coverage.py: another place than ours."""
    answer, calls = folder.run(pyrometer, TOOLS % {"set": "settrace", "get": "gettrace"}, *words)
    assert answer.status == 0 and answer.out == without_us(folder)
    assert calls.count("f") == 2 and calls.count("fails") == 1


# ---- a debugger and coverage.py ----

DEBUGGED = """def f(x):
    y = x + 1
    return y
def work():
    return [f(n) for n in range(3)]
print(work())
"""


@pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)
def test_debugger(pyrometer, folder):
    """pdb stops where it is told to and sees what is there."""
    script = folder.path / "debugged.py"
    script.write_text(DEBUGGED)
    words = ["-m", "pdb", *(word for command in ("b f", "c", "p x", "n", "p y", "r", "cl 1", "c", "q") for word in ("-c", command)), str(script)]
    plain = harness.run(*folder.interpreter.argv, *words, env=clean_environment())
    out = folder.path / "out.pstats"
    answer = harness.run(pyrometer, "calls", "-q", "-o", out, "--", *folder.interpreter.argv, *words, env=clean_environment(XDG_CACHE_HOME=str(folder.path)))
    assert answer.status == plain.status and answer.out == plain.out and "[1, 2, 3]" in plain.out and "--Return--" in plain.out
    assert Calls(out).count("f") == 3 and Calls(out).count("work") == 1


COVERAGE = harness.ROOT / ".consumers" / "coverage"
COVERED = """import threading
def f(x):
    if x > 1:
        return x
    return 0
def g():
    for n in range(4): f(n)
thread = threading.Thread(target=g)
thread.start()
thread.join()
g()
if not f(9):
    f(1)
"""


@pytest.mark.parametrize("core", ["ctrace", "sysmon"])
@pytest.mark.parametrize("interpreter", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"], indirect=True)
def test_coverage(pyrometer, folder, core):
    """coverage.py finds the same lines and branches."""
    version = folder.interpreter.name
    if core == "sysmon" and folder.interpreter.version < (3, 12):
        pytest.skip("sys.monitoring is there from 3.12 on")
    if not (COVERAGE / version).is_dir():
        pytest.skip("coverage.py is missing (tools/get-consumers.sh)")
    script = folder.path / "covered.py"
    script.write_text(COVERED)

    def covered(*before):
        environment = clean_environment(XDG_CACHE_HOME=str(folder.path), PYTHONPATH=str(COVERAGE / version), COVERAGE_CORE=core,
                                        COVERAGE_FILE=str(folder.path / "data"))
        branches = ["--branch"] if core == "ctrace" else []
        answer = harness.run(*before, *folder.interpreter.argv, "-m", "coverage", "run", *branches, "--include", script, script, env=environment)
        assert answer.status == 0, answer.err
        found = folder.path / "found.json"
        answer = harness.run(*folder.interpreter.argv, "-m", "coverage", "json", "-q", "-o", found, env=environment)
        assert answer.status == 0, answer.err
        file, = json.loads(found.read_text())["files"].values()
        return {key: file.get(key) for key in ("executed_lines", "missing_lines", "executed_branches", "missing_branches")}

    out = folder.path / "out.pstats"
    plain, beside = covered(), covered(pyrometer, "calls", "-q", "-o", out, "--")
    assert plain == beside and plain["missing_lines"] == [13]
    assert Calls(out).count("f") == 9 and Calls(out).count("g") == 2
