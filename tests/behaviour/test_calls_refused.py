"""What `pyrometer calls` cannot count, and programs that fail by themselves: one clear sentence each, and no file."""
import pytest

from harness import clean_environment, run


@pytest.fixture
def call(pyrometer, tmp_path):
    """Runs `calls` in a folder of its own; the answer, and whether a file came out."""
    def call(*words):
        out = tmp_path / "out.pstats"
        answer = run(pyrometer, "calls", "-q", "-o", out, *words, cwd=str(tmp_path),
                     env=clean_environment(XDG_CACHE_HOME=str(tmp_path / "cache")))
        return answer, out.exists()
    return call


@pytest.mark.parametrize("interpreter", ["2.7", "3.6", "3.7"], indirect=True)
def test_too_old(call, interpreter):
    answer, came = call("--python", interpreter.argv[0], "-c", "print('ran')")
    assert (answer.status, answer.out, came) == (125, "ran\n", False)
    assert "from Python 3.8 on" in answer.sentence() and "pyrometer record" in answer.sentence()


def test_no_python(call):
    answer, came = call("--", "/bin/true")
    assert answer.status == 125 and "no calls were counted in /bin/true" in answer.sentence() and not came


def test_nothing_to_run(call):
    answer, _ = call()
    assert answer.status == 2 and "give a program" in answer.sentence()


def test_there_is_no_such_script(call, any_python):
    answer, came = call("--python", any_python.argv[0], "none.py")
    assert answer.status == 127 and "none.py" in answer.sentence() and not came


def test_a_script_that_does_not_compile(call, any_python, tmp_path):
    """Its own words and its own status, as without us."""
    (tmp_path / "bad.py").write_text("def f(:\n")
    answer, _ = call("--python", any_python.argv[0], "bad.py")
    assert answer.status == 1 and "SyntaxError" in answer.err


def test_the_folder_of_the_agent_is_ours_alone(call, any_python, tmp_path):
    """What is loaded into a program must not lie where others can write."""
    (tmp_path / "cache" / "pyrometer").mkdir(parents=True)
    (tmp_path / "cache" / "pyrometer").chmod(0o777)
    answer, came = call("--python", any_python.argv[0], "-c", "print('ran')")
    assert answer.status == 125 and "others can write" in answer.sentence() and answer.out == "" and not came
