"""Targets and machines that make it hard: each failure is one clear sentence and the right status, the target survives."""
import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import harness
from harness import Report, Subject, record_json, run, start_pyrometer, truth_of, wait_until

BUSY = "import sys, time\nprint('READY'); sys.stdout.flush()\nwhile True: sum(range(1000))\n"
SLEEP = "import sys, time\nprint('READY'); sys.stdout.flush()\ntime.sleep(600)\n"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@contextlib.contextmanager
def program(code, *words):
    with Subject([sys.executable, "-S", "-c", code] + [str(word) for word in words]) as subject:
        subject.await_ready()
        yield subject


@pytest.fixture
def open_folder():
    """A folder that other users can enter, too."""
    folder = Path(tempfile.mkdtemp(prefix="pyrometer-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(str(folder))


def is_alive(pid):
    """Running, and not waiting to be buried."""
    try:
        return open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def is_whole(pyrometer, recording):
    answer = run(pyrometer, "report", "--format", "json", recording)
    return answer.status == 0 and answer.json()["recording"]["complete"]


# ---- targets that end ----

@pytest.mark.parametrize("code, status", [("pass", 0), ("import os; os._exit(5)", 5), ("import sys; sys.exit(7)", 7)])
def test_target_exits_at_once(pyrometer, tmp_path, code, status):
    answer = run(pyrometer, "record", "-q", "-o", tmp_path / "x.pyro", "-c", code)
    assert (answer.status, answer.err) == (status, "")
    assert is_whole(pyrometer, tmp_path / "x.pyro")


def test_target_exits_while_it_is_read(pyrometer, tmp_path):
    """Attached at 10 kHz to programs that end soon, by themselves or killed, in every moment of our looking."""
    recording = tmp_path / "x.pyro"
    for turn in range(12):
        code = BUSY.replace("while True:", "end = time.time() + %f\nwhile time.time() < end:" % (0.03 + turn * 0.004))
        with program(code) as subject:
            process = start_pyrometer(pyrometer, "record", "-q", "-r", "10khz", "-o", recording, "-p", subject.pid)
            if turn % 2:
                time.sleep(0.03 + turn * 0.002)
                subject.process.kill()
            subject.process.wait()
            _, err = process.communicate(timeout=30)
        if process.returncode == 0:
            assert err == b"" and is_whole(pyrometer, recording)
        else:
            assert process.returncode == 125 and len(err.splitlines()) == 1 and str(subject.pid).encode() in err


def test_target_is_killed(pyrometer, tmp_path):
    recording = tmp_path / "x.pyro"
    with program(BUSY) as subject:
        process = start_pyrometer(pyrometer, "record", "-q", "-o", recording, "-p", subject.pid)
        time.sleep(0.5)
        subject.process.kill()  # it stays a zombie while we wait for the profiler
        try:
            _, err = process.communicate(timeout=5)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, b"") and is_whole(pyrometer, recording)


def test_target_executes_another_python(pyrometer, interpreters):
    """What it was before and what it became are in one recording, each with its own version."""
    other = interpreters.get("3.8") or interpreters.get("system")
    code = ("import os, time\ndef before():\n    end = time.time() + 0.3\n    while time.time() < end: pass\nbefore()\n"
            "os.execv(%r, ['other', '-c', 'import time\\ndef after():\\n    end = time.time() + 0.3\\n"
            "    while time.time() < end: pass\\nafter()\\nraise SystemExit(4)'])" % other.argv[-1])
    report, answer = record_json(pyrometer, "--python", sys.executable, "-c", code)
    assert answer.status == 4
    assert report.total("before") > 0.2 and report.total("after") > 0.2
    assert {row["python"] for row in report.data["processes"]} == {"%d.%d.%d" % sys.version_info[:3], other.version_text}
    assert len({row["pid"] for row in report.data["processes"]}) == 1


def test_target_executes_itself(pyrometer, interpreters, tmp_path):
    """Debian's Python lies at fixed addresses: the new program has what was read of the old one at the same places. Each has
    its own CPU time."""
    python = interpreters["system"].argv[-1] if "system" in interpreters else sys.executable
    (tmp_path / "app.py").write_text(
        "import os, sys, time\ndef burn(seconds):\n    end = time.process_time() + seconds\n"
        "    while time.process_time() < end: pass\n"
        "if len(sys.argv) > 1:\n    burn(0.2)\nelse:\n    burn(0.6)\n    os.execv(sys.executable, ['again', sys.argv[0], 'x'])\n")
    report, answer = record_json(pyrometer, "--python", python, tmp_path / "app.py")
    first, second = report.data["processes"]
    assert answer.status == 0 and first["pid"] == second["pid"]
    # An interpreter's own beginning takes 20 ms, and a few times that where its files are cold.
    assert 0.59 < first["cpu_ns"] / 1e9 < 0.8
    assert 0.19 < second["cpu_ns"] / 1e9 < 0.4


def test_forks_in_a_loop(pyrometer):
    """With -s children of 30 ms are seen, every one."""
    code = ("import os, time\ndef child():\n    end = time.time() + 0.03\n    while time.time() < end: pass\n"
            "for _ in range(20):\n    pid = os.fork()\n    if not pid:\n        child()\n        os._exit(0)\n"
            "    os.waitpid(pid, 0)\n")
    report, answer = record_json(pyrometer, "-s", "-c", code)
    assert answer.status == 0
    assert len(report.data["processes"]) == 21 and report.data["recording"]["unseen_children"] == 0
    process_of = {thread["id"]: thread["process"] for thread in report.data["threads"]}
    seen = {process_of[row["thread"]] for path, row in report.stacks() if "child" in [name for name, _ in path]}
    assert len(seen) == 20


def hears_of_processes():
    """Whether the kernel tells us of processes: as root in the first process namespace, without asking pyrometer."""
    return os.geteuid() == 0 and os.readlink("/proc/self/ns/pid") == "pid:[4026531836]" and os.path.exists("/proc/net/connector")


needs_events = pytest.mark.skipif(not hears_of_processes(), reason="needs root outside of containers")


@needs_events
def test_children_that_end_at_once(pyrometer):
    """Each is seen, or counted as ended unseen."""
    code = ("import os, time\nfor _ in range(50):\n    pid = os.fork()\n    if not pid:\n        os._exit(0)\n"
            "    os.waitpid(pid, 0)\ntime.sleep(0.1)\n")
    report, answer = record_json(pyrometer, "-s", "-c", code)
    assert answer.status == 0
    recording = report.data["recording"]
    assert recording["children_found"] == "events" and not recording["children_unknown"]
    assert len(report.data["processes"]) - 1 + recording["unseen_children"] == 50


@needs_events
def test_children_that_are_no_python(pyrometer):
    """What lives long enough to be looked at is known to be none, and no interpreter is seen in it while it still has its
    parent's memory: for long, as many words take their time."""
    code = ("import subprocess\nwords = ['x' * 100000] * 17\n"
            "for _ in range(30): subprocess.run(['sh', '-c', 'sleep 0.03'] + words, close_fds=False)\n")
    report, answer = record_json(pyrometer, "-s", "-r", "5khz", "--python", sys.executable, "-c", code)
    assert answer.status == 0
    assert len(report.data["processes"]) == 1 and report.data["recording"]["unseen_children"] == 0


def test_cpu_time_of_a_short_program(pyrometer, tmp_path):
    """What it used is known to its last moment, however short it was and whatever else the machine does. It ends
    as soon as it has told: what the interpreter's end takes would not be in its own figure."""
    for seconds in (0.05, 0.25, 1.05):
        code = ("import os, time\nwhile time.process_time() < %f: sum(range(100))\n"
                "print(time.process_time(), flush=True)\nos._exit(0)\n" % seconds)
        (tmp_path / "app.py").write_text(code)
        answer = run(pyrometer, "record", "-q", "-o", tmp_path / "x.json", "--python", sys.executable, tmp_path / "app.py")
        truth = float(answer.out)
        process, = json.loads((tmp_path / "x.json").read_text())["processes"]
        assert answer.status == 0 and process["cpu_ns"] / 1e9 == pytest.approx(truth, rel=0.02, abs=0.008)


# ---- targets that are large, still or strange ----

def test_500_threads(pyrometer):
    code = ("import sys, threading, time\nstop = threading.Event()\ndef waits(): stop.wait()\ndef works():\n"
            "    while not stop.is_set(): sum(range(500))\n"
            "for n in range(500): threading.Thread(target=works if n < 2 else waits, name='worker %d' % n, daemon=True).start()\n"
            "print('READY', flush=True)\nsys.stdin.read()\n")
    with program(code) as subject:
        report, answer = record_json(pyrometer, "--idle", "-d", "2", "-p", subject.pid)
        dump = run(pyrometer, "dump", "--json", subject.pid).json()
        assert is_alive(subject.pid)
    names = {"worker %d" % number for number in range(500)} | {"MainThread"}
    assert answer.status == 0 and {thread["name"] for thread in dump["threads"]} == names
    assert {thread["name"] for thread in report.data["threads"]} == names
    tops = {thread["name"]: [frame["name"] for frame in thread["frames"]] for thread in dump["threads"]}
    assert all(("works" if number < 2 else "waits") in tops["worker %d" % number] for number in range(500))
    assert report.total("waits") > 0.9


def test_stopped_target(pyrometer, tmp_path):
    """A stopped program can be looked at, and stays stopped."""
    code = "import sys\ndef stands():\n    print('READY'); sys.stdout.flush()\n    while True: sum(range(1000))\nstands()\n"
    with program(code) as subject:
        time.sleep(0.1)
        os.kill(subject.pid, signal.SIGSTOP)
        wait_until(lambda: "T (stopped)" in open("/proc/%d/status" % subject.pid).read(), "the stop")
        dump = run(pyrometer, "dump", "--json", subject.pid)
        answer = run(pyrometer, "record", "-q", "-d", "300ms", "-o", tmp_path / "x.pyro", "-p", subject.pid)
        assert "T (stopped)" in open("/proc/%d/status" % subject.pid).read()
    thread = dump.json()["threads"][0]
    assert thread["state"] == "stopped" and [frame["name"] for frame in thread["frames"]] == ["stands", "<module>"]
    assert answer.status == 0 and is_whole(pyrometer, tmp_path / "x.pyro")


def test_stopped_threads(pyrometer):
    """Every thread of a stopped program is stopped, whatever it was waiting for."""
    code = ("import sys, threading, time\nlock = threading.Lock()\nlock.acquire()\n"
            "for wait in (lock.acquire, lambda: time.sleep(600)):\n    threading.Thread(target=wait, daemon=True).start()\n"
            "time.sleep(0.1)\nprint('READY', flush=True)\nsys.stdin.read()\n")
    with program(code) as subject:
        before = run(pyrometer, "dump", "--json", subject.pid)
        os.kill(subject.pid, signal.SIGSTOP)
        states = [str(task / "status") for task in Path("/proc/%d/task" % subject.pid).iterdir()]
        wait_until(lambda: all("T (stopped)" in open(state).read() for state in states), "the stop")
        stopped = run(pyrometer, "dump", "--json", subject.pid)
    assert [thread["state"] for thread in before.json()["threads"]] == ["idle"] * 3
    assert [thread["state"] for thread in stopped.json()["threads"]] == ["stopped"] * 3


@pytest.mark.parametrize("command", ["dump", "record"])
def test_zombie(pyrometer, tmp_path, command):
    pid = os.fork()
    if not pid:
        os._exit(0)
    try:
        wait_until(lambda: "Z (zombie)" in open("/proc/%d/status" % pid).read(), "the zombie")
        answer = run(pyrometer, command, "-p", pid, cwd=str(tmp_path))
    finally:
        os.waitpid(pid, 0)
    assert answer.status == 125 and str(pid) in answer.sentence()
    assert re.search(r"zombie|has ended", answer.sentence())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["dump", "record"])
