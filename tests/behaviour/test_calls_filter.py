"""`-f` and `--exclude`: which functions are counted, whose time that of the others is, and what is said of a pattern that
matches nothing."""
import threading

import pytest

import test_attach
import harness
from test_calls import folder  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]

PROGRAM = """
import json, sys, threading
class Box:
    def put(self, x): return len(str(x))
    def get(self): return helper(3)
def helper(n): return sorted([3, 1, n], key=leaf)
def leaf(x): return inner_leaf(sorted([-x])[0])
def inner_leaf(x): return x
def work():
    box = Box()
    def nested(): return box.get()
    for i in range(10):
        box.put(i); nested()
for _ in range(5): work()
thread = threading.Thread(target=work)
thread.start()
thread.join()
json.dumps({})
"""


def python_rows(calls):
    """Calls by name of what is written in Python."""
    return {key[2]: row[1] for key, row in calls.rows.items() if key[0] != "~"}


def refuses_qualified(interpreter, words):
    """Before 3.11 code does not know within which class it is."""
    return interpreter.version < (3, 11) and any("." in word.split(":")[-1] and not word.endswith(".py") for word in words)


@pytest.mark.parametrize("words, wanted", [
    (["-f", "work"], {"work": 6}),
    (["-f", "put", "-f", "leaf"], {"put": 60, "leaf": 180}),
    (["-f", "Box.*"], {"put": 60, "get": 60}),
    (["-f", "app:Box.g?t"], {"get": 60}),
    (["-f", "work.*"], {"nested": 60}),
    (["-f", "work*"], {"work": 6}),
    (["-f", "app.py", "--exclude", "leaf", "--exclude", "Box.*", "--exclude", "<module>", "--exclude", "app.py:Box"],
     {"work": 6, "nested": 60, "helper": 60, "inner_leaf": 180}),
    (["-f", "json/**:dumps"], {"dumps": 1}),
    (["-f", "json:dumps"], {"dumps": 1}),
])
def test_what_is_counted(pyrometer, folder, words, wanted):  # noqa: F811
    answer, calls = folder.run(pyrometer, PROGRAM, "--no-builtins", *words)
    if refuses_qualified(folder.interpreter, words):
        assert answer.status == 125 and "before Python 3.11 code does not say within which class" in answer.sentence()
        return
    assert answer.status == 0 and python_rows(calls) == wanted and len(calls.rows) == len(wanted)


def test_builtins_of_counted_functions(pyrometer, folder):  # noqa: F811
    """Only those that a counted function calls itself; one that runs within another of its kind is not taken for it."""
    _, calls = folder.run(pyrometer, PROGRAM, "-f", "helper", "-f", "put")
    assert python_rows(calls) == {"helper": 60, "put": 60}
    assert calls.count("<built-in method builtins.sorted>") == 60 and calls.count("<built-in method builtins.len>") == 60
    assert calls.callers("<built-in method builtins.sorted>") == {"helper": 60}
    assert len(calls.rows) == 4


def test_builtin_within_its_like(pyrometer, folder):  # noqa: F811
    """The end of a builtin that is left out does not end the counted one of the same kind that it runs in."""
    _, calls = folder.run(pyrometer, """
def helper(): return sorted([3, 1], key=left_out)
def left_out(x):
    try: sorted([1, None])
    except TypeError: pass
    y = sorted([x])
    return mark(y[0])
def mark(x): return x
for _ in range(5): helper()
""", "-f", "helper", "-f", "mark")
    assert calls.callers("mark") == {"<built-in method builtins.sorted>": 10}


SPENT = """
import time
def spend(ns):
    end = time.perf_counter_ns() + ns
    while time.perf_counter_ns() < end: pass
def between(): spend(20_000_000); inner()
def inner(): spend(20_000_000)
def outer():
    between()
for _ in range(5): outer()
"""


def test_time_goes_to_the_nearest_counted_caller(pyrometer, folder):  # noqa: F811
    _, calls = folder.run(pyrometer, SPENT, "--no-builtins", "-f", "outer", "-f", "inner")
    assert calls.callers("inner") == {"outer": 5}
    (_, _, own, total), (_, _, inner, _) = calls.row("outer"), calls.row("inner")
    assert 0.095 < own < 0.16 and 0.095 < inner < 0.16 and abs(total - own - inner) < 0.001


RAISING = """
def fails(n):
    if n == 0: raise ValueError
    middle(n - 1)
def middle(n): fails(n)
def generate():
    try:
        yield 1
        yield 2
    except KeyError:
        yield 3
def caller():
    try: fails(9)
    except ValueError: pass
    g = generate(); next(g); g.throw(KeyError); g.close()
    return after()
def after(): pass
for _ in range(7): caller()
"""


