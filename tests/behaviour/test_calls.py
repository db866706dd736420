"""`pyrometer calls` counts every call: what cProfile loses or mixes is exact, and the program runs as without us."""
import marshal
import os
import signal
import tempfile
from pathlib import Path

import pytest

import harness
from harness import clean_environment, run

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]


class Calls:
    """A .pstats file: calls by function name, and by caller."""

    def __init__(self, path):
        self.rows = marshal.loads(path.read_bytes())

    def all(self, name):
        """(total, primitive) of each function of that name."""
        return sorted((row[1], row[0]) for key, row in self.rows.items() if key[2].split("#")[0] == name)

    def count(self, name):
        found = self.all(name)
        assert len(found) == 1, (name, found)
        return found[0][0]

    def callers(self, name):
        """Calls by name of the caller."""
        row, = (row for key, row in self.rows.items() if key[2] == name)
        return {key[2]: value[0] for key, value in row[4].items()}

    def row(self, name):
        """total calls, primitive calls, own time, time with callees."""
        row, = (row for key, row in self.rows.items() if key[2] == name)
        return row[1], row[0], row[2], row[3]


class Folder:
    """Where the program and what it leaves lie; a tree of its own sees /dev/shm as we do."""

    def __init__(self, interpreter):
        self.interpreter = interpreter
        self.folder = tempfile.TemporaryDirectory(prefix="pyrometer-", dir="/dev/shm")
        self.path = Path(self.folder.name)

    def run(self, pyrometer, source, *words, arguments=(), before=(), **more):
        """Runs the source under `calls`; the answer, and the calls when a file came out."""
        script, out = self.path / "app.py", self.path / "out.pstats"
        script.write_text(source)
        out.unlink(missing_ok=True)
        more.setdefault("env", clean_environment(XDG_CACHE_HOME=str(self.path)))
        command = ["--", *before, *self.interpreter.argv, script, *arguments]
        answer = run(pyrometer, "calls", "-q", "-o", out, *words, *command, **more)
        return answer, Calls(out) if out.exists() else None


@pytest.fixture
def folder(interpreter):
    where = Folder(interpreter)
    yield where
    where.folder.cleanup()


# ---- what cProfile gets wrong ----

def test_two_threads(pyrometer, folder):
    answer, calls = folder.run(pyrometer, """
import threading
def leaf_a(): pass
def leaf_b(): pass
def work_a():
    for _ in range(40000): leaf_a()
def work_b():
    for _ in range(40000): leaf_b()
threads = [threading.Thread(target=work) for work in (work_a, work_b)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""")
    assert answer.status == 0
    assert calls.all("leaf_a") == [(40000, 40000)] and calls.callers("leaf_a") == {"work_a": 40000}
    assert calls.all("leaf_b") == [(40000, 40000)] and calls.callers("leaf_b") == {"work_b": 40000}


def test_code_that_threads_find_at_once(pyrometer, folder):
    """Eight threads are the first to call each of two hundred functions, all at once."""
    answer, calls = folder.run(pyrometer, """
import threading
source = "".join(f"def above_{n}():\\n    for _ in below_{n}(): pass\\ndef below_{n}(): yield from range(3)\\n" for n in range(100))
exec(compile(source, "made.py", "exec"))
functions, barrier = [globals()[f"above_{n}"] for n in range(100)], threading.Barrier(8)
def work():
    for function in functions:
        if function is functions[0]: barrier.wait()
        function()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""")
    assert answer.status == 0, answer.err
    for number in range(100):
        assert calls.callers("above_%d" % number) == {"work": 8} and calls.callers("below_%d" % number) == {"above_%d" % number: 4 * 8}  # resumptions, too


def test_three_dataclasses(pyrometer, folder):
    answer, calls = folder.run(pyrometer, """
from dataclasses import dataclass
@dataclass
class A: x: int
@dataclass
class B: x: int
@dataclass
class C: x: int
for _ in range(1000): A(1)
for _ in range(200): B(1)
for _ in range(3): C(1)
""")
    assert answer.status == 0
    rows = sorted(row[1] for key, row in calls.rows.items() if "__init__" in key[2] and key[0] == "<string>")
    assert rows == [3, 200, 1000], rows


def test_two_lambdas_on_a_line(pyrometer, folder):
    _, calls = folder.run(pyrometer, "f, g = (lambda: 1), (lambda: 2)\nfor _ in range(100): f()\nfor _ in range(50): g()\n")
    assert sorted(row[1] for key, row in calls.rows.items() if "<lambda>" in key[2]) == [50, 100]


