"""The Python package is typed: `mypy --strict` takes it, and what programs build of it; and finds what is wrong there."""
import os
import subprocess
import sys

import pytest

from harness import ROOT


PROTOCOL = '''
from typing import Callable, Generic, Protocol, TypeVar, List
from dataclasses import dataclass
import pyrometer
T = TypeVar("T")
class Profiler(Protocol):
    def run(self, function: Callable[[], T]) -> "tuple[T, List[pyrometer.Row]]": ...
@dataclass
class Ours(Generic[T]):
    profile: pyrometer.Profile
    def run(self, function: Callable[[], T]) -> "tuple[T, List[pyrometer.Row]]":
        with self.profile as p:
            result: T = p.runcall(function)
        return result, p.stats(sort="cumtime")
@pyrometer.calls
def twice(x: int) -> int: return 2 * x
@pyrometer.calls(builtins=False, threads="current")
async def later(x: int) -> str: return str(x)
class Thing:
    @pyrometer.calls
    def method(self, x: int) -> "Thing": return self
@pyrometer.lines
def thrice(x: int) -> int: return 3 * x
with pyrometer.lines(functions=[thrice, "pkg.mod:*"], threads="current") as region: three: int = thrice(1)
rows: List[pyrometer.LineRow] = region.stats()
ours: Ours[int] = Ours(pyrometer.Profile())
result: int = ours.run(lambda: twice(3))[0]
again: Thing = Thing().method(1)
pyrometer.run("twice(2)", None, "cumtime")
ours.profile.save("a.pyro")
'''


@pytest.fixture(scope="session")
def mypy(tmp_path_factory):
    """The command of one that has it: this Python, else an environment of its own, which pip fills from its index."""
    if subprocess.run([sys.executable, "-m", "mypy", "--version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode == 0:
        return [sys.executable, "-m", "mypy"]
    venv = tmp_path_factory.mktemp("mypy") / "venv"
    for command in ([sys.executable, "-m", "venv", str(venv)],
                    [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", "mypy"]):
        if subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode:
            pytest.skip("no mypy here, and pip cannot fetch it")
    return [str(venv / "bin" / "python"), "-m", "mypy"]


def test_types(mypy, tmp_path):
    def check(*target):
        return subprocess.run([*mypy, "--strict", "--cache-dir", os.devnull, *target], cwd=str(tmp_path), stdout=subprocess.PIPE,
                              env=dict(os.environ, MYPYPATH=str(ROOT / "python")), universal_newlines=True)
    (tmp_path / "user.py").write_text(PROTOCOL)
    (tmp_path / "wrong.py").write_text(PROTOCOL + "twice('x')\n")
    for target in (["user.py"], ["-p", "pyrometer"]):
        checked = check(*target)
        assert checked.returncode == 0, checked.stdout
    assert "arg-type" in check("wrong.py").stdout
