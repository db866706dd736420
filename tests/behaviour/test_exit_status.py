"""The target's exit status is ours; our own failures are 125, 126 and 127, as env's."""
import pytest


@pytest.fixture
def record(pyrometer):
    return lambda *words: pyrometer("record", "-q", "-o", "x.pyro", *words)


@pytest.mark.parametrize("code, status", [
    ("pass", 0),
    ("import sys; sys.exit(7)", 7),
    ("import sys; sys.exit('no')", 1),
    ("import os; os.kill(os.getpid(), 15)", 128 + 15),
    ("import os; os.kill(os.getpid(), 9)", 128 + 9),
])
def test_status_of_the_target(record, any_python, code, status):
    result = record("--python", any_python.executable, "-c", code)
    assert result.status == status, result


def test_missing_program(record):
    result = record("--", "no-such-program")
    assert result.status == 127, result
    assert result.err == "pyrometer record: there is no program 'no-such-program' on PATH\n"


def test_missing_script(record):
    result = record("missing.py")
    assert result.status == 127, result
    assert result.err == "pyrometer record: there is no file 'missing.py'\n"


def test_not_executable(record, pyrometer):
    (pyrometer.folder / "data").write_text("x")
    result = record("--", "./data")
    assert result.status == 126, result
    assert "not executable" in result.err


def test_folder_without_main(record, pyrometer):
    (pyrometer.folder / "folder").mkdir()
    result = record("./folder")
    assert result.status == 126, result
    assert "__main__.py" in result.err


def test_unreadable_recording(pyrometer):
    (pyrometer.folder / "x.pyro").write_text("this is no recording")
    for name, says in (("x.pyro", "not a recording"), ("missing.pyro", "No such file")):
        result = pyrometer("report", name)
        assert (result.status, result.out) == (125, ""), result
        assert says in result.err and result.err.count("\n") == 1, result


def test_no_such_process(pyrometer):
    for command in (("record", "-p"), ("dump",), ("doctor", "-p")):
        result = pyrometer(*command, 2**22 - 1)
        assert result.status == 125, result
        assert "no process 4194303" in result.out + result.err, result
