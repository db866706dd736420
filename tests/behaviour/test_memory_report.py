"""`pyrometer report` of memory of which lines were measured: their table, unless something else was asked for. The recording is tests/unit/cellar.c's."""
import json
import subprocess

import pytest

from harness import run


@pytest.fixture
def cellar(pyrometer, tmp_path):
    tool = pyrometer.parent / "tests" / "unit" / "synthetic_tool"
    if not tool.exists():
        pytest.skip("there is no synthetic_tool beside %s" % pyrometer)
    subprocess.run([str(tool), "cellar", "pyro", "--path", str(tmp_path / "cellar.pyro")], check=True)

    def report(*words):
        answer = run(pyrometer, "report", "cellar.pyro", *words, cwd=str(tmp_path))
        assert (answer.status, answer.err) == (0, "")
        return answer.out
    return report


def test_table(cellar):
    out = cellar()
    assert "     7     43.0 MiB     22.9 MiB           3   \n" in out and "Live at the peak" not in out
    assert "    11     21.0 MiB    -22.9 MiB           3   \n    12     21.0 MiB        -56 B           3   \n" in out
    assert "Cellar.empty at line 17 was never called.\n" in out
    assert "Cellar.empty" not in cellar("--skip-zero")


def test_something_else(cellar):
    """Who asks for a view or for rows gets them, even if they are those that there are without lines."""
    for words in (["--peak"], ["--by", "line"], ["--leaks"], ["--by", "function"], ["--tree"]):
        out = cellar(*words)
        assert "Occurrences" not in out and "Peak: " in out, words
    assert "Occurrences" in cellar("--by", "auto")


def test_json(cellar):
    report = json.loads(cellar("--format", "json"))
    fill = report["lines"][0]
    assert (fill["qualname"], fill["file"], fill["line"], fill["calls"], fill["baseline_bytes"]) == ("fill", "cellar.py", 4, 3, 20 << 20)
    assert fill["lines"][0] == {"line": 7, "increment_bytes": 24000168, "occurrences": 3, "usage_bytes": 43 << 20}
    assert [line["increment_bytes"] for line in fill["lines"]] == [24000168, 0, 2048, -24000168, -56]
    assert report["lines"][1]["calls"] == 0 and report["lines"][1]["lines"] == []
    assert len(report["rows"]) == 1
