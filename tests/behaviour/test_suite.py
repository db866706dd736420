"""The standard library's test_json gives under `calls` and `memory` what it gives without; tools/real-suites does more of them, by hand."""
import re
import subprocess
import tempfile

import pytest

from harness import clean_environment, run

pytestmark = [pytest.mark.parametrize("interpreter", ["3.8", "3.11", "3.13"], indirect=True)]  # each way of being told of calls


def results(text):
    return sorted(re.findall(r"^(test_\w+ \([\w.]+\)).*? \.\.\. (?:.*\n)??.*?\b(ok|FAIL|ERROR|skipped|expected failure)\b", text, re.M))


@pytest.mark.parametrize("command", [["calls"], ["memory", "--python-allocators"]], ids=["calls", "memory"])
def test_json(pyrometer, interpreter, command):
    if command[0] == "memory" and interpreter.version >= (3, 12):
        pytest.skip("a stack of 100,000 generators is walked for each of its allocations: that takes minutes")
    words = ["-m", "unittest", "-v", "test.test_json"]
    bare = subprocess.run(interpreter.argv + words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=clean_environment())
    if b"No module named 'test.test_json'" in bare.stdout:
        pytest.skip("this Python has come without its test suite")
    with tempfile.TemporaryDirectory(prefix="pyrometer-", dir="/dev/shm") as folder:
        counted = run(pyrometer, *command, "-q", "-o", folder + "/out.pyro", "--", *interpreter.argv, *words, stderr=subprocess.STDOUT,
                      env=clean_environment(XDG_CACHE_HOME=folder))
    expected = results(bare.stdout.decode())
    assert len(expected) > 100 and results(counted.out) == expected
    assert counted.status == bare.returncode == 0
