"""The target's exit status is ours; our own failures are 125, 126 and 127, as env's."""
import pytest

from harness import run


@pytest.fixture
def record(pyrometer, tmp_path):
    return lambda *words: run(pyrometer, "record", "-q", "-o", "x.pyro", *words, cwd=tmp_path)


@pytest.mark.parametrize("code, status", [
    ("pass", 0),
    ("import sys; sys.exit(7)", 7),
    ("import sys; sys.exit('no')", 1),
    ("import os; os.kill(os.getpid(), 15)", 128 + 15),
    ("import os; os.kill(os.getpid(), 9)", 128 + 9),
])
def test_status_of_the_target(record, any_python, code, status):
    assert record("--python", any_python.argv[0], "-c", code).status == status


def test_missing_program(record):
    answer = record("--", "no-such-program")
    assert (answer.status, answer.out) == (127, "")
    assert answer.sentence() == "pyrometer record: there is no program 'no-such-program' on PATH"


def test_missing_script(record):
    answer = record("missing.py")
    assert (answer.status, answer.out) == (127, "")
    assert answer.sentence() == "pyrometer record: there is no file 'missing.py'"


def test_not_executable(record, tmp_path):
    (tmp_path / "data").write_text("x")
    answer = record("--", "./data")
    assert answer.status == 126
    assert "not executable" in answer.sentence()


def test_folder_without_main(record, tmp_path):
    (tmp_path / "folder").mkdir()
    answer = record("./folder")
    assert answer.status == 126
    assert "__main__.py" in answer.sentence()


@pytest.mark.parametrize("name, says", [("x.pyro", "not a recording"), ("missing.pyro", "No such file")])
def test_unreadable_recording(pyrometer, tmp_path, name, says):
    (tmp_path / "x.pyro").write_text("this is no recording")
    answer = run(pyrometer, "report", name, cwd=tmp_path)
    assert (answer.status, answer.out) == (125, "")
    assert says in answer.sentence()


@pytest.mark.parametrize("command", [("record", "-p"), ("dump",)], ids=" ".join)
def test_no_such_process(pyrometer, tmp_path, command):
    answer = run(pyrometer, *command, 2**22 - 1, cwd=tmp_path)
    assert (answer.status, answer.out) == (125, "")
    assert "no process 4194303" in answer.sentence()
