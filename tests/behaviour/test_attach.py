"""`pyrometer calls -p PID`: into a running program and out again, which goes on as if nothing had happened."""
import contextlib
import marshal
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import harness
from harness import Subject, clean_environment, run, wait_until

PYTHONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "sid-3.13", "sid-3.14", "sid-3.15", "sid-3.13t"]


def is_measured(pid):
    """Whether the agent's segment (src/agent/segment/segment.h) is there and says that it runs."""
    running, state_at = 1, 16
    found = re.search(r"/\S+\.segment", Path("/proc/%d/maps" % pid).read_text())
    head = Path("/proc/%d/root%s" % (pid, found.group())).read_bytes()[:state_at + 4] if found else b""
    return len(head) == state_at + 4 and int.from_bytes(head[state_at:], sys.byteorder) == running


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="test-attach-", dir="/dev/shm") as name:
        os.chmod(name, 0o755)
        yield Path(name)


class Started:
    """A program that runs; its pid is the interpreter's also where a chroot starts it."""

    def __init__(self, interpreter, folder, source, **more):
        script = folder / "app.py"
        script.write_text("import sys\ndef ready(): print('READY', flush=True)\n" + source)
        self.subject = Subject([*interpreter.argv, str(script)], **more)

    def __enter__(self):
        self.subject.__enter__()
        self.subject.await_ready()
        return self.subject

    def __exit__(self, *what):
        self.subject.__exit__(*what)


def attach(pyrometer, subject, folder, *words, **more):
    out = folder / "out.pstats"
    out.unlink(missing_ok=True)
    answer = run(pyrometer, "calls", "-q", "-p", subject.pid, "-o", out, *words, **more)
    rows = marshal.loads(out.read_bytes()) if out.exists() else {}
    return answer, {key[2]: row for key, row in rows.items()}


def folders():
    """What attaching has left."""
    return {path.parent for path in Path("/dev/shm").glob("pyrometer-*/leash")}


BUSY = """
import threading, time
stop = False
def leaf(x): return x + 1
def work():
    s = 0
    for _ in range(100): s = leaf(s)
    assert s == 100
def turn():
    while not stop: work(); bytearray(1 << 18)
threads = [threading.Thread(target=turn) for _ in range(2)]
for thread in threads: thread.start()
ready()
"""
REPORT = """
import os, time
sys.stdin.readline()
stop = True
for thread in threads: thread.join()
time.sleep(0.2)
monitoring = getattr(sys, "monitoring", None)  # from 3.12 on
print([monitoring and monitoring.get_tool(i) for i in range(6)], [monitoring.get_events(i) for i in range(6) if monitoring and monitoring.get_tool(i)],
      sorted(name for name in sys.modules if "pyrometer" in name), threading.active_count(), sorted(os.listdir("/proc/self/task")) == [str(os.getpid())])
"""
UNCHANGED = "[None, None, None, None, None, None] [] [] 1 True"


@pytest.mark.parametrize("interpreter", PYTHONS, indirect=True)
def test_busy_threads(pyrometer, interpreter, folder):
    with Started(interpreter, folder, BUSY + REPORT) as subject:
        answer, rows = attach(pyrometer, subject, folder, "-d", "300ms")
        assert answer.status == 0, answer.err
        leaves, works = rows["leaf"][1], rows["work"][1]
        # Each thread may be amid one call of work when we come, and amid another one when we go.
        assert works > 10 and abs(leaves - 100 * works) <= 2 * 100, (leaves, works)
        subject.tell("\n")
        assert subject.rest().strip() == UNCHANGED
        assert subject.process.returncode == 0


SLEEPERS = {
    "sleep": "import time\ntime.sleep(1.5)",
    "select": "import select, os\nr, w = os.pipe()\nassert select.select([r], [], [], 1.5) == ([], [], [])",
    "poll": "import select, os\nr, w = os.pipe()\np = select.poll()\np.register(r)\nassert p.poll(1500) == []",
    "epoll": "import select, os\nr, w = os.pipe()\np = select.epoll()\np.register(r)\nassert p.poll(1.5) == []",
    "lock": "import threading\nl = threading.Lock()\nl.acquire()\nassert not l.acquire(timeout=1.5)",
    "join": "import threading, time\nt = threading.Thread(target=time.sleep, args=(1.5,))\nt.start()\nt.join()",
    "pipe": "import os, threading\nr, w = os.pipe()\nif os.fork() == 0:\n    import time\n    time.sleep(1.5)\n    os.write(w, b'x')\n    os._exit(0)\nassert os.read(r, 5) == b'x'",
    "wait": "import os, time\nif os.fork() == 0:\n    time.sleep(1.5)\n    os._exit(3)\nassert os.wait()[1] == 3 << 8",
    "timer": "import signal, time\nseen = []\nsignal.signal(signal.SIGALRM, lambda *_: seen.append(1))\nsignal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)\ntime.sleep(1.5)\nsignal.setitimer(signal.ITIMER_REAL, 0)\nassert len(seen) > 50, seen",
}