GENERATORS = """
def abandoned():
    for i in range(10): yield i
def whole():
    for i in range(5): yield i
def thrown():
    try:
        yield 1
    except ValueError:
        yield 2
def user():
    g = abandoned(); next(g); next(g); next(g); del g
    list(whole())
    t = thrown(); next(t); t.throw(ValueError); t.close()
"""
COUNT = """
import cProfile, sys
counts = {}
def count(frame, event, argument):
    if event == "call": counts[frame.f_code.co_name] = counts.get(frame.f_code.co_name, 0) + 1
if sys.version_info >= (3, 12):
    sys.setprofile(count)
    for _ in range(4): user()
    sys.setprofile(None)
else:  # there a profile function of Python hears nothing of generators that end while the frame's variables are copied for it
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(4): user()
    profile.disable()
    counts = {entry.code.co_name: entry.callcount for entry in profile.getstats() if hasattr(entry.code, "co_name")}
print("truth", counts)
"""


def test_generators(pyrometer, folder):
    """Abandoned half way, closed, thrown into; a resumption counts as a call in .pstats, as it does for the interpreter
    (what closing one does differs between patch levels)."""
    script = folder.path / "truth.py"
    script.write_text(GENERATORS + COUNT)
    truth = harness.truth_of(harness.subprocess.run([*folder.interpreter.argv, str(script)], stdout=harness.subprocess.PIPE,
                                                    universal_newlines=True, check=True).stdout)
    answer, calls = folder.run(pyrometer, GENERATORS + "for _ in range(4): user()\n")
    assert answer.status == 0
    assert {name: calls.count(name) for name in ("abandoned", "whole", "thrown", "user")} == truth
    assert calls.count("whole") == 4 * 6 and set(calls.callers("whole")) == {"user"}


def test_recursion(pyrometer, folder):
    answer, calls = folder.run(pyrometer, """
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
fib(15)
even(100)
""")
    assert answer.status == 0
    assert calls.all("fib") == [(1973, 1)] and calls.all("even") == [(51, 1)] and calls.all("odd") == [(50, 1)]
    total, _, own, cumulative = calls.row("fib")
    assert 0 < own <= cumulative < 5


def test_exceptions(pyrometer, folder):
    answer, calls = folder.run(pyrometer, """
def fails(n):
    if n == 0: raise ValueError
    fails(n - 1)
def caller():
    try: fails(9)
    except ValueError: pass
def after(): pass
for _ in range(7):
    caller(); after()
""")
    assert answer.status == 0
    assert calls.all("fails") == [(70, 7)] and calls.callers("after") == {"<module>": 7} and calls.count("caller") == 7


def test_it_agrees_with_what_the_program_counts(pyrometer, folder):
    answer, calls = folder.run(pyrometer, """
import asyncio, random, functools
counts = {}
def counted(f):
    counts[f.__name__] = 0
    return f
def hit(name): counts[name] += 1
@counted
def a(n):
    hit("a")
    return b(n - 1) if n > 0 else 0
@counted
def b(n):
    hit("b")
    return sorted([3, 1, 2], key=key) and (a(n - 1) if n > 0 else 0)
@counted
def key(x):
    hit("key")
    return -x
@counted
async def sleeper(n):
    hit("sleeper")
    for _ in range(n): await asyncio.sleep(0)
async def main():
    await asyncio.gather(*(sleeper(i % 3) for i in range(50)))
class Thing:
    @counted
    def method(self): hit("method")
    @property
    def prop(self): return self.method()
random.seed(3)
for _ in range(300):
    a(random.randrange(6)); Thing().prop; functools.partial(Thing.method, None)() if False else None
asyncio.run(main())
print("truth", counts)
""")
    assert answer.status == 0
    truth = harness.truth_of(answer.out)
    for name in ("a", "b", "key", "method"):
        assert calls.count(name) == truth[name], name
    assert calls.count("hit") == sum(truth.values())


def test_builtins(pyrometer, folder):
    source = """
class Box:
    def __init__(self): self.items = []
    def put(self, x): self.items.append(x)
box = Box()
for i in range(30): box.put(len('abc'))
"""
    _, calls = folder.run(pyrometer, source)
    assert calls.count("<method 'append' of 'list' objects>") == 30 and calls.count("<built-in method builtins.len>") == 30
    assert calls.callers("<method 'append' of 'list' objects>") == {"put": 30}
    _, calls = folder.run(pyrometer, source, "--no-builtins")
    assert calls.count("put") == 30 and not any(key[0] == "~" for key in calls.rows)


def test_many_builtins(pyrometer, folder):
    """More than a cache has places for, in turns: each is described once, however often."""
    source = """
import array, builtins, collections, datetime, decimal, io, types
found = []
for holder in (builtins, collections, io, datetime, decimal, array, types):
    for kind in list(vars(holder).values()):
        if isinstance(kind, type):
            found += [each for each in vars(kind).values() if type(each) is types.MethodDescriptorType]
def call():
    for each in found:
        try: each()
        except TypeError: pass
for _ in range(%d): call()
print(len(found))
"""
    described = []
    for rounds in (2, 12):
        answer, _ = folder.run(pyrometer, source % rounds, "-o", folder.path / "out.pyro")
        assert int(answer.out) > 400
        raw = run(pyrometer, "report", "--raw", folder.path / "out.pyro").out
        described.append(raw.count("\ncode id="))
    assert described[1] <= described[0] + 5, described


