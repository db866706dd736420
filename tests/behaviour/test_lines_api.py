"""`pyrometer.lines`: regions and a decorator, each with the lines that ran in it."""
import pytest

import harness
from test_calls_api import PYTHONS, Api

pytestmark = [pytest.mark.parametrize("interpreter", PYTHONS, indirect=True)]

START = """
import os, sys, threading, time, pyrometer
os.chdir(os.path.dirname(os.path.abspath(__file__)))
def work(n):
    total = 0
    for i in range(n):
        total += i
    return total
def other(n):
    return [i for i in range(n)]
def outer(n):
    work(n)
    time.sleep(0.01)
def hits(p, name="work"):
    return [row.hits for row in sorted(p.stats(), key=lambda row: row.line) if row.function.rpartition(".")[2] == name]
"""


@pytest.fixture
def api(interpreter, pyrometer):
    where = Api(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


def test_region(api):
    out = api.run("""
work(7)
with pyrometer.lines(functions=[work]) as p: work(10); other(3)
work(7)
print(hits(p), {row.function for row in p.stats()})
with p: work(1)
print(hits(p))
text = sys.stdout
p.print_stats()
""", START)
    lines = out.splitlines()
    assert lines[0] == "[1, 11, 10, 1] {'work'}" and lines[1] == "[2, 13, 11, 2]"
    assert lines[2] == "Timer unit: 1e-06 s" and any(line.startswith("Function: work at line ") for line in lines)


def test_regions_in_one_another(api):
    """Each has its own functions and its own time."""
    out = api.run("""
with pyrometer.lines(functions=[work]) as p:
    work(10)
    with pyrometer.lines(functions=[other, work]) as q:
        work(2); other(3)
    work(1)
print(hits(p), hits(p, "other"), hits(q))
print([row.hits > 0 for row in q.stats() if row.function == "other"])
""", START)
    assert out.splitlines()[0] == "[3, 16, 13, 3] [] [1, 3, 2, 1]" and "True" in out.splitlines()[1]


def test_time(api):
    """Of a line that is under way when the region ends, and when it is asked."""
    out = api.run("""
def slow():
    time.sleep(0.05)
    p.disable()
    time.sleep(0.05)
p = pyrometer.lines(functions=[slow, outer])
p.enable(); outer(1); slow()
for row in p.stats(): print(row.function, row.line, row.hits, round(row.time, 3), round(row.own, 3))
""", START)
    rows = [line.split() for line in out.splitlines()]
    slow = [row for row in rows if row[0] == "slow"]
    assert 0.049 < float(slow[0][3]) < 0.5 and len(slow) == 2 and float(slow[1][3]) < 0.02
    assert 0.009 < float([row for row in rows if row[0] == "outer"][1][3]) < 0.3


def test_decorator(api):
    answer = api.start("""
@pyrometer.lines
def f(n):
    for i in range(n): x = i
class C:
    @pyrometer.lines
    @staticmethod
    def s(): return 1
@pyrometer.lines
def never(): return 5
f(10); f(2); C.s()
print(hits(f.lines, "f"), f.__name__)
""", start=START)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "[14] f\n"
    assert "pyrometer: lines of C.s\n" in answer.stderr and "pyrometer: lines of never\n" in answer.stderr and "lines of f\n" not in answer.stderr
    assert "Function: C.s at line" in answer.stderr or "Function: s at line" in answer.stderr


def test_patterns(api):
    (api.path / "shop.py").write_text("def sell(n):\n    return n\nclass Cart:\n    def add(self, n):\n        return n\n    def clear(self):\n        return 0\n")
    out = api.run("""
import shop
with pyrometer.lines(functions=["shop:Cart.*"]) as p: shop.sell(1); shop.Cart().add(1); shop.Cart().clear()
print(sorted({row.function.rpartition(".")[2] for row in p.stats()}))
with pyrometer.lines(functions=[shop]) as q: shop.sell(1); shop.Cart().add(1)
print(sorted({row.function.rpartition(".")[2] for row in q.stats()}))
for wrong in ("shop:nothing", "shop", 3, len):
    try: pyrometer.lines(functions=[wrong])
    except (TypeError, ValueError) as error: print(type(error).__name__, error)
try:
    with pyrometer.lines(): pass
except pyrometer.Error as error: print(error)
""", START).splitlines()
    assert out[0] == "['add', 'clear']" and out[1] == "['add', 'sell']"
    assert out[2] == "ValueError no function of the module shop matches 'nothing'" and out[3].startswith("ValueError 'shop' names no module")
    assert out[4].startswith("TypeError 3 has no lines") and out[5].startswith("TypeError") and out[6].startswith("no function was chosen")


def test_threads(api):
    out = api.run("""
def run(): work(100)
threads = [threading.Thread(target=run) for _ in range(4)]
with pyrometer.lines(functions=[work]) as p:
    with pyrometer.lines(functions=[work], threads="current") as q:
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        work(10)
print(hits(p), hits(q))
""", START)
    assert out == "[5, 415, 410, 5] [1, 11, 10, 1]\n"


def test_what_began_unwanted(api):
    """A function that ran in an earlier region, and was not in it."""
    out = api.run("""
with pyrometer.lines(functions=[other]) as p: other(1); work(3); work(3)
with pyrometer.lines(functions=[work]) as q: work(3)
print(hits(q), hits(p, "other")[:1])
""", START)
    assert out == "[1, 4, 3, 1] [1]\n" or out == "[1, 4, 3, 1] [2]\n"


def test_save(api):
    api.run("""
with pyrometer.lines(functions=[work]) as p: work(10)
p.save("a.pyro", "a.lprof", "a.json")
""", START)
    report = harness.run(api.pyrometer, "report", api.path / "a.lprof")
    assert report.status == 0 and "    11  " in report.out
    assert (api.path / "a.pyro").exists() and (api.path / "a.json").exists()


def test_calls_and_lines(api):
    out = api.run("""
with pyrometer.calls() as c: work(1)
try:
    with pyrometer.lines(functions=[work]): pass
except pyrometer.Error as error: print(error)
""", START)
    assert out == "a process can have its calls counted or its lines, not both: this one has its calls\n"


def test_fork(api):
    out = api.run("""
p = pyrometer.lines(functions=[work])
p.enable(); work(10)
pid = os.fork()
if not pid:
    with pyrometer.lines(functions=[work]) as q: work(3)
    with open("child", "w") as file: file.write(repr(hits(q)))
    os._exit(0)
os.waitpid(pid, 0)
work(10)
print(hits(p), open("child").read())
""", START)
    assert out == "[2, 22, 20, 2] [1, 4, 3, 1]\n"
