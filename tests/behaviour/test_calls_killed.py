"""SIGKILL of pyrometer: the program runs on, and what was counted until then can be read."""
import os
import random
import shutil
import time
from pathlib import Path

import pytest

import harness
from harness import run
from test_calls import folder  # noqa: F401: a fixture

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]

SOURCE = """
import os, sys, time
def f(): pass
def work():
    for _ in range(1000): f()
print("PID", os.getpid(), flush=True)
end = time.time() + 30
def events():
    if not hasattr(sys, "monitoring"):  # before 3.12 nothing inside tells
        return [] if time.time() < end - 28 else [0]
    return [sys.monitoring.get_events(tool) for tool in range(6) if sys.monitoring.get_tool(tool) == "pyrometer"]
while events() != [0] and time.time() < end: work()
time.sleep(0.1)
print("EVENTS", events(), flush=True)
work()
print("WHOLE", flush=True)
"""


def test_sigkill_of_pyrometer(pyrometer, folder):
    script = folder.path / "app.py"
    script.write_text(SOURCE)
    command = [str(pyrometer), "calls", "-q", "-o", str(folder.path / "out.pyro"), "--", *folder.interpreter.argv, str(script)]
    with harness.Subject(command, env=harness.clean_environment(XDG_CACHE_HOME=str(folder.path))) as subject:
        pid = subject.await_ready("PID")
        time.sleep(random.uniform(0, 0.3))
        os.kill(subject.pid, 9)
        subject.process.wait()  # else it is there still, as a zombie
        killed = time.monotonic()
        assert subject.await_ready("EVENTS") == "[0]"
        assert time.monotonic() - killed < 3
        assert subject.read_line() == "WHOLE"
    segment, = Path("/dev/shm").glob("pyrometer-*/%s-1.segment" % pid)
    try:
        answer = run(pyrometer, "report", segment, "--callers", "f", env=harness.clean_environment(XDG_CACHE_HOME=str(folder.path)))
        assert answer.status == 0 and "(work)" in answer.out
        assert b"pyrometer was ended before it" in segment.read_bytes()
        part = run(pyrometer, "report", folder.path / "out.pyro.part")
        assert part.status == 125 and "what was counted in process %s is in %s: report that" % (pid, segment) in part.err
        other = folder.path / "other.pyro.part"
        other.write_bytes((folder.path / "out.pyro.part").read_bytes())
        assert "report that" not in run(pyrometer, "report", other).err
    finally:
        shutil.rmtree(segment.parent)