def test_threads_that_ended(pyrometer, folder):
    """Three thousand, one after the other: what each needed is given back, and what was counted takes little room."""
    answer, calls = folder.run(pyrometer, """
import os, re, threading
def leaf(): pass
def memory(): return [int(re.search(what + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) for what in ("RssAnon", "RssShmem")]
def start(count):
    for _ in range(count):
        thread = threading.Thread(target=leaf)
        thread.start()
        thread.join()
start(100)
before = memory()
start(3000)
print(*(now - then for now, then in zip(memory(), before)))
""")
    own, shared = map(int, answer.out.split())
    assert calls.count("leaf") == 3100
    assert own < 8000 and shared < 3000 * 24, (own, shared)


# ---- ends ----

@pytest.mark.parametrize("how, status", [("sys.exit(3)", 3), ("os._exit(4)", 4), ("raise SystemExit('x')", 1),
                                         ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
                                         ("ctypes.string_at(0)", 128 + signal.SIGSEGV)])
def test_ends(pyrometer, folder, how, status):
    """What was counted is kept, whatever the end."""
    answer, calls = folder.run(pyrometer, "import ctypes, os, signal, sys\ndef f(): pass\ndef g():\n    for _ in range(500): f()\n    %s\n"
                               "g()\n" % how)
    assert answer.status == status and calls.count("f") == 500 and calls.count("g") == 1


def test_fork(pyrometer, folder):
    """The child of a fork is not followed, and runs."""
    answer, calls = folder.run(pyrometer, """
import os
def f(): pass
def g(): pass
f()
if os.fork() == 0:
    for _ in range(100): g()
    os._exit(7)
print(os.WEXITSTATUS(os.wait()[1]))
f()
""")
    assert answer.status == 0 and answer.out == "7\n" and calls.count("f") == 2 and calls.all("g") == []


# ---- the program runs as without us ----

LOOK = """
import gc, os, sys, threading, time
def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
sys.setrecursionlimit(300000)
levels = 200000 if sys.version_info >= (3, 11) else 10000  # where calls need the C stack, that is most of it
print(sorted(k for k in os.environ if "PYROMETER" in k or k == "LD_PRELOAD"))
print(sorted(m for m in sys.modules if "pyrometer" in m or m == "cProfile"))
print(sys.getprofile(), sys.gettrace(), sys.argv[1:], sys.path[0] == os.path.dirname(os.path.abspath(__file__)), __name__)
print(deep(levels))
print(len(threading.enumerate()), threading.current_thread().name)
try:
    1 / 0
except ZeroDivisionError:
    import traceback; traceback.print_exc(file=sys.stdout)
"""


def test_it_runs_as_without_us(pyrometer, folder):
    answer, _ = folder.run(pyrometer, LOOK, arguments=["one", "two"])
    script = folder.path / "app.py"
    plain = harness.subprocess.run([*folder.interpreter.argv, str(script), "one", "two"], stdout=harness.subprocess.PIPE,
                                   env=clean_environment(), universal_newlines=True)
    assert (answer.status, answer.out) == (plain.returncode, plain.stdout)


def test_preloads_of_others_stay(pyrometer, folder):
    """What was in LD_PRELOAD is there still, in the program's own environment too."""
    env = clean_environment(XDG_CACHE_HOME=str(folder.path), LD_PRELOAD="libc.so.6")
    answer, calls = folder.run(pyrometer, "import os\nprint(os.environ.get('LD_PRELOAD'))\n", env=env)
    assert answer.out == "libc.so.6\n" and calls


def test_no_hook_stays(pyrometer, folder):
    """An audit hook would make every id() and attribute of code cost twice as much: ours is gone when the program begins."""
    source = """
import time
def f(): pass
def look(n=200000):
    best = 9
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(n): f.__code__
        best = min(best, time.perf_counter() - begun)
    return best
print(look())
"""
    for _ in range(4):
        answer, _ = folder.run(pyrometer, source, "--no-builtins")
        plain = harness.subprocess.run([*folder.interpreter.argv, str(folder.path / "app.py")], stdout=harness.subprocess.PIPE,
                                       env=clean_environment(), universal_newlines=True)
        ratio = float(answer.out) / float(plain.stdout)
        if ratio < 2:
            break
    assert ratio < 2, ratio  # with a hook it is 3 to 5


# ---- what cannot be ----

def test_no_python(pyrometer, folder):
    out = folder.path / "out.pstats"
    answer = run(pyrometer, "calls", "-q", "-o", out, "--", "/bin/true", env=clean_environment(XDG_CACHE_HOME=str(folder.path)))
    assert answer.status == 125 and "no calls were counted" in answer.sentence() and not out.exists()


def test_nothing_is_left_behind(pyrometer, folder):
    before = set(os.listdir("/dev/shm"))
    folder.run(pyrometer, "pass\n")
    assert set(os.listdir("/dev/shm")) - before <= {folder.path.name}
