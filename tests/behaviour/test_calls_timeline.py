"""`calls --timeline`: every single call with its time, in the recording, as trace events in JSON and as a trace of Perfetto."""
import ast
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import harness
from harness import clean_environment, run
from test_calls_scenarios import Scene

on_all = pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)
on_each_way = pytest.mark.parametrize("interpreter", ["3.8", "3.11", "3.13"], indirect=True)  # of being told of calls
on_one = pytest.mark.parametrize("interpreter", ["3.12"], indirect=True)

Slice = collections.namedtuple("Slice", "tid begin end name")  # ns; the name as the trace has it


@pytest.fixture
def scene(interpreter, pyrometer):
    where = Scene(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


# ---- reading ----

def slices_of_json(path):
    """Of each thread in the order of their begin, callers first."""
    events = json.loads(Path(path).read_text(encoding="utf-8"))["traceEvents"]
    found = [Slice(e["tid"], round(e["ts"] * 1000), round(e["ts"] * 1000) + round(e["dur"] * 1000), e["name"]) for e in events if e["ph"] == "X"]
    return sorted(found, key=lambda s: (s.tid, s.begin, -s.end))


def fields(message):
    """(number, value) of a protobuf message: integers and bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 == 2
            size = varint()
            yield key >> 3, message[at:at + size]
            at += size


def slices_of_perfetto(path):
    """The same of a Perfetto trace; the name is the function's alone."""
    names, tracks, opened, found = {}, {}, {}, []
    for number, packet in fields(Path(path).read_bytes()):
        assert number == 1
        packet = dict(fields(packet))
        if 12 in packet:
            for number, entry in fields(packet[12]):
                if number == 2:
                    entry = dict(fields(entry))
                    names[entry[1]] = entry[2].decode()
        if 60 in packet:
            track = dict(fields(packet[60]))
            if 4 in track:
                tracks[track[1]] = dict(fields(track[4]))[2]
        if 11 in packet:
            event = dict(fields(packet[11]))
            found.append((event[11], packet[8], event[9], event.get(10)))
    slices = []
    for track, time_, kind, name in sorted(found, key=lambda f: f[:2]):
        stack = opened.setdefault(track, [])
        if kind == 1:
            stack.append((time_, names[name]))
        else:
            begin, name = stack.pop()
            slices.append(Slice(tracks[track], begin, time_, name))
    assert not any(opened.values())
    return sorted(slices, key=lambda s: (s.tid, s.begin, -s.end))


def bare(name):
    return re.sub(r" \([^()]*:\d+\)$", "", name)


def callers_of(slices):
    """Pairs of caller and callee, and checks that slices lie within one another or apart."""
    pairs, stack = collections.Counter(), []
    for each in slices:
        while stack and (stack[-1].tid != each.tid or stack[-1].end <= each.begin):
            stack.pop()
        assert not stack or each.end <= stack[-1].end, (stack[-1], each)
        pairs[bare(stack[-1].name) if stack else None, bare(each.name)] += 1
        stack.append(each)
    return pairs


# ---- tests ----

def outputs(scene):
    return [word for name in ("t.trace.json", "t.pftrace") for word in ("-o", scene.file(name))]


@on_all
def test_every_call(scene):
    truth = ast.literal_eval(scene.calls("timeline.py", "--timeline", *outputs(scene)).out)
    slices = slices_of_json(scene.file("t.trace.json"))
    seen = collections.Counter(bare(s.name) for s in slices)
    assert {name: seen[name] for name in truth["entered"]} == truth["entered"]
    pairs = callers_of(slices)
    assert pairs["rest", "nap"] == 4 and pairs["down", "down"] == 30 and pairs["work", "fail"] == 10, pairs
    assert pairs["work", "numbers"] == truth["entered"]["numbers"]
    # The whole table follows from the single calls.
    table = scene.json()
    for name in truth["entered"]:
        row = table.row(name)
        assert seen[name] == row["ncalls"] + row["resumed"]
        if name != "down":
            assert sum(s.end - s.begin for s in slices if bare(s.name) == name) == pytest.approx(row["measured_cumtime_ns"], rel=0.02, abs=20000)
    # And when they were: the clocks are the same but for their zero.
    naps = sorted((s for s in slices if bare(s.name) == "nap"), key=lambda s: s.end)
    shift = naps[0].begin - truth["naps"][0][1]
    for nap, (tid, begun, ended) in zip(naps, truth["naps"]):
        assert nap.tid == tid
        assert abs(nap.begin - begun - shift) < 2e6 and abs(nap.end - ended - shift) < 2e6
    # Both formats say the same, and so does a report that is made later.
    plain = [s._replace(name=bare(s.name)) for s in slices]
    assert slices_of_perfetto(scene.file("t.pftrace")) == plain
    scene.report("-o", scene.file("u.trace.json"), "-o", scene.file("u.pftrace"))
    assert slices_of_json(scene.file("u.trace.json")) == slices
    assert scene.file("u.pftrace").read_bytes() == scene.file("t.pftrace").read_bytes()


@on_one
def test_enough(scene):
    text = scene.calls("timeline.py", "--timeline", "--timeline-calls", "20", *outputs(scene)).err
    kept = int(re.search(r"^([\d,]+) single calls were kept", text, re.M)[1].replace(",", ""))
    assert "calls were only counted: more were not asked for" in text
    assert 20 <= kept == len(slices_of_json(scene.file("t.trace.json")))
    assert scene.json().count("rest") == 2


@on_each_way
def test_much(scene):
    """Millions of calls: none is lost, and what they need is bounded."""
    scene.file("much.py").write_text("def leaf(): pass\ndef work():\n    for _ in range(1000000): leaf()\nwork()\n")
    scene.calls("much.py", "--timeline", *outputs(scene))
    counted = collections.Counter()
    with open(scene.file("t.trace.json"), encoding="utf-8") as lines:
        for line in lines:
            counted["leaf (" in line] += 1
    assert counted[True] == 1000000
    assert scene.file("a.pyro").stat().st_size < 4 * counted[True]


@on_each_way
def test_attached(scene):
    scene.file("app.py").write_text("import time\ndef leaf(): time.sleep(0.001)\ndef work():\n    leaf()\nprint('READY', flush=True)\nwhile True: work()\n")
    with harness.Subject([*scene.interpreter.argv, str(scene.file("app.py"))]) as subject:
        subject.await_ready()
        answer = run(scene.pyrometer, "calls", "-q", "--timeline", "-p", subject.pid, "-d", "500ms", *outputs(scene))
        assert answer.status == 0, answer.err
    pairs = callers_of(slices_of_json(scene.file("t.trace.json")))
    assert pairs["work", "leaf"] > 50 and abs(pairs["work", "leaf"] - pairs["leaf", "<built-in method time.sleep>"]) <= 1


@on_each_way
def test_children(scene):
    scene.file("app.py").write_text(
        "import os\ndef leaf(): pass\ndef child():\n    for _ in range(7): leaf()\nleaf()\nif not os.fork():\n    child()\n    os._exit(0)\nos.wait()\n")
    scene.calls("app.py", "--timeline", "-s", *outputs(scene))
    events = json.loads(scene.file("t.trace.json").read_text())["traceEvents"]
    by_process = collections.Counter(e["pid"] for e in events if e["ph"] == "X" and bare(e["name"]) == "leaf")
    assert sorted(by_process.values()) == [1, 7]


@on_one
def test_sigkill(scene):
    """Of pyrometer: what it had taken is in the recording without an end, and what was on its way is in the segment."""
    scene.file("app.py").write_text("import os, time\ndef leaf(): pass\nprint('READY', os.getpid(), flush=True)\nwhile True:\n    for _ in range(1000): leaf()\n    time.sleep(0.001)\n")
    command = [str(scene.pyrometer), "calls", "-q", "--timeline", "-o", str(scene.file("out.pyro")), "--", *scene.interpreter.argv, str(scene.file("app.py"))]
    with harness.Subject(command, env=clean_environment(XDG_CACHE_HOME=str(scene.path))) as subject:
        child = int(subject.await_ready())
        time.sleep(2.5)
        os.kill(subject.pid, signal.SIGKILL)
        subject.process.wait()
        os.kill(child, signal.SIGKILL)
    segment, = Path("/dev/shm").glob("pyrometer-*/%d-1.segment" % child)
    try:
        answer = run(scene.pyrometer, "report", scene.file("out.pyro.part"), "-o", scene.file("t.trace.json"))
        assert answer.status == 0, answer.err
        assert sum(bare(s.name) == "leaf" for s in slices_of_json(scene.file("t.trace.json"))) > 100000
    finally:
        shutil.rmtree(segment.parent)


@on_one
def test_none_kept(scene):
    scene.calls("timeline.py")
    there = scene.file("t.trace.json")
    there.write_text("old")
    answer = run(scene.pyrometer, "report", scene.file("a.pyro"), "-o", there)
    assert answer.status == 2 and "there are no single calls to write: they are kept by `pyrometer calls --timeline`" in answer.sentence()
    assert there.read_text() == "old" and not list(scene.path.glob("t.trace.json.*"))


@on_one
def test_pyrometer_does_not_answer(scene):
    """The program waits for it for a second, not longer, and what is missing is said."""
    scene.file("app.py").write_text("import os\ndef leaf(): pass\nprint('READY', os.getpid(), flush=True)\nfor _ in range(12000000): leaf()\n")
    command = [str(scene.pyrometer), "calls", "--timeline", "-q", "-o", str(scene.file("a.pyro")), "--", *scene.interpreter.argv, str(scene.file("app.py"))]
    with harness.Subject(command, env=clean_environment(XDG_CACHE_HOME=str(scene.path)), stderr=subprocess.STDOUT) as subject:
        status = Path("/proc/%d/stat" % int(subject.await_ready()))
        os.kill(subject.pid, signal.SIGSTOP)
        harness.wait_until(lambda: status.read_text().rpartition(")")[2].split()[0] == "Z", "the program's end")
        os.kill(subject.pid, signal.SIGCONT)
        assert "warning: not all was measured: pyrometer did not take what was measured for a second" in subject.rest()
    assert "before the program did: what came then is missing" in scene.report()
