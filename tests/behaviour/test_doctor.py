"""`doctor`: 0 when it can be sampled, 125 when not, with the cause and the remedy. What needs a machine that is not here
(Yama, SELinux, containers) is tested with canned facts in tests/unit/test_doctor.c."""
import ctypes
import os
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from harness import SUBJECTS, Subject, run, wait_until

NO_PID = 2**22 - 1
SYSTEM_PYTHON = "/usr/bin/python3"  # one that nobody may execute, too
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38


@pytest.fixture
def sleeper(any_python):
    with Subject(any_python.command(SUBJECTS / "sleeper.py")) as subject:
        subject.await_ready()
        yield subject


def code(*lines):
    return "; ".join(["import ctypes, sys, threading, time", *lines, "print('READY')", "sys.stdout.flush()", "time.sleep(60)"])


def findings(answer):
    """By id."""
    document = answer.json()
    assert document["schema"] == "pyrometer.doctor/1"
    assert document["can_sample"] == (answer.status == 0)
    assert answer.status in (0, 125)
    return {finding["id"]: finding for finding in document["findings"]}


def expect_blocked(ask, pid, name, says):
    """`ask` runs doctor with these words. Returns the remedy."""
    found = findings(ask("doctor", "--json", "-p", pid))
    assert found[name]["blocks"] is True
    assert says in found[name]["cause"]
    text = ask("doctor", "-p", pid)
    assert text.status == 125
    assert "Cause: %s" % found[name]["cause"] in " ".join(text.out.split())
    assert max(map(len, text.out.split("Remedy:")[0].splitlines())) <= 80
    return found[name]["remedy"]


@pytest.fixture
def ask(pyrometer):
    return lambda *words: run(pyrometer, *words)


@pytest.mark.feature("doctor")
def test_can_be_sampled(ask, interpreter, subjects):
    with Subject(interpreter.command(subjects / "sleeper.py")) as subject:
        subject.await_ready()
        answer = ask("doctor", "-p", subject.pid)
        assert ask("doctor", subject.pid).out == answer.out
        assert findings(ask("doctor", "--json", subject.pid)) == {}
    assert (answer.status, answer.err) == (0, "")
    assert "Python %s" % interpreter.version_text.rstrip("+") in answer.out
    assert "It can be sampled: pyrometer record -p %d\n" % subject.pid in answer.out


def test_without_a_process(ask, sleeper):
    answer = ask("doctor")
    assert (answer.status, answer.err) == (0, "")
    assert "reads CPython   2.7, 3.6-3.15" in answer.out
    assert "Programs that pyrometer starts can be sampled here." in answer.out
    assert "%d " % sleeper.pid in answer.out.split("Python processes:")[1]


def test_not_python(ask):
    with Subject(["sleep", "60"]) as subject:
        wait_until(lambda: Path("/proc/%d/comm" % subject.pid).read_text() == "sleep\n")
        assert expect_blocked(ask, subject.pid, "no-python", "(sleep)") == "pyrometer ps"


def test_no_process(ask):
    expect_blocked(ask, NO_PID, "no-process", "there is no process %d" % NO_PID)


def test_zombie(ask):
    with Subject(["sleep", "60"]) as subject:
        subject.process.kill()
        os.waitid(os.P_PID, subject.pid, os.WEXITED | os.WNOWAIT)
        expect_blocked(ask, subject.pid, "zombie", "has ended")


def test_thread(ask, any_python):
    start_one = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    with Subject(any_python.argv + ["-c", code(start_one)]) as subject:
        subject.await_ready()
        thread = max(int(name) for name in os.listdir("/proc/%d/task" % subject.pid))
        says = "%d is a thread of process %d" % (thread, subject.pid)
        assert expect_blocked(ask, thread, "thread", says) == "-p %d" % subject.pid


def test_kernel_thread(ask):
    if "(kthreadd)" not in Path("/proc/2/stat").read_text():
        pytest.skip("kernel threads are not to be seen here (a container)")
    expect_blocked(ask, 2, "kernel-thread", "a thread of the kernel")


def test_stopped(ask, sleeper):
    os.kill(sleeper.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WNOWAIT)
    answer = ask("doctor", "--json", "-p", sleeper.pid)
    assert answer.status == 0
    assert findings(answer)["stopped"]["remedy"] == "kill -CONT %d" % sleeper.pid


def test_other_user(nobody, sleeper):
    assert expect_blocked(nobody.run, sleeper.pid, "other-user", "belongs to user 0, and we are user 65534")


@pytest.mark.skipif(not os.path.exists(SYSTEM_PYTHON), reason="no %s, which nobody may execute" % SYSTEM_PYTHON)
def test_not_dumpable(nobody):
    """What asked the kernel to protect its memory, as ssh-agent does."""
    command = [SYSTEM_PYTHON, "-c", code("ctypes.CDLL(None).prctl(%d, 0, 0, 0, 0)" % PR_SET_DUMPABLE)]
    with Subject(command, **nobody.become) as subject:
        subject.await_ready()
        expect_blocked(nobody.run, subject.pid, "not-dumpable", "protects the memory")


@pytest.mark.skipif(not os.path.exists(SYSTEM_PYTHON), reason="no %s, which nobody may execute" % SYSTEM_PYTHON)
def test_more_capabilities(nobody):
    """A server that may bind low ports, looked at by its own user."""
    setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_bind_service",
               "--ambient-caps=+net_bind_service"]
    if subprocess.run(setpriv + ["true"]).returncode != 0:
        pytest.skip("setpriv cannot give capabilities here")
    with Subject(setpriv + [SYSTEM_PYTHON, "-c", code()]) as subject:
        subject.await_ready()
        expect_blocked(nobody.run, subject.pid, "capabilities", "mask 0x400")


def test_user_namespace(pyrometer, sleeper):
    """Root of a user namespace is nobody outside of it."""
    unshare = ["unshare", "--user", "--map-root-user"]
    if os.geteuid() != 0 or subprocess.run(unshare + ["true"]).returncode != 0:
        pytest.skip("no user namespace can be made here")
    expect_blocked(lambda *words: run(unshare[0], *unshare[1:], pyrometer, *words), sleeper.pid, "user-namespace",
                   "our CAP_SYS_PTRACE does not count")


def forbid_process_vm_readv():
    """In the child: a seccomp filter as containers have it. A BPF program: load the system call's number; if it is
    process_vm_readv, fail with EPERM; else allow."""
    number = {"x86_64": 310, "aarch64": 270}[os.uname().machine]
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
        (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 1), (0x06, 0, 0, 0x7FFF0000)))
    buffer = ctypes.create_string_buffer(program)
    bpf = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(PR_SET_SECCOMP, 2, bpf, 0, 0) != 0:
        os._exit(99)


@pytest.mark.parametrize("with_process", [False, True])
def test_seccomp(pyrometer, sleeper, with_process):
    words = ("-p", sleeper.pid) if with_process else ()
    answer = run(pyrometer, "doctor", "--json", *words, preexec_fn=forbid_process_vm_readv)
    assert answer.status == 125
    finding = findings(answer)["seccomp"]
    assert "forbids the system call process_vm_readv" in finding["cause"]
    assert finding["remedy"]
