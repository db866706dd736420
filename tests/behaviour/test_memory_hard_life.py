"""`memory` where it can measure nothing, where the disk or the memory is full, and where stacks are switched by hand."""
import json
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

import harness
from harness import run, wait_until
from test_memory import NOTES, on_some, scene  # noqa: F401: a fixture
from test_outputs import needs_root, small_disk

on_one = pytest.mark.parametrize("interpreter", ["3.13"], indirect=True)

# ---- programs into which nothing can be loaded ----


def test_static_program(pyrometer, tmp_path):
    """It runs as it would, and one sentence says that nothing was measured."""
    (tmp_path / "app.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n"
                                    "int main(int count, char **words) { free(malloc(100)); puts(words[1]); return count - 2; }\n")
    built = subprocess.run(["gcc", "-static", "-o", str(tmp_path / "app"), str(tmp_path / "app.c")], stderr=subprocess.PIPE)
    if built.returncode:
        pytest.skip("gcc -static links nothing here")
    for words, status in ((["ran"], 125), (["ran", "more"], 1)):
        answer = run(pyrometer, "memory", "-o", tmp_path / "a.pyro", "--", tmp_path / "app", *words)
        assert (answer.status, answer.out) == (status, "ran\n")
        assert "no allocations were measured in %s/app: no Python 3.8 or newer with a dynamic loader" % tmp_path in answer.sentence()
    assert not list(tmp_path.glob("*.pyro*"))


