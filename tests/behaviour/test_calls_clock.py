"""CPU time beside wall time, in one recording of calls: what computes and what waits is told apart, as the program itself
knows it."""
import json
import re

import pytest

import harness
from harness import run
from test_calls import Calls, folder  # noqa: F401: a fixture

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]
SUBJECTS = harness.ROOT / "tests" / "behaviour" / "subjects"


class Clocks:
    """The same recording as JSON: seconds of wall and CPU time by function, and its text and tables."""

    def __init__(self, pyrometer, folder, source, *words):
        recording, self.pyrometer, self.recording = folder.path / "out.pyro", pyrometer, folder.path / "out.pyro"
        self.answer, _ = folder.run(pyrometer, source, "-o", recording, *words)
        assert self.answer.status == 0, self.answer.err
        self.data = json.loads(self.report("--format", "json").out)
        self.text = self.report().out

    def report(self, *words):
        answer = run(self.pyrometer, "report", self.recording, *words)
        assert answer.status == 0, answer.err
        return answer

    def row(self, name):
        row, = (row for row in self.data["functions"] if row["name"] == name)
        return row

    def seconds(self, name):
        """Of the function with what it calls: wall, CPU."""
        return self.row(name)["cumtime_ns"] / 1e9, self.row(name)["cumtime_cpu_ns"] / 1e9


def test_naps_of_a_sort(pyrometer, folder):
    """S-C6: a nap per swap. The program's own clock of the process says how much was on a core."""
    source = (SUBJECTS / "c_slow_sort.py").read_text().replace(
        'print("truth"', 'print("cpu", time.thread_time() - cpu, time.perf_counter() - before)\n    print("truth"').replace(
        "before = time.perf_counter()", "before, cpu = time.perf_counter(), time.thread_time()")
    clocks = Clocks(pyrometer, folder, source)
    cpu, wall = (float(word) for word in clocks.answer.out.splitlines()[0].split()[1:])
    sleep = clocks.row("<built-in method time.sleep>")
    assert sleep["ncalls"] == clocks.row("<built-in method builtins.sum>")["ncalls"] == 4305
    assert clocks.row("napping_sort")["ncalls"] == 1
    assert sleep["cumtime_ns"] / clocks.row("main")["cumtime_ns"] > 0.9
    measured = clocks.seconds("napping_sort")
    # Naps are short, so that going to sleep is much of the CPU time; our own work is not in it but in the program's.
    assert measured[1] == pytest.approx(cpu, rel=0.25, abs=0.01) and measured[0] == pytest.approx(wall, rel=0.15)
    assert measured[1] / measured[0] < 0.5
    assert re.search(r"waiting, in \{built-in method time\.sleep\},\s+called by app\.py:", clocks.text)


def test_requests_that_wait(pyrometer, folder):
    """S-A5: eight requests of 250 ms, of which 10 ms are work."""
    clocks = Clocks(pyrometer, folder, (SUBJECTS / "a_wait.py").read_text())
    request = clocks.row("request")
    assert request["ncalls"] == 8
    assert request["cumtime_cpu_ns"] / 8e9 == pytest.approx(0.010, abs=0.003)
    assert request["suspended_ns"] / 8e9 == pytest.approx(0.24, abs=0.02)
    wall, cpu = clocks.data["totals"]["time_ns"], clocks.data["totals"]["cpu_ns"]
    assert 0.02 < cpu / wall < 0.25 and "waiting, in {method 'poll' of 'select.epoll' objects}" in clocks.text


SHARES = """
import time
def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: pass
def native(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: sum(range(100000))
def nap(): time.sleep(0.05)
def both():
    for _ in range(4):
        compute(0.05); nap(); native(0.05)
both()
"""


def test_known_shares(pyrometer, folder):
    clocks = Clocks(pyrometer, folder, SHARES)
    assert clocks.seconds("nap")[1] < 0.01 < 0.19 < clocks.seconds("nap")[0]
    # What the program measures has our own work in it, which is taken off here.
    assert 0.14 < clocks.seconds("compute")[1] < 0.22
    assert clocks.seconds("native")[1] == pytest.approx(0.2, abs=0.02)
    assert 0.33 < clocks.seconds("both")[1] < 0.43
    # Tables by CPU time.
    assert clocks.report("--clock", "cpu", "-n", "5").out.count("of CPU time") == 1
    table = folder.path / "cpu.pstats"
    clocks.report("--clock", "cpu", "-o", table)
    assert Calls(table).row("both")[3] == pytest.approx(clocks.seconds("both")[1], abs=1e-6)
    tree = [line for line in clocks.report("--clock", "cpu", "--format", "callgrind").out.splitlines() if line.startswith("summary")]
    assert int(tree[0].split()[1]) == pytest.approx(clocks.data["totals"]["cpu_ns"], rel=0.01)


RIVALS = """
import threading, time
def spin():
    end, x = time.thread_time() + 0.4, 0
    while time.thread_time() < end:
        for i in range(1000): x += i
def wait_for(thread): thread.join()
begun = time.perf_counter()
threads = [threading.Thread(target=spin) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: wait_for(thread)
"""


def test_two_threads_and_one_lock(pyrometer, folder):
    """Each waits for the GIL, where there is one, as long as it holds it; none of that is CPU time."""
    clocks = Clocks(pyrometer, folder, RIVALS)
    wall, cpu = clocks.seconds("spin")
    assert 0.7 < cpu < 0.86 and (folder.interpreter.free_threaded or wall > 1.5 * cpu)
    assert clocks.seconds("wait_for")[1] < 0.05


def test_one_that_is_killed(pyrometer, folder):
    """What a program was in when it was killed has no end that anybody saw: it waited."""
    recording = folder.path / "killed.pyro"
    answer, _ = folder.run(pyrometer, "import os, signal, threading, time\n"
                           "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
                           "def stand(): time.sleep(60)\nstand()\n", "-o", recording)
    assert answer.status == 128 + 9
    data = json.loads(run(pyrometer, "report", recording, "--format", "json").out)
    row, = (row for row in data["functions"] if row["name"] == "stand")
    assert row["cumtime_ns"] > 0.2e9 and row["cumtime_cpu_ns"] < 0.02e9


def test_samples_have_another_word(pyrometer, folder):
    recording = folder.path / "samples.pyro"
    script = folder.path / "app.py"
    script.write_text("sum(range(3000000))\n")
    answer = run(pyrometer, "record", "-q", "-o", recording, "--", *folder.interpreter.argv, script)
    assert answer.status == 0
    answer = run(pyrometer, "report", recording, "--clock", "cpu")
    assert answer.status == 2 and "--clock is for recordings of calls" in answer.sentence()