def test_no_such_process(pyrometer, tmp_path, command):
    process = subprocess.Popen(["true"])
    process.wait()
    answer = run(pyrometer, command, "-p", process.pid, cwd=str(tmp_path))
    assert answer.status == 125
    assert re.search(r"no process\b.*%d" % process.pid, answer.sentence())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["dump", "record"])
def test_not_python(pyrometer, tmp_path, command):
    with Subject(["sleep", "600"]) as subject:
        answer = run(pyrometer, command, "-p", subject.pid, cwd=str(tmp_path))
        assert is_alive(subject.pid)
    assert answer.status == 125
    assert str(subject.pid) in answer.sentence() and "no Python" in answer.sentence()
    assert not list(tmp_path.iterdir())


def test_started_program_is_not_python(pyrometer, tmp_path):
    """A program's own failure wins over ours; ours is said all the same."""
    answer = run(pyrometer, "record", "true", cwd=str(tmp_path))
    assert answer.status == 125 and "nothing was recorded of true: no Python" in answer.sentence()
    answer = run(pyrometer, "record", "sh", "-c", "exit 6", cwd=str(tmp_path))
    assert answer.status == 6 and "no Python" in answer.sentence()


@pytest.mark.parametrize("more", [[], ["-o", "x.pyro"]], ids=["default name", "named"])
def test_nothing_recorded_leaves_no_file(pyrometer, tmp_path, more):
    assert run(pyrometer, "record", *(more + ["true"]), cwd=str(tmp_path)).status == 125
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words, status", [(["no-such-program"], 127), (["./no-such.py"], 127), (["/etc/passwd"], 126)])
def test_program_that_cannot_be_started(pyrometer, tmp_path, words, status):
    answer = run(pyrometer, "record", *words, cwd=str(tmp_path))
    assert answer.status == status and words[0] in answer.sentence()
    assert not list(tmp_path.iterdir())


