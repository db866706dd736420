"""Wrong usage: one sentence on stderr that begins with who says it, nothing on stdout, status 2."""
import pytest

from harness import run

CASES = [
    ("nonsense", "there is no command 'nonsense'"),
    ("recrod app.py", "the nearest is 'record'"),
    ("--nonsense", "there is no command '--nonsense'"),
    ("record", "give a program"),
    ("record -r 0 app.py", "-r: '0' is no rate"),
    ("record -r -5 app.py", "-r: '-5' is no rate"),
    ("record -r fast app.py", "max"),
    ("record -d 0 app.py", "-d: '0' is no duration"),
    ("record --duration=nan app.py", "--duration: 'nan' is no duration"),
    ("record -p 1 app.py", "-p PID"),
    ("record -p x", "-p: 'x' is no process number"),
    ("record --nosuch app.py", "there is no option '--nosuch'"),
    ("record --durration 3 app.py", "the nearest is '--duration'"),
    ("record -o", "-o needs a value: -o FILE"),
    ("record -o x.unknown app.py", ".svg"),
    ("record --python python3 -- /bin/true", "--python"),
    ("report", "give the recording"),
    ("report --raw a.pyro b.pyro", "one word too many"),
    ("report --by colour a.pyro", "none of auto, function, line, process"),
    ("report -n 0 a.pyro", "-n: '0'"),
    ("report --format nosuch a.pyro", "speedscope"),
    ("report --callers ( a.pyro", "no regular expression"),
    ("report --sort cum a.pyro", "cumtime, cumulative"),
    ("report --sort colour a.pyro", "none of both, self, total"),
    ("calls --sort cum app.py", "cumtime, cumulative"),
    ("calls --sort t app.py", "time, tottime"),
    ("calls --callees ( app.py", "no regular expression"),
    ("calls -n 0 app.py", "-n: '0'"),
    ("dump", "PID"),
    ("dump xyz", "xyz"),
    ("ps 12", "one word too many"),
    ("ps --nosuch", "there is no option '--nosuch'"),
    ("doctor -p 0", "-p: '0' is no process number"),
    ("doctor 1 2", "one word too many"),
    ("doctor me", "'me' is no process number"),
    ("help nosuch", "there is no command 'nosuch'"),
]


@pytest.mark.parametrize("line, says", CASES, ids=[line for line, _ in CASES])
def test_wrong_usage(pyrometer, tmp_path, line, says):
    answer = run(pyrometer, *line.split(), cwd=tmp_path)
    assert (answer.status, answer.out) == (2, ""), answer.err
    assert answer.err.startswith("pyrometer")
    assert says in answer.sentence()
    assert not list(tmp_path.iterdir()), "wrong usage leaves no file behind"
