"""The CPythons of this machine, by version: pyenv's, those on PATH, and those of the tree that tools/make-sid.sh makes."""
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VERSIONS = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.15"]


class Interpreter:
    """A CPython. `command` runs it; `root` is the folder that it sees as /, because it may live in a tree of its own."""

    def __init__(self, version, executable, root="/"):
        self.version = version
        self.executable = str(executable)
        self.root = pathlib.Path(root)
        self.command = [self.executable] if root == "/" else ["chroot", str(root), self.executable]

    def place(self, source, folder):
        """Copies a file to where the interpreter can see it; gives its path as the interpreter names it."""
        if str(self.root) == "/":
            target = pathlib.Path(folder, source.name)
            shutil.copyfile(source, target)
            return target
        target = self.root / "tmp" / ("pyrometer-" + pathlib.Path(folder).name) / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return pathlib.Path("/", target.relative_to(self.root))

    def run(self, code):
        result = subprocess.run([*self.command, "-c", code], stdout=subprocess.PIPE, check=True, universal_newlines=True)
        return result.stdout.strip()

    def __repr__(self):
        return f"CPython {self.version} ({' '.join(self.command)})"


def is_cpython(command):
    code = "import platform, sys; sys.stdout.write(platform.python_implementation() + ' %d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run([*command, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.fullmatch(rb"CPython (\d+\.\d+)", result.stdout)
    return match[1].decode() if match and result.returncode == 0 else None


def pyenv_interpreters():
    folder = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"), "versions")
    found = {}
    for executable in sorted(folder.glob("*/bin/python")):
        match = re.fullmatch(r"(\d+\.\d+)\.(\d+)(t?)", executable.parent.parent.name)
        if match:
            key = match[1] + match[3]
            found[key] = max(found.get(key, (-1, None)), (int(match[2]), executable))
    return {version: Interpreter(version, executable) for version, (_, executable) in found.items()}


def path_interpreters():
    """pythonX.Y on PATH, but not pyenv's shims, which are scripts that may refuse."""
    found = {}
    for version in VERSIONS:
        executable = shutil.which("python" + version)
        if executable and "shims" not in executable and is_cpython([executable]) == version.rstrip("t"):
            found[version] = Interpreter(version, executable)
    return found


def sid_interpreters():
    sid = pathlib.Path(os.environ.get("PYROMETER_SID", ROOT / ".sid"))
    places = {"3.13t": "opt/python3.13t/bin/python3.13t", "3.14": "usr/bin/python3.14", "3.15": "usr/bin/python3.15"}
    usable = os.geteuid() == 0 and (sid / ".pyrometer-complete").exists()
    return {version: Interpreter(version, "/" + place, sid) for version, place in places.items() if usable and (sid / place).exists()}


def find_all():
    """Version to Interpreter. What lies nearest wins: pyenv, then PATH, then the sid tree."""
    return {**sid_interpreters(), **path_interpreters(), **pyenv_interpreters()}


def required():
    """What PYROMETER_REQUIRE_PYTHONS names: "3.8,3.11"."""
    return {version.strip() for version in os.environ.get("PYROMETER_REQUIRE_PYTHONS", "").split(",") if version.strip()}
