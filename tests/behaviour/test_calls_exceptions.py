"""`calls --exceptions`: where exceptions are raised and where they end, by line (scenario S-C15)."""
import ast

import pytest

import harness
from harness import clean_environment, run
from test_calls_scenarios import Scene

NEW = [name for name in harness.CALLS_PYTHONS if name not in ("3.8", "3.9", "3.10", "3.11")]


@pytest.fixture
def scene(interpreter, pyrometer):
    where = Scene(interpreter, pyrometer)
    yield where
    where.folder.cleanup()


def counted(scene, subject):
    """(type, line raised, line handled or None): count, of the subject's own lines."""
    found = {}
    for row in scene.data()["exceptions"]:
        if row["path"].rsplit("/", 1)[-1] != subject:
            continue
        for handled in row["handled"]:
            found[row["type"], row["line"], handled["line"]] = handled["count"]
        left = row["count"] - sum(handled["count"] for handled in row["handled"])
        if left:
            found[row["type"], row["line"], None] = left
    return found


@pytest.mark.parametrize("interpreter", NEW, indirect=True)
class TestNew:
    def test_every_way(self, scene):
        answer = scene.calls("exceptions.py", "--exceptions")
        truth = {tuple(row[:3]): row[3] for row in ast.literal_eval(answer.out)}
        found = counted(scene, "exceptions.py")
        exits = [key for key in found if key[0] == "SystemExit"]
        assert len(exits) == 1 and exits[0][2] is None and found.pop(exits[0]) == 1
        assert found == truth

    def test_a_bare_except(self, scene):
        text = scene.calls("o_except.py", "--exceptions").err
        source = (harness.SUBJECTS / "o_except.py").read_text().splitlines()
        tried, bare = (next(i for i, line in enumerate(source, 1) if line.endswith(mark)) for mark in ("#@try", "#@bare"))
        assert "     2000 ValueError raised at o_except.py:%d(number_or_zero)\n" \
               "     2000   handled from o_except.py:%d(number_or_zero)\n" % (tried, bare) in text
        assert text.startswith(scene.report())

    def test_none(self, scene):
        scene.file("quiet.py").write_text("print(1)\n")
        text = scene.calls("quiet.py", "--exceptions", "-f", "quiet:").err
        assert "Exceptions: none was raised" in text and scene.data()["exceptions"] == []

    def test_not_asked(self, scene):
        assert "Exceptions" not in scene.calls("o_except.py").err
        assert scene.data()["exceptions"] is None


@pytest.mark.parametrize("interpreter", ["3.8", "3.11"], indirect=True)
def test_too_old(pyrometer, interpreter, tmp_path):
    answer = run(pyrometer, "calls", "--exceptions", "-o", tmp_path / "a.pyro", "--", *interpreter.argv, "-c", "print('ran')",
                 env=clean_environment(XDG_CACHE_HOME=str(tmp_path)))
    assert answer.status == 125 and answer.out == "ran\n"
    assert "exceptions are counted from Python 3.12 on" in answer.sentence() and not (tmp_path / "a.pyro").exists()
