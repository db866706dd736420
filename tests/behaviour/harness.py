"""What the behaviour tests share: finding interpreters, starting subject programs, running pyrometer, reading its answers.

A subject is a program of tests/behaviour/subjects/. It prints on stdout what pyrometer should say of it (its truth), and
a line that begins with READY when it is where the test wants it. Subjects are copied to a folder that their interpreter
can see: those of the sid tree (tools/make-sid.sh) run inside it by chroot, pyrometer always runs outside.
"""
import ast
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SUBJECTS = HERE / "subjects"
MEASURED = pytest.StashKey()  # lines that the run prints at its end
PATIENCE = 30  # seconds after which something that should have happened never will

PYENV_VERSIONS = ["2.7"] + ["3.%d" % minor for minor in range(6, 14)]
SID_VERSIONS = ["3.13", "3.14", "3.15", "3.13t"]
NAMES = PYENV_VERSIONS + ["system"] + ["sid-" + version for version in SID_VERSIONS]
CALLS_PYTHONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "sid-3.13", "sid-3.14", "sid-3.15"]  # in which `calls` counts


class Interpreter:
    """One Python: `argv` starts it; `tree` is the root folder that it sees, or None for this machine's own."""

    def __init__(self, name, argv, tree=None):
        self.name = name
        self.tree = tree
        self.argv = (["chroot", str(tree)] if tree else []) + argv
        answer = subprocess.run(self.argv + ["-c", "import sys; print(sys.version.split()[0])"],
                                stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.strip()
        self.version_text = answer
        self.version = tuple(int(part) for part in re.match(r"(\d+)\.(\d+)\.(\d+)", answer).groups())
        self.free_threaded = name.endswith("t")

    def __repr__(self):
        return "Interpreter(%s)" % self.name

    def make_folder(self):
        """A new folder with the subjects in it; its path as this machine sees it. The caller removes it."""
        folder = Path(tempfile.mkdtemp(prefix="pyrometer-", dir=str(self.tree / "tmp") if self.tree else None))
        folder.chmod(0o755)
        shutil.copytree(str(SUBJECTS), str(folder / "subjects"), ignore=shutil.ignore_patterns("__pycache__"))
        return folder / "subjects"

    def inside(self, path):
        """The path as the interpreter sees it."""
        return "/" + os.path.relpath(str(path), str(self.tree)) if self.tree else str(path)

    def command(self, script, *arguments):
        return self.argv + [self.inside(script)] + [str(argument) for argument in arguments]


def _find_pyenv():
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = {}
    for version in PYENV_VERSIONS:
        folders = sorted((root / "versions").glob(version + ".*"), key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)])
        executables = [folder / "bin" / "python" for folder in folders if (folder / "bin" / "python").exists()]
        if executables:
            found[version] = Interpreter(version, [str(executables[-1])])
    return found


def sid_tree():
    return Path(os.environ.get("PYROMETER_SID") or ROOT / ".sid")


def _find_sid():
    tree, found = sid_tree(), {}
    if os.geteuid() != 0 or not (tree / "proc" / "self").exists():
        return found
    for version in SID_VERSIONS:
        executable = "/opt/python3.13t/bin/python3.13t" if version == "3.13t" else "/usr/bin/python" + version
        if (tree / executable.lstrip("/")).exists():
            found["sid-" + version] = Interpreter("sid-" + version, [executable], tree.resolve())
    return found


def find_interpreters():
    """By name, those that this machine has."""
    found = _find_pyenv()
    if os.path.exists("/usr/bin/python3"):
        found["system"] = Interpreter("system", ["/usr/bin/python3"])
    found.update(_find_sid())
    return found


def required_names():
    """What PYROMETER_REQUIRE_PYTHONS names; `3.14` and `3.13t` stand for those of the sid tree where pyenv has none."""
    words = re.split(r"[,\s]+", os.environ.get("PYROMETER_REQUIRE_PYTHONS", ""))
    return {word if word in NAMES else "sid-" + word for word in words if word}


# The one without a GIL has to be built (tools/make-sid.sh --free-threaded): where nobody asks for it, it is not missed a hundred times.
if "sid-3.13t" in {*_find_sid(), *required_names()}:
    CALLS_PYTHONS.append("sid-3.13t")


def clean_environment(**more):
    """The environment of subjects: text is UTF-8 everywhere, no settings of this machine's Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept.update(LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1", **more)
    return kept


def wait_until(condition, what="it", patience=PATIENCE):
    """The first true value of condition(); asserts that it comes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError("%s did not happen within %s s" % (what, patience))


class Subject:
    """A running program: written to by tell(), read by line; ended with the `with` block."""

    def __init__(self, command, **more):
        more.setdefault("env", clean_environment())
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        self.pid = self.process.pid
        self.lines = []
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            try:
                os.kill(self.pid, signal.SIGCONT)
            finally:
                self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def tell(self, text):
        os.write(self.process.stdin.fileno(), text.encode())

    def read_line(self, patience=PATIENCE):
        """The next line of its stdout; None at the end."""
        end = time.monotonic() + patience
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], "the subject said nothing more"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                return None
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        self.lines.append(line.decode())
        return self.lines[-1]

    def await_ready(self, word="READY", patience=PATIENCE):
        """What follows the word on the line that begins with it."""
        while True:
            line = self.read_line(patience)
            assert line is not None, "the subject ended with status %s before it was ready: %s" % (self.process.wait(), self.lines)
            if line.startswith(word):
                return line[len(word):].strip()

    def rest(self):
        """Waits for its end; what it still printed."""
        first = self._rest.decode()
        self._rest = b""
        text = first + self.process.stdout.read().decode()
        self.process.wait()
        return text