@pytest.mark.parametrize("interpreter", ["3.13", "sid-3.15"], indirect=True)
@pytest.mark.parametrize("how", list(SLEEPERS))
def test_who_sleeps_wakes_when_he_would(pyrometer, interpreter, folder, how):
    source = "import time\nbegin = time.monotonic()\nready()\n%s\nprint(time.monotonic() - begin)\n" % SLEEPERS[how]
    with Started(interpreter, folder, source) as subject:
        time.sleep(0.3)
        for _ in range(3):
            answer, _ = attach(pyrometer, subject, folder, "-d", "50ms")
            assert answer.status == 0, answer.err
        slept = float(subject.rest())
        assert subject.process.returncode == 0
        assert 1.49 < slept < 1.75, slept


RAW = r"""
import ctypes, errno, os, select, time
libc = ctypes.CDLL(None, use_errno=True)
epoll = select.epoll()
r, w = os.pipe()
epoll.register(r, select.EPOLLIN)
events = ctypes.create_string_buffer(64)
begin = time.monotonic()
ready()
got = libc.epoll_wait(epoll.fileno(), events, 1, 1500)
print(got, ctypes.get_errno(), time.monotonic() - begin)
"""


def test_no_call_returns_eintr(pyrometer, any_python, folder):
    """C code that does not know of EINTR: even epoll_wait, which the kernel does not begin again."""
    with Started(any_python, folder, RAW) as subject:
        time.sleep(0.5)
        for _ in range(3):
            assert attach(pyrometer, subject, folder, "-d", "50ms")[0].status == 0
        got, error, took = subject.rest().split()
        assert (got, error) == ("0", "0") and 1.45 < float(took) < 1.75, (got, error, took)


def test_a_hundred_times_under_load(pyrometer, any_python, folder):
    with Started(any_python, folder, BUSY + REPORT) as subject:
        def state():
            return len(os.listdir("/proc/%d/fd" % subject.pid)), Path("/proc/%d/maps" % subject.pid).read_text().count(".segment")
        files = None
        for i in range(100):
            answer, rows = attach(pyrometer, subject, folder, "-d", "1ms", *(["--no-builtins"] if i % 2 else []))
            assert answer.status == 0, (i, answer.err)
            files = files or state()
        assert state()[0] <= files[0] + 1 and state()[1] <= 2, (files, state())
        subject.tell("\n")
        assert subject.rest().strip() == UNCHANGED