@pytest.mark.parametrize("left_out, wanted", [
    ("middle", {"fails": 70, "caller": 7, "after": 7, "generate": 14}),
    ("fails", {"middle": 63, "caller": 7, "after": 7, "generate": 14}),
    ("generate", {"fails": 70, "middle": 63, "caller": 7, "after": 7}),
])
def test_exceptions_and_generators(pyrometer, folder, left_out, wanted):  # noqa: F811
    """What cannot be switched off, exceptions through what is left out, does no harm to what is counted."""
    _, calls = folder.run(pyrometer, RAISING, "--no-builtins", "-f", "app.py", "--exclude", left_out, "--exclude", "<module>")
    rows = python_rows(calls)
    if "generate" in wanted:  # closing one is a resumption on some patch levels
        assert rows.pop("generate") in (14, 21)
        wanted = {name: count for name, count in wanted.items() if name != "generate"}
    assert rows == wanted and calls.callers("after") == {"caller": 7}


def test_other_tools_still_hear_what_we_leave_out(pyrometer, folder):  # noqa: F811
    """And events that a program starts anew do not bring back what is left out."""
    if folder.interpreter.version < (3, 12):
        pytest.skip("no sys.monitoring before Python 3.12")
    answer, calls = folder.run(pyrometer, """
import sys
seen = []
mon = sys.monitoring
def out(): len("x")
def counted(): out()
for _ in range(3): counted()
mon.use_tool_id(mon.COVERAGE_ID, "coverage")
mon.register_callback(mon.COVERAGE_ID, mon.events.PY_START, lambda code, offset: seen.append(code.co_name))
mon.set_events(mon.COVERAGE_ID, mon.events.PY_START)
for _ in range(10): counted()
mon.restart_events()
for _ in range(10): counted()
mon.set_events(mon.COVERAGE_ID, 0)
print(seen.count("out"), seen.count("counted"))
""", "-f", "counted")
    assert answer.status == 0 and answer.out == "20 20\n"
    assert {key[2]: row[1] for key, row in calls.rows.items()} == {"counted": 23}


@pytest.mark.parametrize("words, near", [
    (["-f", "helpr"], "helper"), (["-f", "app:Box.pt"], "put"), (["-f", "ap:Box.put"], "app"), (["--exclude", "wrok"], "work"),
    (["-f", "appp.py"], "app.py"), (["-f", "jsn/**"], "json"),
])
def test_a_pattern_that_matches_nothing(pyrometer, folder, words, near):  # noqa: F811
    answer, _ = folder.run(pyrometer, PROGRAM, *words)
    sentence = answer.sentence()
    if refuses_qualified(folder.interpreter, words):
        assert answer.status == 125 and "before Python 3.11 code does not say within which class" in sentence
        return
    assert answer.status == 125 and "no function that was called matches" in sentence and near in sentence.split("near it are")[1]


def test_a_pattern_that_matches_nothing_beside_one_that_does(pyrometer, folder):  # noqa: F811
    answer, calls = folder.run(pyrometer, PROGRAM, "-f", "work", "-f", "zzzzzz")
    assert answer.status == 125 and "zzzzzz" in answer.sentence() and calls.count("work") == 6
    answer, _ = folder.run(pyrometer, PROGRAM + "sys.exit(7)\n", "-f", "zzzzzz")
    assert answer.status == 7 and "zzzzzz" in answer.err


def test_no_pattern_is_wrong_usage(pyrometer, folder):  # noqa: F811
    for words in (["-f", ""], ["--exclude", ":"], ["-f", "a\nb"], ["-f", "a"] * 65):
        assert folder.run(pyrometer, PROGRAM, *words)[0].status == 2


STOP_AND_GO = """
import os, time
def leaf(x): return x + 1
def work():
    for i in range(100): leaf(i)
go = os.path.join(os.path.dirname(__file__), "go")
ready()
while True:
    while not os.path.exists(go): time.sleep(0.001)
    work()
"""


def test_each_attach_has_its_own(pyrometer, folder):  # noqa: F811
    """What was left out the first time is counted the second, even if it did not run in between."""
    go, found = folder.path / "go", []
    with test_attach.Started(folder.interpreter, folder.path, STOP_AND_GO) as subject:
        for words in (["-f", "work"], ["-f", "leaf"], ["--exclude", "leaf"], []):
            timers = [threading.Timer(0.3, go.touch), threading.Timer(0.6, go.unlink)]
            for timer in timers:
                timer.start()
            found.append(set(test_attach.attach(pyrometer, subject, folder.path, "--no-builtins", "-d", "1", *words)[1]) & {"work", "leaf"})
            for timer in timers:
                timer.join()
    assert found == [{"work"}, {"leaf"}, {"work"}, {"work", "leaf"}]
