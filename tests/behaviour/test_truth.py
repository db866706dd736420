"""What is reported is true: of programs whose answer is known, without blocking, at 1, 10 and 20 kHz.

The figures that were measured are printed at the end of the run. Shares are estimates: when the first measurement is out of
bounds, more of the same is added to it; the bounds stay. By default the oldest and the newest few interpreters
are measured, with PYROMETER_ALL_PYTHONS=1 every one."""
import contextlib
import os

import pytest

import harness
from harness import Subject, record_json, tag_line

ALL = os.environ.get("PYROMETER_ALL_PYTHONS") == "1"
SPLIT_PYTHONS = harness.NAMES if ALL else ["2.7", "3.11", "sid-3.15"]
FLUTTER_PYTHONS = [name for name in harness.NAMES if not name.endswith("t")] if ALL else ["2.7", "3.13", "sid-3.15"]
PARTS = {"part_41", "part_27", "part_17", "part_10", "part_5"}


@pytest.fixture
def say(request):
    """Prints a measured figure at the end."""
    return lambda text: request.config.stash[harness.MEASURED].append("%s: %s" % (request.node.name, text))


def favour():
    """Truth is measured beside whatever else the machine does: where allowed, the program and pyrometer go first. One that
    waits for a core stands still, and that moment counts a hundred times."""
    with contextlib.suppress(OSError):
        os.nice(-20)


# ---- the split ----

def count_parts(report, counts):
    for path, row in report.stacks():
        for name in {name for name, _ in path} & PARTS:
            counts[name] = counts.get(name, 0) + row["samples"]


@pytest.mark.parametrize("interpreter", SPLIT_PYTHONS, indirect=True)
@pytest.mark.parametrize("rate, duration, feature", [("1khz", 7, "truth: split at 1 kHz"), ("10khz", 3, "truth: split at 10 kHz")])
def test_split(pyrometer, interpreter, subjects, say, rate, duration, feature):
    """41/27/17/10/5, as the program timed them itself, within 1.5 points each."""
    counts = {}
    with Subject(interpreter.command(subjects / "split.py"), preexec_fn=favour) as subject:
        words = subject.await_ready().split()[1:]
        truth = {name: float(share) for name, share in (word.split("=") for word in words)}
        assert truth.keys() == PARTS
        for _ in range(4):
            report, answer = record_json(pyrometer, "-r", rate, "-d", duration, "-p", subject.pid, preexec_fn=favour)
            assert answer.status == 0
            count_parts(report, counts)
            whole = sum(counts.values())
            shares = {name: 100 * counts.get(name, 0) / whole for name in PARTS}
            worst = max(abs(shares[name] - truth[name]) for name in PARTS)
            if worst <= 1.5:
                break
    say("worst %.2f points, %d samples" % (worst, whole))
    assert worst <= 1.5, (shares, truth)


# ---- flutter ----

STATE_HOLDS_GIL = 1 << 2  # src/recording/event.h
QUALITIES = ("exact", "repaired", "partial")
FUNCTIONS = ("flutter", "hot_a", "hot_b", "leaf_a", "leaf_b")