def build(folder, name, source, *options):
    (folder / (name + ".c")).write_text(source)
    made = subprocess.run(["gcc", "-o", str(folder / name), str(folder / (name + ".c"))] + list(options),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        pytest.skip("gcc cannot build this: %s" % made.stdout.decode().splitlines()[-1])
    return str(folder / name)


needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")


@needs_gcc
@pytest.mark.parametrize("command", ["dump", "record"])
def test_pypy(pyrometer, tmp_path, command):
    """A program that exports what PyPy's executable exports stands for it."""
    path = build(tmp_path, "pypy3", "#include <unistd.h>\nint pypy_main_startup(void) { return 0; }\nint main(void) { pause(); }\n",
                 "-rdynamic")
    with Subject([path]) as subject:
        wait_until(lambda: "pypy3" in open("/proc/%d/maps" % subject.pid).read(), "the start")
        answer = run(pyrometer, command, "-p", subject.pid)
    assert answer.status == 125 and "PyPy" in answer.sentence() and str(subject.pid) in answer.sentence()


@needs_gcc
@pytest.mark.parametrize("command", ["dump", "record"])
def test_32_bit(pyrometer, tmp_path, command):
    """No C library is needed for a program of 32 bits that waits."""
    source = ('__asm__(".globl _start\\n_start: mov $29, %eax\\n int $0x80\\n jmp _start\\n");\n')  # pause()
    path = build(tmp_path, "small", source, "-m32", "-nostdlib", "-static")
    with Subject([path]) as subject:
        wait_until(lambda: "small" in open("/proc/%d/maps" % subject.pid).read(), "the start")
        answer = run(pyrometer, command, "-p", subject.pid)
    assert answer.status == 125 and re.search(r"32.bit", answer.sentence()) and str(subject.pid) in answer.sentence()


def as_nobody(pyrometer, folder):
    """The words that run pyrometer as another user."""
    shutil.copy2(str(pyrometer), str(folder / "pyrometer"))
    (folder / "pyrometer").chmod(0o755)
    return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", str(folder / "pyrometer")]


@needs_root
@pytest.mark.parametrize("command", ["dump", "record"])
def test_another_users_process(pyrometer, open_folder, command):
    with program(SLEEP) as subject:
        words = as_nobody(pyrometer, open_folder)
        finished = harness.run(words[0], *(words[1:] + [command, "-p", subject.pid]), cwd=str(open_folder))
        assert is_alive(subject.pid)
    assert finished.status == 125
    assert re.search(r"process %d .*user 0.*(sudo|doctor)" % subject.pid, finished.sentence())


# ---- outputs that cannot be written ----

@needs_root
def test_read_only_folder(pyrometer, open_folder):
    """Said before the program runs."""
    words = as_nobody(pyrometer, open_folder)
    for more in ([], ["-o", "x.pyro"], ["-o", "x.svg"]):
        finished = harness.run(words[0], *(words[1:] + ["record"] + more + ["-c", "print('it ran')"]), cwd=str(open_folder))
        assert (finished.status, finished.out) == (125, "")
        assert "Permission denied" in finished.sentence()
    assert [path.name for path in open_folder.iterdir()] == ["pyrometer"]


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s" % size, "none", str(folder)]).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


FILLS = ("import sys, time, random\n"
         "for n in range(3000):\n    exec('def f%d():\\n    sum(range(random.randrange(30000)))\\nf%d()' % (n, n))\n"
         "print('end')\nsys.exit(%d)\n")


@needs_root
@pytest.mark.parametrize("own_status, status", [(0, 125), (3, 3)])
def test_disk_full(pyrometer, tmp_path, own_status, status):
    """The program runs to its end; the sentence is said; what was there before is as it was."""
    with small_disk(tmp_path / "disk", "48k") as disk:
        old = disk / "x.pyro"
        old.write_bytes(b"old")
        answer = run(pyrometer, "record", "-q", "-r", "20khz", "-o", old, "-c", FILLS.replace("exit(%d)", "exit(%d)" % own_status))
        assert old.read_bytes() == b"old"
        part = disk / "x.pyro.part"
        readable = run(pyrometer, "report", part) if part.exists() else None
    assert answer.status == status and answer.out == "end\n"
    assert "No space left" in answer.sentence() and "x.pyro" in answer.sentence()
    assert readable is None or readable.status == 0 or "has no complete block" in readable.sentence()


@needs_root
def test_disk_full_of_a_report(pyrometer, tmp_path):
    with small_disk(tmp_path / "disk", "4k") as disk:
        answer = run(pyrometer, "record", "-q", "-o", disk / "x.json", "-c", "for n in range(300000): pass")
        assert not list(disk.iterdir())
    assert answer.status == 125 and "No space left" in answer.sentence()


def test_existing_output_is_kept_until_the_new_one_is_whole(pyrometer, tmp_path):
    recording, picture = tmp_path / "x.pyro", tmp_path / "x.svg"
    recording.write_bytes(b"old")
    picture.write_bytes(b"old")
    process = start_pyrometer(pyrometer, "record", "-q", "-o", recording, "-o", picture, "-c", "import time; time.sleep(1)")
    wait_until((tmp_path / "x.pyro.part").exists, "the recording")
    time.sleep(0.3)
    assert recording.read_bytes() == picture.read_bytes() == b"old"
    assert process.wait(timeout=30) == 0
    assert is_whole(pyrometer, recording) and picture.read_bytes().startswith(b"<?xml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pyro", "x.svg"]
    process.stdout.close()
    process.stderr.close()


def test_our_failure_leaves_an_existing_output(pyrometer, tmp_path):
    recording = tmp_path / "x.pyro"
    recording.write_bytes(b"old")
    assert run(pyrometer, "record", "-o", recording, "true").status == 125
    assert recording.read_bytes() == b"old"


# ---- ends of the profiler ----

@pytest.mark.parametrize("started", [True, False], ids=["started", "attached"])
@pytest.mark.parametrize("blocking", [[], ["--blocking", "-r", "2khz"]], ids=["", "blocking"])
def test_profiler_is_killed(pyrometer, tmp_path, started, blocking):
    """The target runs on, unchanged; the recording reads to its last whole block."""
    code = ("import os, sys\ndef counts(n):\n    for _ in range(n): pass\nprint('READY', os.getpid(), flush=True)\n"
            "while True:\n    counts(10000)\n    if os.path.exists(sys.argv[1]):\n        print('went on', flush=True)\n        break\n")
    script, flag = tmp_path / "counts.py", tmp_path / "flag"
    script.write_text(code)
    words = ["record", "-q", "-o", tmp_path / "x.pyro"] + blocking
    own = [sys.executable, str(script), str(flag)]
    with contextlib.ExitStack() as stack:
        subject = stack.enter_context(Subject([str(pyrometer)] + [str(word) for word in words] + own if started else own))
        pid = int(subject.await_ready())
        profiler = subject.process if started else start_pyrometer(pyrometer, *(words + ["-p", pid]))
        time.sleep(1.5)
        profiler.kill()
        profiler.wait()
        time.sleep(0.2)
        assert is_alive(pid) and "TracerPid:\t0" in open("/proc/%d/status" % pid).read()
        flag.write_text("")
        assert subject.read_line() == "went on"
    answer = run(pyrometer, "report", "--format", "json", tmp_path / "x.pyro.part")
    assert answer.status == 0 and "not whole" in answer.err
    report = Report(answer.json())
    assert report.total("counts") > 0.5 and report.all_samples["all"] > 100
    assert not (tmp_path / "x.pyro").exists()


def test_two_profilers_at_once(pyrometer, tmp_path):
    with program(BUSY) as subject:
        both = [start_pyrometer(pyrometer, "record", "-q", "-d", "1", "-o", tmp_path / name, "-p", subject.pid)
                for name in ("a.pyro", "b.pyro")]
        said = [process.communicate(timeout=30) for process in both]
        assert [process.returncode for process in both] == [0, 0] and said == [(b"", b"")] * 2
        assert is_alive(subject.pid)
    for name in ("a.pyro", "b.pyro"):
        report = Report(run(pyrometer, "report", "--format", "json", tmp_path / name).json())
        assert report.all_samples["all"] > 50 and report.total("<module>") > 0.9


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, words, folder):
        self.pid, self.master = pty.fork()
        if not self.pid:
            try:
                os.chdir(str(folder))
                os.environ["TERM"] = "xterm"
                os.execv(str(words[0]), [str(word) for word in words])
            finally:
                os._exit(99)
        self.text = b""

    def read_until(self, word, patience=harness.PATIENCE):
        end = time.monotonic() + patience
        while word not in self.text:
            assert time.monotonic() < end, self.text
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                chunk = os.read(self.master, 65536)
            except OSError:
                chunk = b""
            assert chunk, "it ended: %r" % self.text
            self.text += chunk

    def finish(self, patience=harness.PATIENCE):
        """Reads to the end; the exit status."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                if select.select([self.master], [], [], 0.1)[0]:
                    chunk = os.read(self.master, 65536)
                    self.text += chunk
            except OSError:
                break
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                with contextlib.suppress(OSError):
                    while select.select([self.master], [], [], 0.1)[0]:
                        self.text += os.read(self.master, 65536)
                return os.waitstatus_to_exitcode(status)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


# Nor does it die of the SIGHUP that the kernel sends when the leader of the terminal's session, here pyrometer, leaves.
INTERRUPTIBLE = ("import os, signal, sys, time\ngot = []\nsignal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
                 "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
                 "def busy(seconds):\n    end = time.monotonic() + seconds\n    while time.monotonic() < end: pass\n"
                 "print('PID', os.getpid(), 'READY', flush=True)\nwhile not got: busy(0.05)\nbusy(%s)\n"
                 "print('interrupts', len(got), flush=True)\nsys.exit(8)\n")


def test_ctrl_c(pyrometer, tmp_path):
    """S-S10: Ctrl-C ends the recording and reports at once; the program has it once and ends as it likes."""
    (tmp_path / "app.py").write_text(INTERRUPTIBLE % "1")
    terminal = Terminal([pyrometer, "record", "-o", "x.pyro", "app.py"], tmp_path)
    terminal.read_until(b"READY")
    time.sleep(1)
    os.write(terminal.master, b"\x03")
    terminal.read_until(b"recording: x.pyro")
    assert b"interrupts" not in terminal.text, "the report came only after the program's end"
    assert terminal.finish() == 8
    assert terminal.text.count(b"interrupts 1") == 1
    assert re.search(rb"recording \d\.\d s.*Ctrl-C ends", terminal.text)
    assert is_whole(pyrometer, tmp_path / "x.pyro")
    os.close(terminal.master)


def test_ctrl_c_without_handler(pyrometer, tmp_path):
    """A program that dies of it: its traceback, our report, and its status."""
    (tmp_path / "app.py").write_text("print('READY', flush=True)\nwhile True: pass\n")
    terminal = Terminal([pyrometer, "record", "-o", "x.pyro", "app.py"], tmp_path)
    terminal.read_until(b"READY")
    time.sleep(0.5)
    os.write(terminal.master, b"\x03")
    assert terminal.finish() == 128 + signal.SIGINT
    assert terminal.text.count(b"KeyboardInterrupt") == 1 and b"recording: x.pyro" in terminal.text
    assert is_whole(pyrometer, tmp_path / "x.pyro")
    os.close(terminal.master)


def test_second_ctrl_c(pyrometer, tmp_path):
    """We leave, never the program."""
    (tmp_path / "app.py").write_text(INTERRUPTIBLE % "60")
    terminal = Terminal([pyrometer, "record", "-o", "x.pyro", "app.py"], tmp_path)
    terminal.read_until(b"READY")
    pid = int(re.search(rb"PID (\d+)", terminal.text).group(1))
    time.sleep(0.3)
    os.write(terminal.master, b"\x03")
    terminal.read_until(b"recording: x.pyro")
    os.write(terminal.master, b"\x03")
    left = wait_until(lambda: os.waitpid(terminal.pid, os.WNOHANG)[0], "our leaving")
    assert left == terminal.pid and is_alive(pid)
    os.kill(pid, signal.SIGKILL)
    assert is_whole(pyrometer, tmp_path / "x.pyro")
    os.close(terminal.master)


def test_ctrl_c_leaves_an_attached_target_alone(pyrometer, tmp_path):
    with program(BUSY) as subject:
        terminal = Terminal([pyrometer, "record", "-o", "x.pyro", "-p", subject.pid], tmp_path)
        terminal.read_until(b"Ctrl-C ends")
        os.write(terminal.master, b"\x03")
        assert terminal.finish() == 0 and b"recording: x.pyro" in terminal.text
        assert is_alive(subject.pid) and is_whole(pyrometer, tmp_path / "x.pyro")
        os.close(terminal.master)


# ---- interrupted system calls ----

@pytest.mark.feature("no EINTR because of us")
@pytest.mark.parametrize("interpreter", ["2.7", "3.6", "3.9", "3.11", "3.12", "3.13", "sid-3.15"], indirect=True)
@pytest.mark.parametrize("words", [["-r", "10khz"], ["--blocking", "-r", "2khz"]], ids=["", "blocking"])
def test_no_system_call_is_interrupted(pyrometer, interpreter, subjects, tmp_path, words):
    with Subject(interpreter.command(subjects / "interrupted.py", "1.2")) as subject:
        subject.await_ready()
        report, answer = record_json(pyrometer, *(["-d", "1"] + words + ["-p", subject.pid]))
        truth = truth_of(subject.rest())
    assert answer.status == 0 and report.all_samples["all"] > 100
    assert truth["calls"] > 500 and truth["interrupted"] == 0
