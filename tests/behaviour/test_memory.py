"""`pyrometer memory` takes every allocation and every free: what the program itself counted, exactly, and the program runs as without us."""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import harness
from harness import run

PYTHONS = harness.CALLS_PYTHONS
on_all = pytest.mark.parametrize("interpreter", PYTHONS, indirect=True)
on_some = pytest.mark.parametrize("interpreter", ["3.8", "3.11", "3.13", "sid-3.15"], indirect=True)


class Memory:
    """What a report in JSON says."""

    def __init__(self, data):
        self.data = data
        self.peak = data["peak"]
        for row in data["rows"]:
            row["frames"] = list(self.frames(row["stack"]))

    def frames(self, stack):
        """From the innermost on."""
        while stack:
            yield self.data["frames"][self.data["stacks"]["frame"][stack]]
            stack = self.data["stacks"]["parent"][stack]

    def rows(self, file=None, line=None, function=None, allocator=None, thread=None):
        """Rows whose innermost frame, or allocator, or thread is this."""
        tids = {t["id"]: t["tid"] for t in self.data["threads"]}
        for row in self.data["rows"]:
            leaf = row["frames"][0] if row["frames"] else {"file": "", "line": 0, "function": ""}
            if ((file is None or leaf["file"].endswith(file)) and (line is None or leaf["line"] == line)
                    and (function is None or leaf["function"].split(".")[-1] == function)
                    and (allocator is None or row["allocator"] == allocator) and (thread is None or tids[row["thread"]] == thread)):
                yield row

    def by_path(self, more):
        """Bytes of blocks of thousands, from 5000 on, and `more`, by their lines, all of which are of app.py."""
        found = collections.Counter()
        for row in self.data["rows"]:
            if row["frames"] and all(frame["file"].endswith("app.py") for frame in row["frames"]):
                size, count = row["shown"]["bytes"], row["shown"]["count"]
                if count and size % count == 0 and (size // count - more) % 1000 == 0 and size // count >= 5000:
                    found[" ".join(str(frame["line"]) for frame in row["frames"])] += size - more * count
        return found

    def sum(self, what="shown", **which):
        """(bytes, count) of such rows."""
        found = [row[what] for row in self.rows(**which)]
        return sum(one["bytes"] for one in found), sum(one["count"] for one in found)


class Scene(harness.Scene):
    """Runs programs under `memory`."""

    def memory(self, *words, program=(), status=0):
        answer = run(self.pyrometer, "memory", "-o", self.path / "a.pyro", *words, "--", *self.interpreter.argv, *program, env=self.environment)
        assert answer.status == status, answer.err
        return answer

    def read(self, *words):
        return Memory(json.loads(self.report("--format", "json", *words)))

    def domains(self):
        """For what Python gets: without the GIL it is all in its own allocators."""
        return ["--python-allocators"] if self.interpreter.free_threaded else []

    def extra(self, make):
        """What an object of n bytes asks for beyond them, but for its own head."""
        code = "import sys; f = lambda n: %s; print(sys.getsizeof(f(5000)) - 5000 - (0 if f(1).__class__ is bytes else sys.getsizeof(f(0))))" % make
        return int(run(*self.interpreter.argv, "-c", code).out)


@pytest.fixture
def scene(interpreter, pyrometer):
    where = Scene(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


# ---- an account of its own ----

KINDS = ["malloc", "calloc", "realloc", "memalign", "mmap"]


@pytest.fixture(scope="session")
def oracle():
    """A library whose threads keep their own account of what they get and give back."""
    with tempfile.TemporaryDirectory(prefix="oracle-", dir="/dev/shm") as folder:
        library = Path(folder) / "oracle.so"
        subprocess.run(["cc", "-O1", "-fno-builtin", "-shared", "-fPIC", "-pthread", "-o", str(library), str(harness.SUBJECTS / "memory_oracle.c")], check=True)
        yield library


@on_all
@pytest.mark.parametrize("seed", range(2))
def test_eight_threads_at_random(scene, oracle, seed):
    """Every kind of allocation, of each thread, in number and in bytes, and what is left of it, wherever it is freed."""
    shutil.copy(str(oracle), str(scene.path))
    program = scene.write("app.py", "import ctypes, sys\nctypes.CDLL(sys.argv[1]).run(%d, 20000)\n" % seed)
    answer = scene.memory("-q", program=(program, scene.path / "oracle.so"))
    memory = scene.read("--at", "end")
    accounts = [[int(word) for word in line.split()[1:]] for line in answer.out.splitlines()]
    assert len(accounts) == 8 * len(KINDS)
    for tid, kind, count, size, left, left_size in accounts:
        got, live = memory.sum("total", thread=tid, allocator=KINDS[kind]), memory.sum("shown", thread=tid, allocator=KINDS[kind])
        assert (got, live) == ((size, count), (left_size, left)), (tid, KINDS[kind])
    assert all(one["bytes"] >= 0 and one["count"] >= 0 for row in memory.data["rows"] for one in (row["live"], row["peak"], row["temporary"], row["shown"]))


@on_all
@pytest.mark.parametrize("seed", range(3))
def test_each_event_of_eight_threads(scene, oracle, pyrometer, seed):
    """What the agent writes down, while nobody reads it, is what the program itself has noted: each event, its address and size, in order."""
    tool = pyrometer.parent / "tests" / "unit" / "stream_tool"
    if not tool.exists():
        pytest.skip("stream_tool is not beside this pyrometer")
    shutil.copy(str(oracle), str(scene.path))
    agent = scene.path / "agent.so"
    shutil.copy(run(pyrometer, "help", "--memory-agent", env=scene.environment).out.strip(), str(agent))
    program = scene.write("app.py", "import ctypes, sys\noracle = ctypes.CDLL(sys.argv[1])\noracle.run(%d, 4000)\noracle.print_events()\n" % seed)
    answer = run(*scene.interpreter.argv, program, scene.path / "oracle.so",
                 env=dict(scene.environment, LD_PRELOAD=str(agent), PYROMETER_AGENT="memory\nfolder=%s\n" % scene.path))
    noted = collections.defaultdict(list)
    for line in answer.out.splitlines():
        if not line.startswith("account"):
            noted[line.split()[0]].append(line)
    segment, = scene.path.glob("*.segment")
    recorded = collections.defaultdict(list)
    for line in run(tool, segment).out.splitlines():
        if line.split()[0] in noted:
            recorded[line.split()[0]].append(line)
    assert len(noted) == 8 and sum(map(len, noted.values())) > 30000, answer.err
    assert recorded == noted


@on_all
def test_balances_at_any_time(scene, oracle):
    """No call path has ever given back more than it got."""
    shutil.copy(str(oracle), str(scene.path))
    program = scene.write("app.py", "import ctypes, sys\nctypes.CDLL(sys.argv[1]).run(7, 60000)\n")
    scene.memory("-q", program=(program, scene.path / "oracle.so"))
    live, events = collections.Counter(), 0
    for line in run(scene.pyrometer, "report", "--raw", scene.path / "a.pyro").out.splitlines():
        if line.startswith(("event alloc", "event free")):
            fields = dict(word.split("=") for word in line.split()[2:])
            who = fields["stack"], fields["thread"], fields["allocator"]
            sign = 1 if line.startswith("event alloc") else -1
            events += 1
            for what in ("bytes", "count"):
                live[who + (what,)] += sign * int(fields.get(what, 0))
            if sign < 0:
                assert live[who + ("bytes",)] >= 0 and live[who + ("count",)] >= 0, line
    assert events > 100


# ---- by line ----

LINES = """import ctypes, mmap, sys, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
def arrays():
    return [bytearray(5000 + i) for i in range(100)]
def from_c():
    return [libc.malloc(7000) for _ in range(10)]
def mapped():
    return [mmap.mmap(-1, 65536) for _ in range(3)]
def in_thread():
    kept.append(bytes(90000))
def recursive(n):
    return bytearray(12345) if n == 0 else recursive(n - 1)
def generated():
    for i in range(20):
        yield bytearray(3000)
kept = [arrays(), from_c(), mapped(), [recursive(30) for _ in range(7)], list(generated())]
gone = bytearray(40000000)
del gone
threads = [threading.Thread(target=in_thread) for _ in range(5)]
for t in threads: t.start()
for t in threads: t.join()
"""


@on_all
@pytest.mark.parametrize("domains", [[], ["--python-allocators"]], ids=["", "python allocators"])
def test_lines(scene, domains):
    """bytearray asks for one byte more (3.15: for a bytes object), bytes for its head."""
    if scene.interpreter.free_threaded and not domains:
        pytest.skip("without the GIL all of Python's memory is its own allocators'")
    more, head = scene.extra("bytearray(n)"), scene.extra("bytes(n)")
    program = scene.write("app.py", LINES)
    scene.memory("-q", *domains, program=(program,))
    leaks = scene.read("--leaks")

    def sums(memory, function, floor):
        """Of rows as large as that on average: the heads of objects and what the interpreter needs for itself are smaller."""
        rows = [row for row in memory.rows(file="app.py") if any(frame["function"].split(".")[-1] == function for frame in row["frames"][:2]) and row["allocator"] != "arena"]
        if not domains:
            rows = [row for row in rows if row["shown"]["bytes"] >= floor * max(row["shown"]["count"], 1)]
        return sum(row["shown"]["bytes"] for row in rows), sum(row["shown"]["count"] for row in rows)
    for function, floor, size, count in (
            ("arrays", 3000, sum(5000 + more + i for i in range(100)), 100), ("from_c", 5000, 70000, 10), ("mapped", 60000, 3 * 65536, 3),
            ("recursive", 12000, 7 * (12345 + more), 7), ("generated", 2500, 20 * (3000 + more), 20), ("in_thread", 80000, 5 * (90000 + head), 5)):
        found = sums(leaks, function, floor)
        # With Python's allocators the heads of the objects stand beside what they hold.
        assert found == (size, count) if not domains else 0 <= found[0] - size <= 200 * count + 10000 and found[1] >= count, (function, found)
    assert any(len(row["frames"]) > 30 for row in leaks.rows(function="recursive"))
    peak, line = scene.read(), 1 + LINES.splitlines().index("gone = bytearray(40000000)")
    assert 0 <= peak.sum("shown", file="app.py", line=line)[0] - 40000001 < 5000 and peak.peak["bytes"] > 40000001
    assert leaks.sum("shown", file="app.py", line=line)[0] < 5000


# A program's own account of what it gets on which lines.
NOTES = """expected, kept = {}, []
def note(size):
    path, frame = [], sys._getframe(1)
    while frame:
        path.append(frame.f_lineno)
        frame = frame.f_back
    key = ' '.join(map(str, path))
    expected[key] = expected.get(key, 0) + size
"""

PATHS = """import random, sys, json
random.seed(int(sys.argv[1]))
""" + NOTES + """def a(n):
    if n and random.random() < 0.6:
        b(n - 1)
    if random.random() < 0.5:
        note(9000); kept.append(bytearray(9000))
    if n and random.random() < 0.5:
        a(n - 1); note(7000); kept.append(bytearray(7000))
    if n and random.random() < 0.4: b(n - 1); note(8000); kept.append(bytearray(8000))
def b(n):
    for x in g(n):
        note(6000); kept.append(bytearray(6000))
        if n and random.random() < 0.3: a(n - 1)
    if n:
        a(n - 1)
def g(n):
    for i in range(2):
        note(5000); kept.append(bytearray(5000))
        if n and i: a(n - 1)
        yield i
for i in range(30):
    a(5)
    if i % 3 == 0: b(4)
def leaf(first):
    if first: note(9000); kept.append(bytearray(9000))
    else:
        note(8000); kept.append(bytearray(8000))
def turns(first):
    while True:
        leaf(first)
        yield
pair = turns(True), turns(False)
for i in range(20):
    for one in pair: next(one)
print(json.dumps(expected))
"""


@on_all
@pytest.mark.parametrize("seed", range(2))
def test_call_paths_at_random(scene, seed):
    """Each block stands on the lines on which the program itself saw its frames, however these come and go between two allocations."""
    more, program = scene.extra("bytearray(n)"), scene.write("app.py", PATHS)
    answer = scene.memory("-q", *scene.domains(), program=(program, str(seed)))
    expected = json.loads(answer.out)
    assert len(expected) > 300 and scene.read("--total").by_path(more) == expected


@on_all
def test_peak_is_that_of_the_program(scene):
    """What is live at the peak is what the program had then: line by line they sum up to it."""
    domains = scene.domains()
    program = scene.write("app.py", "a = bytearray(3000000)\nb = bytearray(5000000)\ndel a\nc = bytearray(1000000)\ndel b\nd = bytearray(6000000)\n")
    scene.memory("-q", *domains, program=(program,))
    peak = scene.read()
    sizes = [peak.sum("shown", file="app.py", line=n)[0] // 10000 for n in range(1, 7)]
    assert sizes == [300, 500, 0, 0, 0, 0], sizes
    counted = [row for row in peak.data["rows"] if not row["allocator"].startswith("mmap of")]
    assert sum(row["peak"]["bytes"] for row in counted) == peak.peak["bytes"]
    assert sum(row["peak"]["count"] for row in counted) == peak.peak["count"]
    assert peak.peak["bytes"] > 8000002


@on_all
def test_temporary(scene):
    program = scene.write("app.py", "def f():\n    for i in range(300):\n        bytearray(100000)\nf()\n")
    scene.memory("-q", *scene.domains(), program=(program,))
    size, count = scene.read("--temporary").sum("shown", file="app.py", line=3)
    assert (size, count) == (300 * (100000 + scene.extra("bytearray(n)")), 300) or scene.interpreter.free_threaded and size >= 300 * 100001


@on_all
def test_maps_of_files_are_apart(scene):
    program = scene.write("app.py", "import mmap\nopen('%(f)s', 'wb').write(bytes(3000000))\nf = open('%(f)s', 'rb')\nm = mmap.mmap(f.fileno(), 3000000, prot=mmap.PROT_READ)\n" % {"f": scene.path / "big"})
    answer = scene.memory(program=(program,))
    assert ("Without the GIL" in answer.err) == scene.interpreter.free_threaded and ("Small objects" in answer.err) != scene.interpreter.free_threaded
    memory = scene.read("--at", "end")
    assert memory.sum("shown", allocator="mmap of files", line=4, file="app.py") == (3000000, 1)
    assert memory.sum("shown", allocator="mmap", line=4, file="app.py") == (0, 0)
    assert "maps of files" in answer.err


# ---- words ----

@on_some
def test_words_of_tracemalloc(scene):
    program = scene.write("app.py", "def make():\n    return [bytearray(100000) for _ in range(50)]\nkept = make()\n")
    answer = scene.memory("--leaks", program=(program,))
    assert re.search(r"app\.py:2: size=488[34] KiB, count=50, average=97\.7 KiB\n    return \[bytearray", answer.err), answer.err
    assert re.search(r"app\.py:2: size=488[34] KiB \(\+488[34] KiB\), count=50 \(\+50\), average=97\.7 KiB", scene.report("--between", "start", "end"))
    traceback = scene.report("--leaks", "--by", "traceback")
    assert re.search(r'  File ".*app\.py", line 3\n    kept = make\(\)\n  File ".*app\.py", line 2\n    return \[', traceback), traceback
    assert re.search(r"app\.py:0: size=488[34] KiB, count=5\d, ", scene.report("--leaks", "--by", "file"))
    assert re.search(r"^malloc: size=\d", scene.report("--leaks", "--by", "allocator"), re.M)
    assert re.search(r"make \(\S*app\.py:1\)|<listcomp> \(\S*app\.py:2\)", scene.report("--leaks", "--by", "function"))
    collapsed = scene.report("--leaks", "--format", "collapsed")
    assert sum(int(line.rsplit(" ", 1)[1]) for line in collapsed.splitlines() if "app.py:2" in line) == 50 * (100000 + scene.extra("bytearray(n)"))
    picture = scene.report("--leaks", "--format", "svg")
    assert picture.startswith("<?xml") and "Leaked: got since the main program began" in picture and " samples" not in picture.split("<script")[0]
    tree = scene.report("--leaks", "--tree")
    assert "Peak: " in tree and re.search(r"make(\.<locals>\.<listcomp>)? \(\S*app\.py:", tree) and "sample" not in tree


# ---- the program as without us ----

AS_ALONE = """import os, sys, gc
print(sorted(name for name in os.environ if 'PYRO' in name or name == 'LD_PRELOAD'), [m for m in sys.modules if 'pyro' in m], sys.argv[1:])
def deep(n):
    return bytearray(600) if n == 0 else deep(n - 1)
sys.setrecursionlimit(5000)
deep(3000)
class D:
    def __del__(self):
        self.x = bytearray(50000)
class Cycle:
    def __init__(self): self.me, self.d = self, D()
for _ in range(50): Cycle()
gc.collect()
try:
    [bytearray(1000), 1 / 0]
except ZeroDivisionError:
    kept = [bytearray(100000)]
import signal
def handler(*_): globals().setdefault('h', []).append(bytearray(20000))
signal.signal(signal.SIGUSR1, handler)
for _ in range(10): os.kill(os.getpid(), signal.SIGUSR1)
print(len(h))
for i in range(200):
    space = {}
    exec(compile('def f%d():\\n    return bytearray(700)\\nf%d()' % (i, i), '<made %d>' % i, 'exec'), space)
pid = os.fork()
if pid == 0:
    bytearray(1000000)
    os._exit(5)
print(os.waitpid(pid, 0)[1])
at_end = D()
sys.exit(3)
"""


@on_all
@pytest.mark.parametrize("domains", [[], ["--python-allocators"]], ids=["", "python allocators"])
def test_as_alone(scene, domains):
    program = scene.write("app.py", AS_ALONE)
    alone = run(*scene.interpreter.argv, program, "x", env=scene.environment)
    assert alone.status == 3, alone.err
    answer = scene.memory("-q", *(domains or scene.domains()), program=(program, "x"), status=3)
    assert (answer.out, answer.err) == (alone.out, alone.err)
    memory = scene.read("--total")
    assert memory.sum("shown", file="app.py", function="deep")[0] >= 601 and max(len(row["frames"]) for row in memory.rows(function="deep")) == 3002
    made = {row["frames"][0]["file"] for row in memory.data["rows"] if row["frames"] and row["frames"][0]["file"].startswith("<made")}
    assert len(made) == 200, "an address is no code: each has its own name"


@on_some
def test_children_are_followed(scene):
    program = scene.write("app.py", "import os, subprocess, sys\nif os.fork() == 0:\n    x = bytearray(3000000)\n    os._exit(0)\nos.wait()\n"
                          "subprocess.run([sys.executable, '-c', 'y = bytearray(4000000)'])\n")
    for words, times in ((["-s"], 1), ([], 0)):
        scene.memory("-q", *words, program=(program,))
        big = sorted(row["shown"]["bytes"] // 1000 for row in scene.read("--total").data["rows"] if row["shown"]["bytes"] >= 3000000 and row["allocator"] == "malloc"
                     and row["frames"] and row["frames"][0]["file"].endswith(("app.py", "<string>")))
        assert big == [3000, 4000] * times


@on_some
def test_sigkill_of_the_program(scene):
    program = scene.write("app.py", "import os, signal\nkept = [bytearray(50000) for _ in range(100)]\nos.kill(os.getpid(), signal.SIGKILL)\n")
    scene.memory("-q", program=(program,), status=128 + 9)
    assert scene.read("--at", "end").sum("shown", file="app.py", line=2)[1] >= 100


@on_some
def test_sigkill_of_pyrometer(scene):
    """The program runs on; what was written reads to its last block."""
    program = scene.write("app.py", "import sys, time\nprint('READY', flush=True)\nkept, end = [], time.monotonic() + 5\nwhile time.monotonic() < end:\n    kept.append(bytearray(1000))\nprint('WHOLE', flush=True)\n")
    with harness.Subject([str(scene.pyrometer), "memory", "-q", "-o", str(scene.path / "a.pyro"), "--", *scene.interpreter.argv, str(program)], env=scene.environment) as subject:
        subject.await_ready()
        time.sleep(3)  # a block is written each second
        os.kill(subject.pid, signal.SIGKILL)
        subject.process.wait()
        assert subject.read_line() == "WHOLE"
    (scene.path / "a.pyro.part").rename(scene.path / "a.pyro")
    assert scene.read("--total").sum("shown", file="app.py", line=5)[1] > 1000


@pytest.mark.parametrize("interpreter", ["3.13"], indirect=True)
def test_folder_is_removed(scene):
    """What is measured lies in a folder; when somebody cleans up there, that is said."""
    program = scene.write("app.py", "import glob, os, shutil, time\nmine, = glob.glob('/dev/shm/pyrometer-*/%d-1.segment' % os.getpid())\nshutil.rmtree(os.path.dirname(mine))\ntime.sleep(0.1)\nprint('end')\n")
    answer = run(scene.pyrometer, "memory", "-q", "-o", scene.path / "a.pyro", "--", *scene.interpreter.argv, program, env=scene.environment)
    assert answer.out == "end\n" and answer.status == 125 and "cannot be read any more in /dev/shm/pyrometer-" in answer.sentence()


# ---- limits ----

LIMITED = "def work():\n    return bytearray(3000000)\nkept = work()\ngone = bytearray(8000000)\ndel gone\nimport sys\nsys.exit(int(sys.argv[1]))\n"


@on_some
def test_limits(scene):
    """Status 100 and the culprits; a program's own failure wins, and what stays below says nothing."""
    program = scene.write("app.py", LIMITED)

    def limited(*words, own="0"):
        return run(scene.pyrometer, "memory", "-q", "-o", scene.path / "a.pyro", *words, "--", *scene.interpreter.argv, program, own, env=scene.environment)
    below = limited("--limit-peak", "100M", "--limit-leak", "10M")
    assert (below.status, below.err) == (0, "")
    peak = limited("--limit-peak", "5M")
    assert peak.status == 100 and re.search(r"the peak was \d+(\.\d)? MiB, more than the limit of 5120 KiB:\n  size=7813 KiB, count=1, .*\n    \S*app\.py:4 in <module>", peak.err), peak.err
    leak = limited("--limit-leak", "1M")
    assert leak.status == 100 and re.search(r"one call path leaked 2930 KiB, more than the limit of 1024 KiB:\n.*\n    \S*app\.py:2 in work\n    \S*app\.py:3 in <module>", leak.err), leak.err
    assert leak.err.count("one call path") == 1
    assert limited("--limit-leak", "1M", own="4").status == 4
    assert limited("--limit-leak", "3M").status == 0


# ---- what cannot be ----

@pytest.mark.parametrize("words, said", [
    (["memory", "--peak", "--leaks", "-c", "1"], "give one of --peak"),
    (["memory", "--at", "noon", "-c", "1"], "'noon' is no moment"),
    (["memory", "--between", "1"], "--between needs two values"),
    (["memory", "--limit-peak", "much", "-c", "1"], "'much' is no size"),
    (["memory", "--limit-leak", "0", "-c", "1"], "'0' is no size"),
    (["memory", "-p", "1"], "with -p there is --rss alone"),
    (["memory", "-i", "5ms", "-c", "1"], "-i is for --rss"),
    (["memory", "--rss", "--leaks", "-c", "1"], "--rss looks at the process as a whole"),
])
def test_bad_words(pyrometer, tmp_path, words, said):
    answer = run(pyrometer, *words, cwd=str(tmp_path))
    assert answer.status == 2 and said in answer.sentence(), answer.err


def test_no_python(pyrometer, tmp_path):
    answer = run(pyrometer, "memory", "-o", tmp_path / "a.pyro", "true")
    assert answer.status == 125 and "no allocations were measured" in answer.sentence()


@pytest.mark.parametrize("interpreter", ["2.7", "3.7"], indirect=True)
def test_old_pythons(scene):
    answer = run(scene.pyrometer, "memory", "-q", "-o", scene.path / "a.pyro", *scene.interpreter.argv, "-c", "pass", env=scene.environment)
    assert answer.status == 125 and "3.8" in answer.sentence(), answer.err
