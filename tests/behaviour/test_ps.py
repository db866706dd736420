"""`ps`: which Pythons run, which version and build, and whether they can be read."""
import re

import pytest


def entry(pyrometer, pid, **more):
    result = pyrometer("ps", "--json", **more)
    assert (result.status, result.err) == (0, ""), result
    document = result.json()
    assert document["schema"] == "pyrometer.ps/1"
    return {process["pid"]: process for process in document["processes"]}.get(pid)


@pytest.mark.feature("ps")
def test_version_and_build(pyrometer, python, start):
    subject = start(python, "sleeper.py")
    process = entry(pyrometer, subject.pid)
    code = "import sys, sysconfig; print('%d.%d.%d' % sys.version_info[:3]); " \
           "print(sysconfig.get_config_var('LDLIBRARY') if sysconfig.get_config_var('Py_ENABLE_SHARED') else 'static')"
    version, library = python.run(code).split()
    assert process["python"].startswith(version)
    assert process["build"] == linkage(subject.pid)
    assert process["free_threaded"] == python.version.endswith("t")
    assert process["debug"] is False
    assert process["readable"] is True
    assert process["command"][-1].endswith("sleeper.py")
    assert process["threads"] == 1
    assert 0 <= process["age_seconds"] < 60
    assert 0 <= process["cpu_seconds"] < 60


def linkage(pid):
    """Debian's pythons are static though the version has a libpython, so what is mapped is the truth."""
    with open(f"/proc/{pid}/maps") as maps:
        return "shared" if re.search(r"/libpython[23]", maps.read()) else "static"


def test_table(pyrometer, any_python, start):
    subject = start(any_python, "sleeper.py")
    result = pyrometer("ps")
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines[0].split() == ["PID", "PYTHON", "BUILD", "AGE", "CPU", "READ", "COMMAND"]
    row = next(line for line in lines if line.split()[0] == str(subject.pid))
    assert any_python.version in row and " yes " in row
    assert max(map(len, lines)) <= 80
    assert any(line.endswith("sleeper.py") for line in pyrometer("ps", env={"COLUMNS": "400"}).out.splitlines())


def test_others_are_not_listed(pyrometer, start):
    subject = start(["sleep", "60"], ready=False)
    assert entry(pyrometer, subject.pid) is None


def test_renamed_and_deleted_is_recognised(pyrometer, any_python, start, tmp_path):
    """By the interpreter in memory, not by the name or the file."""
    copy = tmp_path / "worker"
    copy.write_bytes(open(any_python.executable, "rb").read())
    copy.chmod(0o755)
    home = any_python.run("import sys; print(sys.base_prefix)")
    subject = start([str(copy), "-c", "import sys, time; print('READY'); sys.stdout.flush(); time.sleep(60)"],
                    env={"PYTHONHOME": home})
    copy.unlink()
    process = entry(pyrometer, subject.pid)
    assert process["python"].startswith(any_python.version)
    assert process["readable"] is True


def test_why_it_cannot_be_read(pyrometer, as_nobody, any_python, start):
    subject = start(any_python, "sleeper.py")
    result = as_nobody("ps", "--json")
    process = {process["pid"]: process for process in result.json()["processes"]}[subject.pid]
    assert process["readable"] is False
    assert process["python"] is None
    assert process["cause"] == f"process {subject.pid} belongs to user 0, and we are user 65534"
    assert process["remedy"]
    table = as_nobody("ps").out
    assert f"    process {subject.pid} belongs to user 0" in table