def kill_at(pyrometer, pid, folder, after):
    process = subprocess.Popen([str(pyrometer), "calls", "-q", "-p", str(pid), "-d", "30ms", "-o", str(folder / "killed.pstats")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
    time.sleep(after)
    process.kill()
    process.wait()


IDLE = """
import threading
stop = True
threads = []
ready()
"""


def thread_names(pid):
    names = []
    for task in Path("/proc/%d/task" % pid).iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ends meanwhile
            names.append((task / "comm").read_text().strip())
    return names


@pytest.mark.parametrize("source", [BUSY, IDLE], ids=["busy", "idle"])
def test_killed_at_any_moment(pyrometer, any_python, folder, source):
    """Into it, in it, on the way out: the program runs on, is nobody's tracee, and can be measured again."""
    choose, before = random.Random(1), folders()
    with Started(any_python, folder, source + REPORT) as subject:
        for _ in range(100):
            kill_at(pyrometer, subject.pid, folder, choose.uniform(0, 0.08))
            status = Path("/proc/%d/status" % subject.pid).read_text()
            assert "TracerPid:\t0" in status and subject.process.poll() is None
        wait_until(lambda: "pyrometer" not in thread_names(subject.pid), "the agent's leaving")
        assert attach(pyrometer, subject, folder, "-d", "20ms")[0].status == 0
        assert not folders() - before
        subject.tell("\n")
        assert subject.rest().strip() == UNCHANGED
        assert subject.process.returncode == 0


def test_its_end_ends_it(pyrometer, any_python, folder):
    with Started(any_python, folder, "def f(): pass\nsys.stdin.readline()\nfor _ in range(1234): f()\nsys.exit(3)\n".replace("def f", "ready()\ndef f")) as subject:
        process = subprocess.Popen([str(pyrometer), "calls", "-p", str(subject.pid), "-o", str(folder / "end.pstats")],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
        wait_until(lambda: is_measured(subject.pid), "the attach")
        time.sleep(0.3)
        subject.tell("\n")
        out, err = process.communicate(timeout=20)
        subject.rest()
        assert process.returncode == 0 and out == b"" and b"1234" in err, (out, err)
        assert subject.process.returncode == 3


def test_ctrl_c_ends_it(pyrometer, any_python, folder):
    with Started(any_python, folder, IDLE + REPORT) as subject:
        process = subprocess.Popen([str(pyrometer), "calls", "-p", str(subject.pid), "-o", str(folder / "end.pstats")],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment())
        wait_until(lambda: is_measured(subject.pid), "the attach")
        process.send_signal(signal.SIGINT)
        assert b"function calls" in process.communicate(timeout=20)[1] and process.returncode == 0
        subject.tell("\n")
        assert subject.rest().strip() == UNCHANGED


FORK = """
import os
ready()
sys.stdin.readline()
child = os.fork()
if child == 0:
    def leaf(): pass
    ready()
    print(os.getpid(), flush=True)
    sys.stdin.readline()
    for _ in range(500): leaf()
    print("done", flush=True)
    sys.stdin.readline()
    os._exit(0)
os.waitpid(child, 0)
"""


def test_a_child_that_was_forked_while_measured(pyrometer, any_python, folder):
    """It can be measured itself, and nothing that its parent's measuring left in it counts twice."""
    with Started(any_python, folder, FORK) as subject:
        parent = subprocess.Popen([str(pyrometer), "calls", "-q", "-p", str(subject.pid), "-o", str(folder / "parent.pstats")],
                                  stdin=subprocess.DEVNULL, env=clean_environment())
        wait_until(lambda: is_measured(subject.pid), "the attach")
        time.sleep(0.2)
        subject.tell("\n")
        pid = None
        while pid is None:
            line = subject.read_line()
            pid = int(line) if line.isdigit() else None
        process = subprocess.Popen([str(pyrometer), "calls", "-q", "-p", str(pid), "-d", "1", "-o", str(folder / "child.pstats")],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_environment())
        wait_until(lambda: is_measured(pid), "the attach to the child")
        time.sleep(0.3)
        subject.tell("\n")
        assert subject.await_ready("done") == ""
        assert process.wait(20) == 0, process.stderr.read()
        process.stderr.close()
        rows = {key[2]: row for key, row in marshal.loads((folder / "child.pstats").read_bytes()).items()}
        assert rows["leaf"][1] == 500
        parent.send_signal(signal.SIGINT)
        assert parent.wait(20) == 0
        subject.tell("\n")
        subject.rest()
        assert subject.process.returncode == 0


ELSEWHERE = {
    "other mounts": ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o noexec none /dev/shm; mount -t tmpfs none /tmp; exec "$@"', "sh"],
    "other pids": ["unshare", "--pid", "--fork", "--kill-child"],
}


@pytest.mark.parametrize("where", list(ELSEWHERE))
def test_elsewhere(pyrometer, any_python, folder, where):
    """In a container: another root, other numbers, and a /dev/shm that no code may lie in."""
    if os.geteuid() != 0:
        pytest.skip("only root can make namespaces")
    script = folder / "app.py"
    script.write_text("import sys\ndef ready(): print('READY', flush=True)\n" + BUSY + REPORT.replace("os.getpid()", "os.readlink('/proc/self')"))
    source = script.read_text()
    with Subject([*ELSEWHERE[where], *any_python.argv, "-c", source]) as outer:
        outer.await_ready()
        children = Path("/proc/%d/task/%d/children" % (outer.pid, outer.pid)).read_text().split()
        pid = int(children[0]) if children else outer.pid
        out = folder / "out.pstats"
        answer = run(pyrometer, "calls", "-q", "-p", pid, "-d", "200ms", "-o", out)
        assert answer.status == 0, answer.err
        rows = {key[2]: row for key, row in marshal.loads(out.read_bytes()).items()}
        assert rows["leaf"][1] > 1000
        outer.tell("\n")
        assert outer.rest().strip().startswith(UNCHANGED[:-5])
        assert outer.process.returncode == 0


def test_by_its_own_user(nobody, folder):
    system = harness.find_interpreters()["system"]
    with Started(system, folder, IDLE + "sys.stdin.readline()\n", **nobody.become) as subject:
        answer = nobody.run("calls", "-q", "-p", subject.pid, "-d", "10ms", "-o", "/tmp/pyrometer-nobody-%d.pstats" % subject.pid)
        Path("/tmp/pyrometer-nobody-%d.pstats" % subject.pid).unlink(missing_ok=True)
        assert answer.status == 0, answer.err


C_KEEPS = """
import time
ready()
begin = time.monotonic()
while time.monotonic() - begin < 2: sum(range(3000000))
sys.stdin.readline()
"""


def test_a_thread_that_is_in_c_most_of_the_time(pyrometer, any_python, folder):
    with Started(any_python, folder, C_KEEPS) as subject:
        answer, rows = attach(pyrometer, subject, folder, "-d", "500ms")
        assert answer.status == 0, answer.err
        assert rows["<built-in method builtins.sum>"][1] >= 2, rows
        subject.tell("\n")
        subject.rest()
        assert subject.process.returncode == 0


# ---- what cannot be done ----

SECCOMP = """
import ctypes, struct
libc = ctypes.CDLL(None)
code = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(code)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
"""


def test_what_has_a_filter_of_its_own(pyrometer, any_python, folder):
    with Started(any_python, folder, SECCOMP + IDLE + REPORT) as subject:
        answer, _ = attach(pyrometer, subject, folder, "-d", "1")
        assert answer.status == 125 and "seccomp" in answer.sentence()


@pytest.mark.parametrize("interpreter", ["3.6", "3.7"], indirect=True)
def test_too_old(pyrometer, interpreter, folder):
    """Said at once; and the program goes on."""
    with Started(interpreter, folder, IDLE + "sys.stdin.readline()\n") as subject:
        begin = time.monotonic()
        answer, _ = attach(pyrometer, subject, folder, "-d", "4")
        assert answer.status == 125 and "3.8" in answer.sentence() and time.monotonic() - begin < 3, answer.err
        subject.tell("\n")
        subject.rest()
        assert subject.process.returncode == 0


def test_only_one_at_a_time(pyrometer, any_python, folder):
    with Started(any_python, folder, IDLE + REPORT) as subject:
        first = subprocess.Popen([str(pyrometer), "calls", "-q", "-p", str(subject.pid), "-d", "20", "-o", str(folder / "first.pstats")],
                                 stdin=subprocess.DEVNULL, env=clean_environment())
        wait_until(lambda: is_measured(subject.pid), "the attach")
        time.sleep(0.1)
        answer, _ = attach(pyrometer, subject, folder, "-d", "1")
        assert answer.status == 125 and "another pyrometer" in answer.sentence()
        first.send_signal(signal.SIGINT)
        assert first.wait(20) == 0


def test_what_is_no_python(pyrometer):
    with Subject(["sleep", "60"]) as subject:
        answer = run(pyrometer, "calls", "-p", subject.pid, "-d", "1")
        assert answer.status == 125 and "Python" in answer.sentence()


def test_what_is_not_there(pyrometer):
    answer = run(pyrometer, "calls", "-p", "4194303", "-d", "1")
    assert answer.status == 125 and "no process 4194303" in answer.sentence()


@pytest.mark.parametrize("interpreter", ["2.7", "3.6"], indirect=True)
def test_what_is_too_old(pyrometer, interpreter, folder):
    with Subject(interpreter.argv + ["-c", "import sys; print('READY'); sys.stdout.flush(); sys.stdin.readline()"]) as subject:
        subject.await_ready()
        answer = run(pyrometer, "calls", "-p", subject.pid, "-d", "1")
        assert answer.status == 125 and "Python %s" % interpreter.name in answer.sentence()


def test_what_is_traced(pyrometer, any_python, folder):
    with Started(any_python, folder, IDLE + REPORT) as subject:
        code = "import ctypes,sys;assert ctypes.CDLL(None).ptrace(0x4206,%d,0,0)==0;print(1,flush=True);sys.stdin.read()" % subject.pid
        with Subject(["python3", "-c", code]) as tracer:
            tracer.read_line()
            answer, _ = attach(pyrometer, subject, folder, "-d", "1")
            assert answer.status == 125 and "traced by process %d" % tracer.pid in answer.sentence()


def test_what_is_stopped(pyrometer, any_python, folder):
    with Started(any_python, folder, IDLE + REPORT) as subject:
        os.kill(subject.pid, signal.SIGSTOP)
        wait_until(lambda: "T (stopped)" in Path("/proc/%d/status" % subject.pid).read_text())
        answer, _ = attach(pyrometer, subject, folder, "-d", "1")
        assert answer.status == 125 and "kill -CONT" in answer.sentence()
        os.kill(subject.pid, signal.SIGCONT)


def test_another_users(nobody, any_python, folder):
    with Started(any_python, folder, IDLE + REPORT) as subject:
        answer = nobody.run("calls", "-p", subject.pid, "-d", "1", "-o", "/tmp/pyrometer-nobody-%d.pstats" % subject.pid)
        assert answer.status == 125 and "user 0" in answer.sentence()


def test_root_into_another_users(pyrometer, nobody, folder):
    """What is loaded lies where that user can read it."""
    with Started(harness.find_interpreters()["system"], folder, IDLE + "sys.stdin.readline()\n", **nobody.become) as subject:
        answer, _ = attach(pyrometer, subject, folder, "-d", "10ms")
        assert answer.status == 0, answer.err


def test_words(pyrometer):
    assert run(pyrometer, "calls", "-p", "1", "app.py").status == 2
    assert run(pyrometer, "calls", "-d", "1", "app.py").status == 2
