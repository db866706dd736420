"""`doctor`: 0 when it can be sampled, 125 when not, with the cause and the remedy. What needs a machine that is not here
(Yama, SELinux, containers) is tested with canned facts in tests/unit/test_doctor.c."""
import ctypes
import os
import signal
import struct
import subprocess
import time

import pytest


def findings(result):
    document = result.json()
    assert document["schema"] == "pyrometer.doctor/1"
    assert document["can_sample"] == (result.status == 0)
    return {finding["id"]: finding for finding in document["findings"]}


def expect_blocked(pyrometer, pid, name, says):
    result = pyrometer("doctor", "--json", "-p", pid)
    found = findings(result)
    assert result.status == 125, result
    assert found[name]["blocks"] is True, result
    assert says in found[name]["cause"], result
    text = pyrometer("doctor", "-p", pid)
    assert text.status == 125 and f"Cause:   {found[name]['cause']}\n" in text.out, text
    return found[name]


@pytest.mark.feature("doctor")
def test_can_be_sampled(pyrometer, python, start):
    subject = start(python, "sleeper.py")
    result = pyrometer("doctor", "-p", subject.pid)
    assert (result.status, result.err) == (0, ""), result
    assert f"Python {python.version.rstrip('t')}." in result.out
    assert f"It can be sampled: pyrometer record -p {subject.pid}\n" in result.out
    assert pyrometer("doctor", subject.pid).out == result.out
    assert findings(pyrometer("doctor", "--json", subject.pid)) == {}


def test_without_a_process(pyrometer, any_python, start):
    subject = start(any_python, "sleeper.py")
    result = pyrometer("doctor")
    assert (result.status, result.err) == (0, ""), result
    assert "reads CPython   2.7, 3.6-3.15" in result.out
    assert "Programs that pyrometer starts can be sampled here." in result.out
    assert f"{subject.pid} " in result.out.split("Python processes:")[1]
    assert result.out.count("\n") < 60


def test_not_python(pyrometer, start):
    subject = start(["sleep", "60"], ready=False)
    time.sleep(0.1)
    finding = expect_blocked(pyrometer, subject.pid, "no-python", "(sleep)")
    assert finding["remedy"] == "pyrometer ps"


def test_no_process(pyrometer):
    expect_blocked(pyrometer, 2**22 - 1, "no-process", "there is no process 4194303")


def test_zombie(pyrometer, start):
    subject = start(["sleep", "60"], ready=False)
    subject.process.kill()
    os.waitid(os.P_PID, subject.pid, os.WEXITED | os.WNOWAIT)
    expect_blocked(pyrometer, subject.pid, "zombie", "has ended")


def test_thread(pyrometer, any_python, start):
    code = "import sys, threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); " \
           "print('READY'); sys.stdout.flush(); time.sleep(60)"
    subject = start([*any_python.command, "-c", code])
    thread = max(int(name) for name in os.listdir(f"/proc/{subject.pid}/task"))
    finding = expect_blocked(pyrometer, thread, "thread", f"{thread} is a thread of process {subject.pid}")
    assert finding["remedy"] == f"-p {subject.pid}"


def test_kernel_thread(pyrometer):
    with open("/proc/2/stat") as stat:
        if "(kthreadd)" not in stat.read():
            pytest.skip("kernel threads are not to be seen here (a container)")
    expect_blocked(pyrometer, 2, "kernel-thread", "a thread of the kernel")


def test_stopped(pyrometer, any_python, start):
    subject = start(any_python, "sleeper.py")
    os.kill(subject.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, subject.pid, os.WSTOPPED | os.WNOWAIT)
    result = pyrometer("doctor", "--json", "-p", subject.pid)
    assert result.status == 0
    assert findings(result)["stopped"]["remedy"] == f"kill -CONT {subject.pid}"


def test_other_user(as_nobody, any_python, start):
    subject = start(any_python, "sleeper.py")
    finding = expect_blocked(as_nobody, subject.pid, "other-user", "belongs to user 0, and we are user 65534")
    assert finding["remedy"]


def test_not_dumpable(as_nobody, any_python, start):
    """What asked the kernel to protect its memory, as ssh-agent does."""
    code = "import ctypes, sys, time; ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); print('READY'); sys.stdout.flush(); time.sleep(60)"
    python = "/usr/bin/python3"
    if not os.path.exists(python):
        pytest.skip("needs a Python that nobody may execute: /usr/bin/python3")
    subject = start([python, "-c", code], user=65534, group=65534, extra_groups=[])
    expect_blocked(as_nobody, subject.pid, "not-dumpable", "protects the memory")


def test_more_capabilities(as_nobody, any_python, start):
    """A server that may bind low ports, looked at by its own user."""
    setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_bind_service",
               "--ambient-caps=+net_bind_service"]
    if not os.path.exists("/usr/bin/python3") or subprocess.run([*setpriv, "true"]).returncode != 0:
        pytest.skip("setpriv cannot give capabilities here")
    code = "import sys, time; print('READY'); sys.stdout.flush(); time.sleep(60)"
    subject = start([*setpriv, "/usr/bin/python3", "-c", code])
    expect_blocked(as_nobody, subject.pid, "capabilities", "mask 0x400")


def test_user_namespace(pyrometer, any_python, start):
    """Root of a user namespace is nobody outside of it."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--user", "--map-root-user", "true"]).returncode != 0:
        pytest.skip("no user namespace can be made here")
    subject = start(any_python, "sleeper.py")
    result = subprocess.run(["unshare", "--user", "--map-root-user", pyrometer.program, "doctor", "--json", "-p", str(subject.pid)],
                            stdout=subprocess.PIPE, text=True)
    assert result.returncode == 125
    assert '"id": "user-namespace"' in result.stdout, result.stdout


def forbid_process_vm_readv():
    """In the child: a seccomp filter as containers have it. A BPF program: load the system call's number; if it is
    process_vm_readv, fail with EPERM; else allow."""
    number = {"x86_64": 310, "aarch64": 270}[os.uname().machine]
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
        (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 1), (0x06, 0, 0, 0x7FFF0000)))
    buffer = ctypes.create_string_buffer(program)
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, filter_, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def test_seccomp(pyrometer, any_python, start):
    subject = start(any_python, "sleeper.py")
    for words in (("doctor", "--json"), ("doctor", "--json", "-p", subject.pid)):
        result = pyrometer(*words, preexec_fn=forbid_process_vm_readv)
        assert result.status == 125, result
        finding = findings(result)["seccomp"]
        assert "forbids the system call process_vm_readv" in finding["cause"]
        assert finding["remedy"]
