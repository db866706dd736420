"""`ps`: which Pythons run, which version and build, and whether they can be read."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import SUBJECTS, Subject, clean_environment, run, wait_until


def entries(answer):
    """By process number."""
    assert (answer.status, answer.err) == (0, "")
    document = answer.json()
    assert document["schema"] == "pyrometer.ps/1"
    return {process["pid"]: process for process in document["processes"]}


def linkage(pid):
    """Debian's pythons are static though there is a libpython, so what is mapped is the truth."""
    return "shared" if re.search(r"/libpython[23]", Path("/proc/%d/maps" % pid).read_text()) else "static"


@pytest.fixture
def sleeper(any_python):
    with Subject(any_python.command(SUBJECTS / "sleeper.py")) as subject:
        subject.await_ready()
        yield subject


@pytest.mark.feature("ps")
def test_version_and_build(pyrometer, interpreter, subjects):
    with Subject(interpreter.command(subjects / "sleeper.py")) as subject:
        subject.await_ready()
        process = entries(run(pyrometer, "ps", "--json"))[subject.pid]
        build = linkage(subject.pid)
    assert process["python"] == interpreter.version_text.rstrip("+")
    assert process["build"] == build
    assert process["free_threaded"] is interpreter.free_threaded
    assert process["debug"] is False
    assert process["readable"] is True
    assert process["command"][-1].endswith("sleeper.py")
    assert process["threads"] == 1
    assert 0 <= process["age_seconds"] < 60
    assert 0 <= process["cpu_seconds"] < 60


def test_table(pyrometer, any_python, sleeper):
    lines = run(pyrometer, "ps", env=clean_environment(COLUMNS="80")).out.splitlines()
    assert lines[0].split() == ["PID", "PYTHON", "BUILD", "AGE", "CPU", "READ", "COMMAND"]
    row = next(line for line in lines if line.split()[0] == str(sleeper.pid))
    assert any_python.version_text in row and " yes " in row
    assert max(map(len, lines)) <= 80
    wide = run(pyrometer, "ps", env=clean_environment(COLUMNS="400")).out.splitlines()
    assert any(line.endswith("sleeper.py") for line in wide)


def test_others_are_not_listed(pyrometer):
    with Subject(["sleep", "60"]) as subject:
        wait_until(lambda: Path("/proc/%d/comm" % subject.pid).read_text() == "sleep\n")
        assert subject.pid not in entries(run(pyrometer, "ps", "--json"))


def test_renamed_and_deleted_is_recognised(pyrometer, any_python, tmp_path):
    """By the interpreter in memory, not by the name or the file."""
    copy = tmp_path / "worker"
    shutil.copy(any_python.argv[0], str(copy))
    code = "import sys; print(sys.base_prefix)"
    home = subprocess.run(any_python.argv + ["-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with Subject([str(copy), str(SUBJECTS / "sleeper.py")], env=dict(clean_environment(), PYTHONHOME=home)) as subject:
        subject.await_ready()
        copy.unlink()
        process = entries(run(pyrometer, "ps", "--json"))[subject.pid]
    assert process["python"] == any_python.version_text
    assert process["readable"] is True


def test_why_it_cannot_be_read(nobody, sleeper):
    process = entries(nobody.run("ps", "--json"))[sleeper.pid]
    assert process["readable"] is False
    assert process["python"] is None
    assert process["cause"] == "process %d belongs to user 0, and we are user 65534" % sleeper.pid
    assert process["remedy"]
    assert "    process %d belongs to user 0" % sleeper.pid in nobody.run("ps").out