def give_rights(file, kind):
    if kind == "capabilities":  # CAP_NET_RAW, effective; linux/capability.h: struct vfs_cap_data
        try:
            os.setxattr(str(file), "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
        except OSError:
            pytest.skip("no capabilities can be given to a file here")
    else:
        os.chown(str(file), *((65533, 0) if kind == "setuid" else (0, 65533)))
        file.chmod(0o4755 if kind == "setuid" else 0o2755)


@pytest.mark.parametrize("kind", ["setuid", "setgid", "capabilities"])
@pytest.mark.parametrize("command", ["memory", "calls"])
def test_program_with_rights_of_its_own(interpreters, nobody, kind, command):
    """The dynamic loader takes no orders then; the sentence says which programs those are."""
    if "system" not in interpreters:
        pytest.skip("no Python that every user can see")
    with tempfile.TemporaryDirectory(prefix="pyrometer-") as folder:
        folder = Path(folder)
        os.chown(str(folder), 65534, 65534)
        shutil.copyfile(os.path.realpath(interpreters["system"].argv[0]), str(folder / "python"))
        (folder / "python").chmod(0o755)
        environment = harness.clean_environment(XDG_CACHE_HOME=str(folder))
        code = "import os, sys; print('ran', os.geteuid(), os.getegid()); sys.exit(int(sys.argv[1]))"
        asked = lambda status: run(nobody.pyrometer, command, "-q", "-o", folder / "a.pyro", "--", folder / "python", "-c", code, status,
                                   env=environment, **nobody.become)
        before = asked(0)
        assert (before.status, before.err) == (0, ""), "without them it can be measured"
        (folder / "a.pyro").unlink()
        give_rights(folder / "python", kind)
        for own, status in ((0, 125), (3, 3)):
            answer = asked(own)
            ids = (65533 if kind == "setuid" else 65534, 65533 if kind == "setgid" else 65534)
            if answer.out == before.out and kind != "capabilities":
                pytest.skip("%s has no effect in %s" % (kind, folder.parent))
            assert (answer.status, answer.out) == (status, "ran %d %d\n" % ids), answer.err
            assert "it is given rights that its user has not (setuid, setgid or capabilities)" in answer.sentence()
            assert not list(folder.glob("*.pyro*"))


# ---- full disks ----

# Two blocks, of which the second has no room.
FILLS = """import sys, time
kept = []
def add(first, end):
    for n in range(first, end):
        exec("def g%d(k):\\n    return [bytearray(1000 + k) for _ in range(3)]\\nkept.append(g%d(%d))" % (n, n, n), globals())
add(0, 50)
time.sleep(1.5)
add(50, 15000)
print("end")
sys.exit(int(sys.argv[1]))
"""


@needs_root
@on_some
@pytest.mark.parametrize("own, status", [(0, 125), (3, 3)])
def test_disk_full(scene, tmp_path, own, status):  # noqa: F811
    """The program runs to its end; the sentence is said; what came before can be read, and what was there before is as it was."""
    program = scene.write("app.py", FILLS)
    with small_disk(tmp_path / "disk", "size=160k") as disk:
        (disk / "x.pyro").write_bytes(b"old")
        answer = run(scene.pyrometer, "memory", "-q", "-o", disk / "x.pyro", "--", *scene.interpreter.argv, program, own, env=scene.environment)
        assert (disk / "x.pyro").read_bytes() == b"old"
        shutil.copyfile(str(disk / "x.pyro.part"), str(scene.path / "a.pyro"))
    assert (answer.status, answer.out) == (status, "end\n"), answer.err
    assert "cannot write more to" in answer.sentence() and "x.pyro" in answer.sentence() and "No space left" in answer.sentence()
    report = scene.report()
    assert "The recording was cut off" in report and "Live when the recording was cut off  by line" in report and "<string>:2" in report, report
    assert "by line" in scene.report("--peak") and "<string>:2" not in scene.report("--peak"), "nobody knows it"
    assert 150 <= scene.read("--total").sum("shown", file="<string>", allocator="malloc")[1] < 45000


@needs_root
@pytest.mark.parametrize("size", ["256k", "3m"])
def test_no_room_for_what_is_measured(pyrometer, any_python, tmp_path, size):
    """The file system in which the agent writes is full: it measures no more, the program runs on, and that is said, then and in each report."""
    own = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=%s none /dev/shm && exec "$@"' % size, "sh"]
    if subprocess.run(own + ["true"]).returncode:
        pytest.skip("no mounts of one's own here")
    (tmp_path / "app.py").write_text("import threading\nend = threading.Event()\ndef work():\n    kept = bytearray(1000)\n    end.wait()\n"
                                     "threads = [threading.Thread(target=work) for _ in range(150)]\n"
                                     "for thread in threads: thread.start()\nend.set()\nfor thread in threads: thread.join()\nprint('end')\n")
    answer = run(*own, pyrometer, "memory", "-q", "-o", tmp_path / "a.pyro", "--", *any_python.argv, tmp_path / "app.py")
    assert answer.out == "end\n"
    if size == "256k":
        assert answer.status == 125 and "there was no room for it" in answer.sentence()
    else:
        assert answer.status == 0 and "not all was measured: there was no room left" in answer.sentence()
        assert "before the program did: what came then is missing." in " ".join(run(pyrometer, "report", tmp_path / "a.pyro").out.split())


# ---- no memory ----

LIMIT = 100 << 20


@pytest.fixture
def group():
    """The file by which a process gets into a cgroup that has LIMIT bytes of memory."""
    made = None
    for root, sign, limits in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", {"memory.limit_in_bytes": LIMIT, "memory.memsw.limit_in_bytes": LIMIT}),
                               (Path("/sys/fs/cgroup"), "cgroup.controllers", {"memory.max": LIMIT, "memory.swap.max": 0})):
        if made or not (root / sign).exists():
            continue
        made = root / ("pyrometer-test-%d" % os.getpid())
        try:
            made.mkdir()
            (made / list(limits)[0]).write_text(str(list(limits.values())[0]))
        except OSError:
            if made.exists():
                made.rmdir()
            made = None
            continue
        if (made / list(limits)[1]).exists():  # where swap is counted
            (made / list(limits)[1]).write_text(str(list(limits.values())[1]))
    if not made:
        pytest.skip("no cgroup with a limit of memory can be made here")

    def removed():
        try:
            made.rmdir()
        except OSError:
            return False  # what was killed is still there
        return True
    yield made / "cgroup.procs"
    wait_until(removed, "the cgroup's end")


@on_some
def test_oom_kill_of_the_program(scene, group):  # noqa: F811
    """All that it had until then is there, and what it died of."""
    program = scene.write("app.py", "import os\nkept = []\nfor n in range(1, 300):\n    kept.append(bytearray(1000000))\n    os.write(1, b'%d\\n' % n)\n")
    answer = run(scene.pyrometer, "memory", "-q", "-o", scene.path / "a.pyro", "--", "sh", "-c", 'echo $$ >"$0" && exec "$@"', group,
                 *scene.interpreter.argv, program, env=scene.environment)
    assert (answer.status, answer.err) == (128 + 9, "")
    had = int(answer.out.split()[-1])
    assert 50 < had < 105
    assert scene.read("--at", "end").sum("shown", file="app.py", line=4)[0] // 1000000 in (had, had + 1)
    assert "The program died of signal 9 (Killed)." in scene.report()


