"""`pyrometer calls -s`: children of every kind are counted, each once; without it they run as if nobody counted."""
import json

import pytest

import harness
from harness import run
from test_calls import folder  # noqa: F401: a fixture

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]


def counts(pyrometer, folder, source, *words):
    """Calls by name, of all processes together; how many processes; what the program printed."""
    recording = folder.path / "out.pyro"
    answer, _ = folder.run(pyrometer, source, "-o", recording, *words)
    assert answer.status == 0, answer.err
    data = json.loads(run(pyrometer, "report", recording, "--format", "json").out)
    raw = run(pyrometer, "report", recording, "--raw").out
    found = {}
    for row in data["functions"]:
        found[row["name"]] = found.get(row["name"], 0) + row["ncalls"]
    return found, sum(line.startswith("process ") for line in raw.splitlines()), answer.out


FORK = """
import os
def f(): pass
def g(): pass
def child():
    for _ in range(100): g()
    f()
    os._exit(7)
def main():
    f()
    if os.fork() == 0: child()
    print(os.WEXITSTATUS(os.wait()[1]))
    f()
main()
"""


def test_fork(pyrometer, folder):
    found, processes, out = counts(pyrometer, folder, FORK, "-s")
    assert out == "7\n" and processes == 2
    assert (found["main"], found["child"], found["f"], found["g"]) == (1, 1, 3, 100)


def test_fork_in_a_thread_while_others_run(pyrometer, folder):
    found, processes, out = counts(pyrometer, folder, """
import os, threading
def noise():
    while not stop: tick()
def tick(): pass
def work():
    for _ in range(1000): leaf()
def leaf(): pass
def forks():
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    work()
stop = False
threads = [threading.Thread(target=noise), threading.Thread(target=forks)]
for thread in threads: thread.start()
threads[1].join()
stop = True
""", "-s")
    assert processes == 4 and found["work"] == 4 and found["leaf"] == 4000 and found["forks"] == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(pyrometer, folder, method):
    found, processes, _ = counts(pyrometer, folder, """
import multiprocessing
def job(n):
    for _ in range(50): leaf()
def leaf(): pass
if __name__ == "__main__":
    context = multiprocessing.get_context(%r)
    children = [context.Process(target=job, args=(n,)) for n in range(3)]
    for child in children: child.start()
    for child in children: child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
""" % method, "-s")
    assert found["job"] == 3 and found["leaf"] == 150 and processes >= 4


CHILD = """
import os, subprocess, sys
code = "import os\\ndef leaf(): pass\\nfor _ in range(20): leaf()\\nprint([k for k in os.environ if 'PYROMETER_AGENT' in k or k == 'LD_PRELOAD'])"
print([k for k in os.environ if "PYROMETER_AGENT" in k or k == "LD_PRELOAD"], flush=True)
subprocess.run([sys.executable, "-c", code], check=True)
subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ, X="1"))
%s
"""


def test_other_programs(pyrometer, folder):
    """By subprocess, with and without an environment, and by becoming it; ours is in nobody's environment."""
    source = CHILD % "os.execv(sys.executable, [sys.executable, '-c', code])"
    found, processes, out = counts(pyrometer, folder, source, "-s")
    assert out == "[]\n" * 4 and found["leaf"] == 60 and processes >= 3
    found, processes, out = counts(pyrometer, folder, CHILD % "")
    assert out == "[]\n" * 3 and "leaf" not in found and processes == 1


def test_who_is_not_followed_has_no_events(pyrometer, folder):
    """They are off in the child of a fork, from its first call on; which shows only where there is sys.monitoring."""
    found, processes, out = counts(pyrometer, folder, """
import os, sys
def f(): pass
f()
if os.fork() == 0:
    f()
    monitoring = getattr(sys, "monitoring", None)
    print([monitoring.get_events(tool) for tool in range(6) if monitoring.get_tool(tool)] if monitoring else [sys.getprofile()], flush=True)
    os._exit(0)
os.wait()
f()
""")
    expected = "[0]\n" if folder.interpreter.version >= (3, 12) else "[None]\n"
    assert out == expected and processes == 1 and found["f"] == 2


def test_it_is_not_for_attaching(pyrometer, folder):
    answer = run(pyrometer, "calls", "-s", "-p", "1")
    assert answer.status == 2 and "-s is for programs that we start" in answer.sentence()