class Answer:
    """What a finished run of pyrometer left."""

    def __init__(self, finished):
        self.status = finished.returncode
        self.out = finished.stdout.decode("utf-8", "replace")
        self.err = (finished.stderr or b"").decode("utf-8", "replace")  # None: it went to stdout

    def json(self):
        return json.loads(self.out)

    def sentence(self):
        """The one thing that it said on failing: a single line on stderr, none on stdout."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, "not one line: %r" % self.err
        return lines[0]


def run(pyrometer, *words, **more):
    more.setdefault("env", clean_environment())
    more.setdefault("stdin", subprocess.DEVNULL)
    more.setdefault("timeout", 120)
    more.setdefault("stdout", subprocess.PIPE)
    more.setdefault("stderr", subprocess.PIPE)
    return Answer(subprocess.run([str(pyrometer)] + [str(word) for word in words], **more))


def start_pyrometer(pyrometer, *words, **more):
    more.setdefault("env", clean_environment())
    more.setdefault("stdin", subprocess.DEVNULL)
    more.setdefault("stdout", subprocess.PIPE)
    more.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen([str(pyrometer)] + [str(word) for word in words], **more)


def truth_of(text):
    """The dictionary that a scenario's program prints as its truth line."""
    found = re.findall(r"^truth (.*)$", text, re.MULTILINE)
    assert found, "no truth line in %r" % text
    return ast.literal_eval(found[-1])


def tag_line(path, tag):
    """The number of the line that ends with #@tag."""
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if re.search(r"#@%s\b" % re.escape(tag), line):
            return number
    raise AssertionError("no #@%s in %s" % (tag, path))


class Report:
    """A JSON report, asked by names."""

    def __init__(self, data):
        self.data = data

    @property
    def all_samples(self):
        return self.data["recording"]["samples"]

    def functions(self, name):
        return [row for row in self.data["functions"] if row["name"].split(".")[-1] == name]

    def total(self, name):
        """The share of samples with a function of that name on the stack. Exact if there is one such function."""
        return sum(row["total"]["share"] for row in self.functions(name))

    def self_share(self, name):
        return sum(row["self"]["share"] for row in self.functions(name))

    def thread(self, name):
        found = [thread for thread in self.data["threads"] if thread["name"] == name]
        assert len(found) == 1, "threads: %s" % [thread["name"] for thread in self.data["threads"]]
        return found[0]

    DEEP = 5000  # frames; a path longer than that is cut at the root, where recursion is

    def path_of(self, node):
        """((function name, line), ...) root first."""
        tree, path = self.data["tree"], []
        while node >= 0 and len(path) < self.DEEP:
            function = tree["function"][node]
            if function >= 0:
                path.append((self.data["functions"][function]["name"], tree["line"][node]))
            node = tree["parent"][node]
        return tuple(reversed(path))

    def stacks(self):
        """(path, row) for every distinct stack; row has thread, quality, state, samples, wall_ns, cpu_ns."""
        paths, columns = {}, self.data["stacks"]
        for values in zip(*columns.values()):
            row = dict(zip(columns.keys(), values))
            if row["node"] not in paths:
                paths[row["node"]] = self.path_of(row["node"])
            yield paths[row["node"]], row


def record_json(pyrometer, *words, **more):
    """A recording reported as JSON, by way of a file: stdout belongs to the target."""
    with tempfile.TemporaryDirectory(prefix="pyrometer-") as folder:
        path = Path(folder) / "out.json"
        answer = run(pyrometer, "record", "-q", "-o", path, *words, **more)
        assert path.exists(), "status %d: %s" % (answer.status, answer.err)
        return Report(json.loads(path.read_text(encoding="utf-8"))), answer


class Scene:
    """A folder for the programs that a test has an agent loaded into, and for what comes of it; a tree of its own sees /dev/shm as we do."""

    def __init__(self, interpreter, pyrometer):
        self.interpreter, self.pyrometer = interpreter, pyrometer
        self.folder = tempfile.TemporaryDirectory(prefix="pyrometer-", dir="/dev/shm")
        self.path = Path(self.folder.name)
        self.environment = clean_environment(XDG_CACHE_HOME=str(self.path))

    def write(self, name, source):
        (self.path / name).write_text(source)
        return self.path / name

    def fetch(self, package):
        """By pip, for this Python; the folder that it is in. Skips the test where that cannot be."""
        version = "%d.%d" % self.interpreter.version[:2]
        done = subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--root-user-action=ignore", "--no-deps",
                               "--only-binary", ":all:", "--implementation", "cp", "--python-version", version, "--target", str(self.path / "lib"), package],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            pytest.skip("pip cannot fetch %s for Python %s here" % (package, version))
        return self.path / "lib"

    def plain(self, *program):
        """The program without us."""
        answer = run(*self.interpreter.argv, *program, env=self.environment)
        assert answer.status == 0, answer.err
        return answer

    def report(self, *words, name="a.pyro"):
        answer = run(self.pyrometer, "report", self.path / name, *words, env=self.environment)
        assert answer.status == 0, answer.err
        return answer.out
