"""Fixtures of the behaviour tests.

`pyrometer`     the built binary: $PYROMETER, else build/pyrometer of the checkout
`interpreters`  every Python that was found, by name (harness.NAMES)
`interpreter`   one of them; a test that asks for it runs once for each name. One that is missing is a skip, or an error
                when PYROMETER_REQUIRE_PYTHONS names it. PYROMETER_ALL_PYTHONS=1 runs the long tests on all of them, too.
`any_python`    one that is no tree of its own, for what does not depend on the version
`subjects`      a folder with the subject programs that `interpreter` can see
`nobody`        the arguments for harness.run() to be the user nobody, and a copy of the binary that nobody can reach

Each outcome is appended to the file $PYROMETER_TEST_RESULTS as it comes: what, in how many seconds, which test, why.

At the end a table of version x feature is printed with the tests that ran. A test's feature is its parameter of that name
or its mark `feature`.
"""
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

import harness

RAN = pytest.StashKey()


def pytest_configure(config):
    config.addinivalue_line("markers", "feature(name): the column of the table version x feature that this test fills")
    # A shell's background job ignores it, and so would all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[RAN] = {}
    config.stash[harness.MEASURED] = []


def why(report):
    if report.skipped:
        return report.wasxfail if hasattr(report, "wasxfail") else report.longrepr[2]
    return str(getattr(getattr(report.longrepr, "reprcrash", None), "message", report.longrepr or ""))


def pytest_runtest_logreport(report):
    path = os.environ.get("PYROMETER_TEST_RESULTS")
    if path and (report.when == "call" or not report.passed):
        with open(path, "a") as results:
            results.write("\t".join([report.outcome, "%.1f" % report.duration, report.nodeid, " ".join(why(report).split())[:500]]) + "\n")


def folders_of_runs():
    return {path.parent for path in Path("/dev/shm").glob("pyrometer-*/*.segment")}


def mapped_files():
    """All that some process of this machine has mapped."""
    maps = ""
    for path in Path("/proc").glob("[0-9]*/maps"):
        try:
            maps += path.read_text(errors="replace")
        except OSError:
            pass  # it has ended
    return maps


@pytest.fixture(scope="session", autouse=True)
def no_folders_stay():
    """A pyrometer that a test killed left its folder with what was counted, as it should; its user would read it. Those that
    are in use are somebody else's."""
    before = folders_of_runs()
    yield
    mapped = mapped_files()
    for folder in folders_of_runs() - before:
        if "%s/" % folder not in mapped:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pyrometer():
    path = Path(os.environ.get("PYROMETER") or harness.ROOT / "build" / "pyrometer").resolve()
    assert path.exists(), "there is no %s: build it, or say where it is by PYROMETER" % path
    return path


@pytest.fixture(scope="session")
def interpreters():
    return harness.find_interpreters()


@pytest.fixture(scope="session", params=harness.NAMES)
def interpreter(request, interpreters):
    found = interpreters.get(request.param)
    if not found and request.param in harness.required_names():
        pytest.fail("Python %s is required by PYROMETER_REQUIRE_PYTHONS, but not on this machine" % request.param)
    if not found:
        pytest.skip("no Python %s on this machine" % request.param)
    return found


@pytest.fixture(scope="session")
def any_python(interpreters):
    """The newest of them."""
    own = [interpreters[name] for name in harness.PYENV_VERSIONS + ["system"] if name in interpreters]
    assert own, "there is no CPython on this machine"
    return max(own, key=lambda interpreter: interpreter.version)


@pytest.fixture(scope="session")
def subjects(interpreter):
    folder = interpreter.make_folder()
    yield folder
    shutil.rmtree(str(folder.parent))


@pytest.fixture
def own_subjects(tmp_path):
    """The subject programs in a folder of this test's own, for the Python of this machine."""
    shutil.copytree(str(harness.SUBJECTS), str(tmp_path / "subjects"), ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "subjects"


class Nobody:
    """`become` makes a subprocess the user nobody; `pyrometer` is a copy of the binary where that user can reach it."""

    def __init__(self, folder, pyrometer):
        self.become = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
        self.pyrometer = folder / "pyrometer"
        shutil.copyfile(str(pyrometer), str(self.pyrometer))
        self.pyrometer.chmod(0o755)

    def run(self, *words):
        return harness.run(self.pyrometer, *words, **self.become)


@pytest.fixture(scope="session")
def nobody(pyrometer):
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory(prefix="pyrometer-") as folder:
        os.chmod(folder, 0o755)
        yield Nobody(Path(folder), pyrometer)


# ---- the table version x feature ----

def cell_of(item):
    """(version, feature) that a test stands for, or None."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    mark = item.get_closest_marker("feature")
    feature = parameters.get("feature") or (mark.args[0] if mark else None)
    return (parameters["interpreter"], feature) if feature and "interpreter" in parameters else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    cell = cell_of(item)
    if not cell or (report.when != "call" and report.passed):
        return
    outcome = "ran" if report.passed else "-" if report.skipped and not hasattr(report, "wasxfail") else "FAIL"
    item.config.stash[RAN].setdefault(cell, set()).add(outcome)


def pytest_terminal_summary(terminalreporter, config):
    if config.stash[harness.MEASURED]:
        terminalreporter.section("measured")
        for line in config.stash[harness.MEASURED]:
            terminalreporter.write_line(line)
    ran = config.stash[RAN]
    if not ran:
        return
    versions = [name for name in harness.NAMES if any(cell[0] == name for cell in ran)]
    features = list(dict.fromkeys(cell[1] for cell in ran))
    width = max(len(feature) for feature in features)
    terminalreporter.section("version x feature: tests that ran")
    terminalreporter.write_line(" " * width + "".join(" %8s" % name for name in versions))
    for feature in features:
        words = []
        for name in versions:
            outcomes = ran.get((name, feature), set())
            words.append("FAIL" if "FAIL" in outcomes else "ran" if "ran" in outcomes else "-" if outcomes else "")
        terminalreporter.write_line(feature.ljust(width) + "".join(" %8s" % word for word in words))
