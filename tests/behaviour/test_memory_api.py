"""`pyrometer.memory`: regions, a decorator, snapshots and their differences, in a program that nobody started for it and under `pyrometer memory`."""
import ast
import json
import re
import subprocess
import time
from pathlib import Path

import pytest

import harness
from test_calls_api import Api

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]

START = """
import os, sys, threading, time, pyrometer
from pyrometer import memory
os.chdir(os.path.dirname(os.path.abspath(__file__)))
def work(count=1000, size=1000):
    return [bytearray(size) for _ in range(count)]  #@work
def at(rows, line): return [(row.size, row.count, row.size_diff, row.count_diff) for row in rows if row.label.endswith(':%d' % line)]
WORK = 6
def words(pid):
    try: return open('/proc/%s/cmdline' % pid, 'rb').read().split(bytes(1))
    except OSError: return []
def collectors():
    return [pid for pid in os.listdir('/proc') if pid.isdigit() and b'--collect' in words(pid) and str(os.getpid()).encode() in words(pid)]
"""


class MemoryApi(Api):
    def __init__(self, interpreter, pyrometer):
        super().__init__(interpreter, pyrometer)
        self.start_text = START

    def values(self, source):
        """What the program prints as Python literals."""
        return [ast.literal_eval(line) for line in self.run(source, start=START).splitlines()]

    def under(self, source, *words):
        """The same under the command."""
        argv = [str(self.pyrometer), "memory", "-q", "-o", str(self.path / "out.pyro"), *words, "--", *self.interpreter.argv,
                str(self.write(source, START))]
        answer = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, env=self.env,
                                cwd=str(self.path), timeout=120)
        assert answer.returncode == 0, answer.stderr
        return [ast.literal_eval(line) for line in answer.stdout.splitlines()]


