"""`pip install .`: one wheel for every Python, with the program in the scripts folder and `python -m pyrometer`."""
import os
import platform
import subprocess
import sys

import pytest

from harness import ROOT, clean_environment

PYTHONS = ["3.8", "3.11", "3.13", "system"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as pip builds it, in an environment of its own, which pip fills from its package index."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "-q", "-w", str(folder), str(ROOT)]
    built = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment())
    if "No matching distribution found for meson-python" in built.stdout or "No module named pip" in built.stdout:
        pytest.skip("pip cannot fetch meson-python here")
    assert built.returncode == 0, built.stdout
    return next(folder.glob("*.whl"))


def test_wheel_has_no_python_abi(wheel):
    assert wheel.name.endswith("-py3-none-linux_%s.whl" % platform.machine())


@pytest.mark.parametrize("name", PYTHONS)
def test_installed_in_a_fresh_environment(wheel, interpreters, tmp_path, name):
    if name not in interpreters:
        pytest.skip("no Python %s on this machine" % name)

    def ask(*command, **more):
        answer = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=clean_environment(), cwd=str(tmp_path), **more)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    venv = tmp_path / "venv"
    made = subprocess.run(interpreters[name].argv + ["-m", "venv", str(venv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode != 0:
        pytest.skip("Python %s has no venv (python3-venv)" % name)
    python = venv / "bin" / "python"
    ask(python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-index", wheel)
    version = ask(venv / "bin" / "pyrometer", "--version")
    assert version.startswith("pyrometer ")
    assert ask(python, "-m", "pyrometer", "--version") == version
    # The interpreter that was asked runs the code, though it is not on PATH; and it does not see how that came about.
    code = "import os, sys; print(sys.prefix, os.environ.get('PYROMETER_PYTHON'))"
    said = ask(python, "-m", "pyrometer", "record", "-q", "-o", "x.collapsed", "-c", code)
    assert said.split() == [os.path.realpath(str(venv)), "None"]
    # The package is whole: it finds the program, loads the agent that is in it, and is typed.
    code = ("import os, pyrometer\ntry:\n    with pyrometer.calls() as p: len('')\n    print(p.stats()[0].label)\n"
            "except pyrometer.Error as error: print(error)\n"
            "print(os.path.exists(os.path.join(os.path.dirname(pyrometer.__file__), 'py.typed')))")
    said = ask(python, "-c", code).splitlines()
    assert said[0] == "{built-in method builtins.len}" or "Python 3.12" in said[0]
    assert said[1] == "True"