class Flutter:
    """What recordings of flutter.py say: samples by quality, the impossible ones among them, and shares by function."""

    def __init__(self, path):
        self.calls = {("flutter", "hot_a"): tag_line(path, "call_hot_a"), ("flutter", "hot_b"): tag_line(path, "call_hot_b"),
                      ("hot_a", "leaf_a"): tag_line(path, "call_leaf_a"), ("hot_b", "leaf_b"): tag_line(path, "call_leaf_b")}
        self.samples, self.impossible = dict.fromkeys(QUALITIES, 0), dict.fromkeys(QUALITIES, 0)
        self.selves, self.examples, self.stored, self.due = dict.fromkeys(FUNCTIONS, 0), [], 0, 0

    def is_possible(self, path):
        """Every caller stands at the call of its callee; `<partial>` says nothing of what is beside it."""
        for (caller, line), (callee, _) in zip(path, path[1:]):
            if "<partial>" not in (caller, callee) and (caller in FUNCTIONS or callee in FUNCTIONS[1:]):
                if self.calls.get((caller, callee)) != line:
                    return False
        return not path or path[0][0] not in FUNCTIONS

    def add(self, report):
        recording = report.data["recording"]
        assert recording["read_errors"] == 0
        self.stored += recording["samples"]["all"]
        self.due += (recording["ticks_due"] - recording["ticks_missed"]) * len(report.data["threads"])
        assert len(report.data["tree"]["parent"]) < 1000, "a program of 3 functions has stacks without end"
        for path, row in report.stacks():
            names = {name for name, _ in path}
            if not names & {"flutter", "<partial>"}:
                continue  # the main thread, which only waits
            quality = QUALITIES[row["quality"]]
            self.samples[quality] += row["samples"]
            if path[-1][0] in self.selves and row["state"] & STATE_HOLDS_GIL:
                self.selves[path[-1][0]] += row["samples"]
            if not self.is_possible(path):
                self.impossible[quality] += row["samples"]
                self.examples.append((quality, path[-3:]))

    @property
    def all(self):
        return sum(self.samples.values())

    def shares(self):
        """Of the samples of the GIL's holder: the others stand still, and would count one moment a thousand times."""
        return {name: 100 * count / sum(self.selves.values()) for name, count in self.selves.items()}


def difference(free, blocked):
    one, other = free.shares(), blocked.shares()
    return max(abs(one[name] - other[name]) for name in FUNCTIONS)


# What is asked of flutter does not hold yet on every version (docs/architecture.md, "Where the work stands").
@pytest.mark.skipif(os.environ.get("PYROMETER_FLUTTER") != "1", reason="flutter falls short; PYROMETER_FLUTTER=1 measures it")
@pytest.mark.parametrize("interpreter", FLUTTER_PYTHONS, indirect=True)
@pytest.mark.parametrize("threads, turns, feature", [
    (1, 4, "truth: flutter"), (8, 2, "truth: flutter, 8 threads"), (50, 2, "truth: flutter, 50 threads")])
def test_flutter(pyrometer, interpreter, subjects, say, threads, turns, feature):
    """100,000 samples without blocking: none impossible among the exact, at most 0.05 % among all, nothing dropped, 95 %
    exact or repaired, every function within 1 point of what blocking says; the two take turns."""
    path = subjects / "flutter.py"
    free, blocked = Flutter(path), Flutter(path)
    with Subject(interpreter.command(path, threads), preexec_fn=favour) as subject:
        subject.await_ready()
        for turn in range(2 * turns):
            for flutter, words in ((free, ["-r", "20khz"]), (blocked, ["--blocking", "-r", "5khz"])):
                report, answer = record_json(pyrometer, *(["--idle", "-d", "1500ms", "-p", subject.pid] + words), preexec_fn=favour)
                assert answer.status == 0
                flutter.add(report)
            if turn + 1 >= turns and free.all >= 100000 and difference(free, blocked) <= 1:
                break
    worst, sound = difference(free, blocked), free.samples["exact"] + free.samples["repaired"]
    say("%d samples: %s; impossible %s, of the blocking ones %d; exact or repaired %.2f %%; worst %.2f points from %d blocking samples"
        % (free.all, free.samples, free.impossible, sum(blocked.impossible.values()), 100 * sound / free.all, worst, sum(blocked.selves.values())))
    assert sum(blocked.impossible.values()) == 0, ("the reference", blocked.examples[:5])
    assert free.impossible["exact"] == 0, free.examples[:5]
    assert sum(free.impossible.values()) <= 0.0005 * free.all, free.examples[:5]
    assert free.all >= 100000 and free.stored >= 0.999 * free.due, "samples were dropped"
    assert sound >= 0.95 * free.all
    assert worst <= 1, (free.shares(), blocked.shares())