@pytest.fixture
def api(interpreter, pyrometer):
    where = MemoryApi(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


BYTEARRAYS = 1001 * 1000  # what 1,000 bytearrays of 1,000 bytes ask for beside their objects


def test_region(api):
    """What is live, the most that was, and all that was got."""
    current, peak, got, now, rows = api.values("""
with memory() as m:
    kept = work()
    more = bytearray(10 << 20)
    del more
print(m.current); print(m.peak); print(m.got)
kept = None
print(m.current)
print(at(m.top(), WORK))
""")
    assert current == now, "what comes after its end is not in it"
    assert BYTEARRAYS + 8000 < current < BYTEARRAYS + 150000
    assert abs(peak - current - (10 << 20)) < 30000, (peak, current)
    assert got >= current + (10 << 20)
    (size, count, more, blocks), = rows
    assert abs(more - current) < 5000 and blocks >= 2000, rows  # the names may need a larger dictionary


def test_region_sees_what_goes(api):
    """S-K6: what was there before and goes within is less than nothing; rounds in which the old list lives while the new one is made."""
    first, rounds = api.values("""
with memory():
    kept = work()
    with memory() as m:
        del kept
    print(m.current)
    rounds = []
    kept = None
    for _ in range(3):
        with memory() as m: kept = work()
        rounds.append((m.current, m.peak))
    print(rounds)
""")
    assert -BYTEARRAYS - 150000 < first < -BYTEARRAYS
    assert rounds[0][0] > BYTEARRAYS and abs(rounds[1][0]) < 5000 and abs(rounds[2][0]) < 5000, rounds
    assert all(abs(peak - rounds[0][1]) < 20000 for _, peak in rounds), rounds


def test_difference_in_tracemallocs_words(api):
    """S-K2: `print(snapshot() - before)`."""
    out = api.run("""
before = memory.snapshot()
kept = work()
print(memory.snapshot() - before)
print("ROWS", at((memory.snapshot() - before).top(3), WORK))
print("SAME", at(memory.snapshot().compare_to(before, "lineno")[:3], WORK))
""", start=START)
    size, count, more, blocks = ast.literal_eval(re.search(r"ROWS \[(.*)\]", out)[1])
    assert size == more and count == blocks and "SAME [(%d, %d, %d, %d)]" % (size, count, more, blocks) in out
    row = re.search(r"app\.py:6: size=(\S+) KiB \(\+(\S+) KiB\), count=(\d+) \(\+(\d+)\), average=(\d+) B", out)
    assert row and row[1] == row[2] == str(size // 1024 if size % 1024 < 512 else size // 1024 + 1) and row[3] == row[4] == str(count), out
    assert "_memory.py" not in out and "ctypes" not in out, "the package's own is nobody's"


@pytest.mark.parametrize("key", ["lineno", "filename", "traceback", "function", "allocator", "thread"])
def test_statistics_by(api, key):
    total, rows = api.values("""
memory.snapshot()
kept = work()
s = memory.snapshot()
rows = s.statistics(%r)
print(s.size)
print([tuple(row) for row in rows])
""" % key)
    assert sum(row[1] for row in rows) == total, "all of it is in some row"
    assert rows[0][1] > BYTEARRAYS and rows == sorted(rows, key=lambda row: (row[1], row[2], row[0]), reverse=True)
    if key == "traceback":
        assert [frame[2].rpartition(".")[2] for frame in rows[0][5][:2]] == ["<module>", "work"]


def test_threads_count(api):
    current, = api.values("""
def other(): kept.append(work())
kept = []
with memory() as m:
    threads = [threading.Thread(target=other) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
print(m.current)
""")
    assert 4 * BYTEARRAYS < current < 4 * BYTEARRAYS + 1000000


def test_decorator(api):
    """A row a call, so that growth from call to call is seen (S-M8)."""
    answer = api.start("""
@memory
def grows(bag=[]):
    '''text'''
    bag.append(bytearray(5000))
    return bytearray(100000)
for _ in range(5): grows()
print([call.kept for call in grows.memory.calls], [call.peak for call in grows.memory.calls], grows.__name__, grows.__doc__)
""", start=START)
    assert answer.returncode == 0, answer.stderr
    kept = ast.literal_eval(re.match(r"\[.*?\]", answer.stdout)[0])
    assert len(kept) == 5 and all(100000 + 5001 <= each < 100000 + 5001 + 700 for each in kept), kept
    assert "grows text" in answer.stdout
    assert "memory of grows: 5 calls" in answer.stderr and len(re.findall(r"^ +\d+ +\S+ B", answer.stderr, re.M)) == 5, answer.stderr


def test_nothing_when_nothing_is_open(api):
    """A region's end takes the hooks out: what is got between two is not measured, and what it frees confuses nobody."""
    first, second, hooked = api.values("""
import ctypes
def hook():
    class Allocator(ctypes.Structure): _fields_ = [(name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free")]
    found = Allocator()
    ctypes.pythonapi.PyMem_GetAllocator(2, ctypes.byref(found))
    return found.malloc
before = hook()
with memory() as m:
    inside = hook()
    kept = work()
print(m.current)
assert hook() == before != inside
between = work(); del kept; between = work(); del between
with memory() as n: kept = work()
print(n.current)
print(hook() == before)
""")
    assert abs(first - second) < 20000 and hooked


def test_saving(api):
    """S-K7: any machine reads it."""
    api.run("""
before = memory.snapshot()
kept = work()
now = memory.snapshot()
now.save("now.pyro", "now.json")
(now - before).save("more.svg", "more.collapsed")
""", start=START)
    text = subprocess.run([str(api.pyrometer), "report", "--at", "end", str(api.path / "now.pyro")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True).stdout
    assert re.search(r"app\.py:6: size=\d+ KiB, count=20\d\d", text), text
    assert "<svg" in (api.path / "more.svg").read_text() and "work" in (api.path / "more.collapsed").read_text()


def test_after_a_fork(api):
    out = api.values("""
with memory() as m:
    kept = work()
    child = os.fork()
    if not child:
        with memory() as n: more = work()
        print(n.current, flush=True)
        try: m.current
        except pyrometer.Error: print(True, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
print(m.current)
""")
    assert out[1] is True and abs(out[0] - out[2]) < 20000, out


def test_nobody_is_left(api):
    """Neither a child, nor a folder, nor who reads: when the program has ended they go."""
    pid, folder, collector = api.values("""
import subprocess
with memory() as m: kept = work()
m.current
print(os.getpid())
from pyrometer import _memory_agent
print(repr(os.path.dirname(_memory_agent.agent.recording())))
try: os.waitpid(-1, os.WNOHANG)
except ChildProcessError: print(collectors())
""")
    assert len(collector) == 1
    until = time.monotonic() + 10
    while time.monotonic() < until and (Path(folder).exists() or Path("/proc/%s" % collector[0]).exists()):
        time.sleep(0.02)
    assert not Path(folder).exists() and not Path("/proc/%s" % collector[0]).exists()


def test_who_reads_along_rests_when_nothing_happens(api):
    share, = api.values("""
with memory() as m: kept = work()
m.current
def cpu(): return int(open('/proc/%s/schedstat' % collectors()[0]).read().split()[0])
time.sleep(0.3)
before = cpu()
time.sleep(1)
print((cpu() - before) / 1e9)
""")
    assert share < 0.015, share


def test_under_the_command(api):
    """`snapshot()` needs no earlier start there: it knows all since the program's."""
    all_of_it, more, region = api.under("""
s = memory.snapshot()
print(s.size)
kept = work()
print(at((memory.snapshot() - s).top(), WORK))
with memory() as m: again = work()
print(m.current)
""", "--python-allocators")
    assert all_of_it > 1000000, "what imports have got is in it"
    assert len(more) == 1 and more[0][2] > BYTEARRAYS and more[0][3] >= 2000 and BYTEARRAYS < region < BYTEARRAYS + 150000


def test_malloc_under_the_command(api):
    """What is asked of malloc is seen there, and only there."""
    source = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.malloc(16)
with memory() as m: libc.malloc(7 << 20)
print(m.current)
"""
    assert api.under(source)[0] >= 7 << 20
    assert api.values(source)[0] < 1 << 20


def test_without_a_recording_it_says_so(api):
    argv = [str(api.pyrometer), "memory", "-q", "-o", "out.svg", "--", *api.interpreter.argv, str(api.write("""
s = memory.snapshot()
print(s.size > 0)
try: s.top()
except pyrometer.Error as error: print(error)
""", START))]
    answer = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, env=api.env, cwd=str(api.path))
    assert answer.returncode == 0 and "True" in answer.stdout and "write no recording" in answer.stdout, answer.stdout + answer.stderr


def test_recursion_and_exceptions(api):
    """Entered again it only counts how often; an exception passes through."""
    current, raised = api.values("""
region = memory()
def down(n):
    with region:
        kept.append(bytearray(1000))
        if n: down(n - 1)
        else: raise KeyError(n)
kept = []
try: down(9)
except KeyError: raised = True
print(region.current); print(raised)
""")
    assert raised and 10 * 1001 <= current < 10 * 1001 + 6000, current


@pytest.mark.parametrize("text", ["memory(3)", "memory.snapshot().top(by='colour')", "memory().current", "memory.snapshot().save()"])
def test_what_makes_no_sense(api, text):
    out = api.run("try: %s\nexcept (TypeError, ValueError, pyrometer.Error) as error: print('said', len(str(error)) > 10)\n" % text, start=START)
    assert out.strip() == "said True"


def test_phases(api):
    """S-K6: the peak of each round, where the old list lives while the new one is made; and in the recording."""
    api.under("""
rounds = None
for i in range(3):
    pyrometer.mark("round %d \\u00fc" % i)
    rounds = [n for n in range(1000, 101000)]
pyrometer.mark("end")
""", "--python-allocators", "-o", str(api.path / "out.json"), "-o", str(api.path / "out.txt"))
    phases = json.loads((api.path / "out.json").read_text())["phases"]
    assert [phase["name"] for phase in phases] == ["", "round 0 ü", "round 1 ü", "round 2 ü", "end"]
    first, second, third = (phase["peak_bytes"] for phase in phases[1:4])
    rounds = second - first
    assert abs(third - second) < 20000 and 3.6e6 < rounds < 6.4e6, phases
    assert phases[4]["peak_bytes"] < second - rounds / 2, "the old one is gone then"
    assert all(before["began_ns"] + before["duration_ns"] == phase["began_ns"] for before, phase in zip(phases, phases[1:]))
    text = (api.path / "out.txt").read_text()
    assert re.search(r"MiB  round 1 ü$", text, re.M) and "before the first mark" in text, text


def test_mark_elsewhere_is_nothing(api):
    assert api.values("pyrometer.mark('a')\nprint(True)\ntry: pyrometer.mark(3)\nexcept TypeError: print(1)\n") == [True, 1]


def test_when_nobody_can_read_along(api):
    """It says so, takes its hooks out, and tries again the next time."""
    out = api.values("""
import os
from pyrometer import _program
ask, refused = _program.ask, []
def refuse(*words, **more):
    if words[0] == "memory" and not refused:
        refused.append(words[2])
        raise pyrometer.Error("no")
    return ask(*words, **more)
_program.ask = refuse
try:
    with memory(): pass
except pyrometer.Error as error: print(repr(str(error)))
print(os.path.exists(refused[0]))
with memory() as m: kept = work()
print(m.current)
""")
    assert out[:2] == ["no", False] and BYTEARRAYS < out[2] < BYTEARRAYS + 150000, out


def test_questions_within_questions(api):
    """A finalizer that comes while an answer is awaited asks, too."""
    out = api.values("""
import gc, time
class Asks:
    def __del__(self): answers.append(memory.snapshot().size)
answers, real = [], time.sleep
memory.snapshot()
kept = work()
def sleep(seconds):
    if len(answers) < 5:
        me = Asks(); me.me = me; del me; gc.collect()
    real(seconds)
time.sleep = sleep
for _ in range(5): answers.append(-memory.snapshot().size)
print(len([each for each in answers if each > 0]) >= 1 and len([each for each in answers if each < 0]) == 5)
""")
    assert out == [True]
