"""`pyrometer lines` where there is no source, another one than ran, or one that lies in no file; and functions that are not there."""
import os
import re
import time

import pytest

import harness
from harness import run
from test_lines_scenarios import Shown

pytestmark = [pytest.mark.parametrize("interpreter", harness.CALLS_PYTHONS, indirect=True)]
WORK = "def work(n):\n    for i in range(n):\n        x = i\n    return x\n"


@pytest.fixture
def scene(interpreter, pyrometer):
    where = Shown(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


def report(scene, *words):
    answer = run(scene.pyrometer, "report", scene.path / "a.pyro", *words)
    assert answer.status == 0, answer.err
    return answer.out


def test_a_file_that_changed(scene):
    """What is there now is shown, and that it may be another."""
    program = scene.write("app.py", WORK + "work(5)\n")
    scene.lines("-f", "work", program=(program,))
    assert "changed" not in report(scene)
    program.write_text("# one line more\n" + program.read_text())
    os.utime(str(program), (time.time() + 5,) * 2)
    text = report(scene)
    assert "app.py has changed since: the lines shown may not be those that ran." in text
    assert [row[0] for row in scene.table(text, "work").values()] == [6, 5, 1]


def test_a_file_that_is_gone(scene):
    program = scene.write("app.py", WORK + "work(5)\n")
    scene.lines("-f", "work", program=(program,))
    program.unlink()
    text = report(scene)
    assert re.search(r"^Could not find file .*app\.py$", text, re.M) and "Continuing without the function's contents." in text
    assert re.findall(r"^ +(\d+) +(\d+) ", text, re.M) == [("2", "6"), ("3", "5"), ("4", "1")]


def test_a_module_without_source(scene):
    """There is only its bytecode."""
    module = scene.write("shop.py", WORK)
    compiler = "import py_compile; py_compile.compile(%r, %r, dfile='/nowhere/shop.py', doraise=True)" % (str(module), str(module) + "c")
    assert run(*scene.interpreter.argv, "-c", compiler).status == 0
    module.unlink()
    scene.lines("-f", "shop:work", program=("-c", "import shop; shop.work(5)"))
    text = report(scene)
    assert "Could not find file /nowhere/shop.py" in text
    assert re.findall(r"^ +(\d+) +(\d+) ", text, re.M) == [("2", "6"), ("3", "5"), ("4", "1")]


@pytest.mark.parametrize("name", ["<string>", "<ipython-input-3-0123456789ab>", "/tmp/ipykernel_12/3456.py"])
def test_code_that_was_made(scene, name):
    """exec(), and cells of notebooks."""
    scene.lines("-f", "work", program=("-c", "exec(compile(%r, %r, 'exec'))" % (WORK + "work(5)\n", name)))
    text = report(scene)
    assert "File: %s\nFunction: work at line 1\n" % name in text and "Could not find" not in text
    assert [row[0] for row in scene.table(text, "work").values()] == [6, 5, 1]


def test_own_cells(scene):
    """Without -f, a cell's functions and no other made code are the program's own."""
    cell, other = (WORK.replace("work", name) + "%s(2)\n" % name for name in ("cell", "made"))
    code = "exec(compile(%r, '<ipython-input-3-0123456789ab>', 'exec')); exec(%r)" % (cell, other)
    _, lines = scene.lines(program=("-c", code))
    assert {name for _, name, _ in lines.calls if name != "<module>"} == {"cell"}


def test_a_name_that_is_not_there(scene):
    program = scene.write("app.py", WORK + "work(5)\n")
    answer, _ = scene.lines("-f", "worl", program=(program,), status=125)
    assert "-f worl: no function that was called matches; near it are work" in answer.sentence()
