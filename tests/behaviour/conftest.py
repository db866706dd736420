"""The harness of the behaviour tests: the program as its users see it.

  pyrometer    runs it: result = pyrometer("ps", "--json"); result.status, result.out, result.err, result.json()
  python       an Interpreter; the test runs once for each version of VERSIONS, skips those that are not here, and fails
               for those that PYROMETER_REQUIRE_PYTHONS names
  any_python   one that is here, for what does not depend on the version
  start        starts a program of subjects/ or a command and waits for its line READY

At the end a table of versions and features is printed, from the tests that ran: @pytest.mark.feature("generators") names
a row; without it the test's file does.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

import interpreters

SUBJECTS = pathlib.Path(__file__).resolve().parent / "subjects"
PROGRAM = pathlib.Path(os.environ.get("PYROMETER", interpreters.ROOT / "build" / "pyrometer")).resolve()
TIMEOUT = 60


class Result:
    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"{' '.join(map(str, self.command))}\nstatus {self.status}\nstdout: {self.out}\nstderr: {self.err}"


class Pyrometer:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def environment(self, extra):
        """That of the tests without what would change the output."""
        kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR", "PYROMETER")}
        return {**kept, "NO_COLOR": "1", **(extra or {})}

    def __call__(self, *words, timeout=TIMEOUT, env=None, **more):
        command = [str(self.program), *map(str, words)]
        more.setdefault("cwd", self.folder)
        process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                 timeout=timeout, env=self.environment(env), errors="surrogateescape", **more)
        return Result(command, process.returncode, process.stdout, process.stderr)

    def start(self, *words, env=None, **more):
        """Runs it in the background; the test ends it."""
        more.setdefault("cwd", self.folder)
        return subprocess.Popen([str(self.program), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=self.environment(env), **more)


@pytest.fixture
def pyrometer(tmp_path):
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not built: meson setup build && meson compile -C build")
    return Pyrometer(PROGRAM, tmp_path)


@pytest.fixture(scope="session")
def found():
    return interpreters.find_all()


@pytest.fixture(params=interpreters.VERSIONS)
def python(request, found):
    if request.param in found:
        return found[request.param]
    if request.param in interpreters.required():
        pytest.fail(f"CPython {request.param} is required (PYROMETER_REQUIRE_PYTHONS) and not here")
    pytest.skip(f"no CPython {request.param} here (pyenv, PATH, or the tree of tools/make-sid.sh)")


@pytest.fixture(scope="session")
def any_python(found):
    """The newest that is no tree of its own."""
    for version in reversed(interpreters.VERSIONS):
        if version in found and str(found[version].root) == "/":
            return found[version]
    pytest.fail("there is no CPython here")


class Subject:
    """A program under test. It may have died: `process` tells."""

    def __init__(self, process):
        self.process, self.pid = process, process.pid

    def read_line(self):
        return self.process.stdout.readline().rstrip("\n")


@pytest.fixture
def start(tmp_path):
    """start(python, "sleeper.py", *arguments): in `python`; start(["sleep", "9"], ready=False): any command."""
    running = []

    def start_subject(what, *words, ready=True, **more):
        command = list(what) if isinstance(what, (list, tuple)) else [
            *what.command, str(what.place(SUBJECTS / words[0], tmp_path)), *map(str, words[1:])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=more.pop("cwd", "/"), **more)
        running.append(process)
        subject = Subject(process)
        if ready:
            line = subject.read_line()
            assert line == "READY", f"{command} said {line!r} instead of READY"
        return subject

    yield start_subject
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def as_nobody(pyrometer, tmp_path_factory):
    """The program as the user nobody, at a place that nobody can reach; the program's target stays root's."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = tmp_path_factory.mktemp("nobody")
    for parent in (folder, *folder.parents):
        if parent.owner() == "root" and parent.parts[1:2] == ("tmp",):
            parent.chmod(parent.stat().st_mode | 0o711)
    program = folder / "pyrometer"
    shutil.copy(PROGRAM, program)
    program.chmod(0o755)
    other = Pyrometer(program, "/")
    return lambda *words, **more: other(*words, user=65534, group=65534, extra_groups=[], **more)


# ---- the table of versions and features ----

RAN = {}  # (feature, version) -> outcome


def pytest_configure(config):
    config.addinivalue_line("markers", "feature(name): the row of the table that the test belongs to")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    version = getattr(item, "callspec", None) and item.callspec.params.get("python")
    if not version or (report.when != "call" and report.passed):
        return
    marker = item.get_closest_marker("feature")
    feature = marker.args[0] if marker else item.path.stem.replace("test_", "")
    worst = {"skipped": 0, "passed": 1, "failed": 2}
    key = (feature, version)
    if key not in RAN or worst[report.outcome] > worst[RAN[key]]:
        RAN[key] = report.outcome


def pytest_terminal_summary(terminalreporter):
    features = list(dict.fromkeys(feature for feature, _ in RAN))
    if not features:
        return
    width = max(len(feature) for feature in features)
    cells = {"passed": "yes", "failed": "FAIL", "skipped": "-"}
    terminalreporter.section("what ran, by version (- : no such Python here)")
    terminalreporter.write_line(" " * width + "".join(f"{version:>6}" for version in interpreters.VERSIONS))
    for feature in features:
        row = "".join(f"{cells[RAN.get((feature, version), 'skipped')]:>6}" for version in interpreters.VERSIONS)
        terminalreporter.write_line(f"{feature:{width}}{row}")