BOTH = """import os, sys, time
with open("/proc/%d/oom_score_adj" % os.getppid(), "w") as file: file.write("1000")
for pid in (os.getppid(), os.getpid()):
    with open(sys.argv[1], "w") as file: file.write(str(pid))
kept = [bytearray(1000) for _ in range(1000)]
time.sleep(2.5)  # a block is written each second
with open(sys.argv[2], "wb") as file:  # memory that is nobody's
    while True: file.write(b"x" * 1000000)
"""


@on_one
def test_oom_kill_of_all(scene, group):  # noqa: F811
    """What was written until then reads to its last block, and the report says that there is no end."""
    command = [scene.pyrometer, "memory", "-q", "-o", scene.path / "a.pyro", "--", *scene.interpreter.argv, scene.write("app.py", BOTH), group, scene.path / "big"]
    killed = subprocess.run([str(word) for word in command], env=scene.environment, stdin=subprocess.DEVNULL)
    assert killed.returncode == -9
    (scene.path / "a.pyro.part").rename(scene.path / "a.pyro")
    report = run(scene.pyrometer, "report", scene.path / "a.pyro", "--at", "end", env=scene.environment)
    assert report.status == 0 and "is not whole" in report.sentence() and "The recording was cut off; this is what came before." in report.out
    assert scene.read("--total").sum("shown", file="app.py")[1] >= 1000


# ---- stacks that are switched by hand ----

GREENLETS = """import json, random, sys
sys.path.insert(0, sys.argv[1])
import greenlet
random.seed(int(sys.argv[2]))
""" + NOTES + """def away(): hub.switch()
def work(n):
    note(5000); kept.append(bytearray(5000))
    away()
    if n and random.random() < 0.8:
        work(n - 1)
    note(6000); kept.append(bytearray(6000))
    for i in turns(n):
        note(7000); kept.append(bytearray(7000))
        away()
def turns(n):
    for i in range(2):
        note(8000); kept.append(bytearray(8000))
        away()
        if n and i: other(n - 1)
        yield i
def other(n):
    if random.random() < 0.5: away()
    note(9000); kept.append(bytearray(9000))
    if n: work(n - 1)
    note(5000); kept.append(bytearray(5000))
hub = greenlet.getcurrent()
tasks = [greenlet.greenlet(random.choice([work, other])) for _ in range(40)]
while tasks:
    task = random.choice(tasks)
    task.switch(4)
    if random.random() < 0.2: note(6000); kept.append(bytearray(6000))
    tasks = [task for task in tasks if not task.dead]
print(json.dumps(expected))
"""


@pytest.mark.parametrize("interpreter", ["3.8", "3.10", "3.11", "3.12", "3.13", "sid-3.14", "sid-3.15"], indirect=True)
def test_greenlets(scene):  # noqa: F811
    """Each block stands on the lines on which the program itself saw its frames, whichever greenlet runs; and the program says the same as alone."""
    library = scene.fetch("greenlet")
    program, more = scene.write("app.py", GREENLETS), scene.extra("bytearray(n)")
    words = (program, library, 1)
    answer = scene.memory("-q", program=words)
    assert answer.out == scene.plain(*words).out and not answer.err
    expected = json.loads(answer.out)
    assert len(expected) > 50 and scene.read("--total").by_path(more) == expected


@pytest.mark.parametrize("interpreter", ["3.8", "3.11", "3.13"], indirect=True)
def test_numpy(scene):  # noqa: F811
    """S-K11: arrays, a view of one and a copy, each at its caller's line, though NumPy's own code got it."""
    scene.environment["PYTHONPATH"] = str(scene.fetch("numpy"))
    source = (harness.SUBJECTS / "m_numpy.py").read_text()
    answer = scene.memory("--lines", "-q", "-f", "arrays", program=(scene.write("m_numpy.py", source),))
    assert harness.truth_of(answer.out) == {"base": 32000000, "view": 0, "copy": 16000000}
    lines, = (each["lines"] for each in json.loads(scene.report("--format", "json"))["lines"])
    texts = source.splitlines()
    got = {texts[line["line"] - 1].rpartition("#@")[2]: line["increment_bytes"] for line in lines}
    assert abs(got["base"] - 32e6) < 32e3 and abs(got["copy"] - 16e6) < 16e3 and 0 <= got["view"] < 1000, got
