"""Pythons as they are really met: stripped, renamed, deleted, replaced, embedded, in a virtual environment, in other
namespaces. In each of these worlds `dump`, `record`, `ps` and `doctor` say what they say of a plain one.

A world is a function that makes it from an interpreter and yields the command that starts a Python there, and what to
do once it runs (most do nothing). The subject only uses modules that every build has inside."""
import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import harness
from harness import Subject, record_json, run, wait_until

SUBJECT = """import sys
try:
    import _thread
except ImportError:
    import thread as _thread
def waits():
    sys.stdin.readline()
def second(lock):
    started.release()
    lock.acquire()
def works():
    n = 0
    while True:
        n += sum(range(1000))
started, lock = _thread.allocate_lock(), _thread.allocate_lock()
started.acquire()
lock.acquire()
_thread.start_new_thread(second, (lock,))
started.acquire()
sys.stdout.write("READY\\n")
sys.stdout.flush()
waits()
works()
"""
INTERPRETERS = ["2.7", "3.6", "3.8", "3.11", "3.13", "system", "sid-3.15"]
EMBEDS = """#include <Python.h>
#if PY_MAJOR_VERSION < 3
int main(int argc, char **argv) { return Py_Main(argc, argv); }
#elif PY_VERSION_HEX < 0x03080000
int main(int argc, char **argv)
{
    wchar_t *words[argc + 1];
    for (int i = 0; i < argc; i++)
        words[i] = Py_DecodeLocale(argv[i], NULL);
    return Py_Main(argc, words);
}
#else
int main(int argc, char **argv) { return Py_BytesMain(argc, argv); }
#endif
"""


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip("no %s on this machine" % tool)


def build(*command):
    made = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        pytest.skip("%s cannot do this here: %s" % (command[0], (made.stdout.decode().splitlines() or [""])[-1]))


class World:
    """What starts a Python, and what is done to it when it is ready."""

    def __init__(self, argv, environment=None, then=lambda: None):
        self.argv = [str(word) for word in argv]
        self.environment = environment or {}
        self.then = then


def config(interpreter, *names):
    """sysconfig's values, as the interpreter has them."""
    code = "import sysconfig, sys; print([str(sysconfig.get_config_var(name)) for name in sys.argv[1:]] + [sys.prefix])"
    answer = subprocess.run(interpreter.argv + ["-c", code] + list(names), stdout=subprocess.PIPE, check=True, universal_newlines=True)
    return ast.literal_eval(answer.stdout)


class Copy:
    """An interpreter's executable, and its libpython if it has one, in a folder where they may be changed."""

    def __init__(self, interpreter, folder):
        real = Path(os.path.realpath(str(interpreter.tree or "/") + interpreter.argv[-1]))
        library, where, prefix = config(interpreter, "INSTSONAME", "LIBDIR")
        source = Path(str(interpreter.tree or "/") + where) / library
        self.executable = folder / "python"
        shutil.copy(str(real), str(self.executable))
        self.files = [self.executable]
        if self._needs(interpreter, library):
            self.files.append(folder / library)
            shutil.copy(str(source), str(self.files[-1]))
        self.environment = {"PYTHONHOME": prefix, "LD_LIBRARY_PATH": interpreter.inside(folder)}

    def _needs(self, interpreter, library):
        return library.encode() in self.executable.read_bytes()

    def start(self, interpreter, executable=None, **more):
        enter = ["chroot", interpreter.tree] if interpreter.tree else []
        return World(enter + [interpreter.inside(executable or self.executable)], self.environment, **more)


def stripped(interpreter, folder):
    need("strip")
    copy = Copy(interpreter, folder)
    build("strip", *copy.files)
    return copy.start(interpreter)


def renamed(interpreter, folder):
    copy = Copy(interpreter, folder)
    copy.executable.rename(folder / "worker")
    return copy.start(interpreter, folder / "worker")


def deleted(interpreter, folder):
    copy = Copy(interpreter, folder)
    return copy.start(interpreter, then=lambda: [path.unlink() for path in copy.files])


def replaced(interpreter, folder):
    """As by an upgrade of the package: under each name stands another file, whose symbols are at other addresses."""
    copy = Copy(interpreter, folder)

    def replace():
        for path in copy.files:
            path.unlink()
            build("gcc", "-shared", "-o", path, "-x", "c", folder / "other.c")

    need("gcc")
    (folder / "other.c").write_text("static char space[100000]; char *space_use(void) { return space; }\n"
                                    "static void *interp_head = space, *collecting, *interpreter_lock, *gil_cond, *_PyRuntime;\n"
                                    "void *others[] = { &interp_head, &collecting, &interpreter_lock, &gil_cond, &_PyRuntime };\n")
    return copy.start(interpreter, then=replace)


def embedding(interpreter, folder, *options):
    """A C program of another name with the interpreter inside it."""
    need("gcc")
    include, library_folder, name, libs, more, prefix = config(interpreter, "INCLUDEPY", "LIBPL", "LIBRARY", "LIBS", "SYSLIBS")
    archive = Path(library_folder) / re.sub(r"\.so$", ".a", name)
    if interpreter.tree or not archive.exists() or not (Path(include) / "Python.h").exists():
        pytest.skip("no static library or no headers of this Python here")
    source, program = folder / "engine.c", folder / "engine"
    source.write_text(EMBEDS)
    libraries = libs.split() + more.split() + ["-ldl", "-lm", "-lutil", "-lpthread"]
    build("gcc", "-o", program, source, "-I", include, archive, *(list(options) + libraries))
    return World([program, "-S"], {"PYTHONHOME": prefix})


def embedded(interpreter, folder):
    return embedding(interpreter, folder, "-rdynamic")


def embedded_without_dynamic_symbols(interpreter, folder):
    return embedding(interpreter, folder)


def embedded_without_any_names(interpreter, folder):
    return embedding(interpreter, folder, "-s")


def virtual_environment(interpreter, folder, *options):
    if interpreter.version < (3,):
        pytest.skip("Python 2.7 has no venv")
    inside = Path(interpreter.inside(folder)) / "venv"
    build(*(interpreter.argv + ["-m", "venv", "--without-pip"] + list(options) + [inside]))
    return World(interpreter.argv[:-1] + [inside / "bin" / "python"])


def venv(interpreter, folder):
    return virtual_environment(interpreter, folder)


def venv_of_copies(interpreter, folder):
    return virtual_environment(interpreter, folder, "--copies")


def unshared(interpreter, folder, *options):
    """In another mount namespace, where the Python is at a path that does not exist for us."""
    need("unshare", "mount")
    if interpreter.tree:
        pytest.skip("a tree of its own is another world already")
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount"] + list(options) + ["true"]).returncode != 0:
        pytest.skip("no namespace can be made here")
    copy = Copy(interpreter, folder)
    script = "mount --bind '%s' /mnt && exec env LD_LIBRARY_PATH=/mnt /mnt/python \"$@\"" % folder
    return World(["unshare", "--mount", *options, "sh", "-c", script, "sh"], {"PYTHONHOME": copy.environment["PYTHONHOME"]})


def mount_namespace(interpreter, folder):
    return unshared(interpreter, folder)


def pid_namespace(interpreter, folder):
    return unshared(interpreter, folder, "--pid", "--fork", "--mount-proc", "--kill-child")


def container(interpreter, folder):
    """As a container: another root by pivot_root, other processes, and nothing of ours to be seen."""
    world = unshared(interpreter, folder, "--pid", "--fork", "--mount-proc", "--kill-child")
    (folder / "root").mkdir()
    script = ("cd '%s' && mount --bind / root && mount --bind '%s' root/mnt && mount -t proc none root/proc && cd root && "
              "pivot_root . media && umount -l media && exec env LD_LIBRARY_PATH=/mnt /mnt/python \"$@\"" % (folder, folder))
    return World(world.argv[:-2] + [script, "sh"], world.environment)


WORLDS = [stripped, renamed, deleted, replaced, embedded, embedded_without_dynamic_symbols, embedded_without_any_names, venv,
          venv_of_copies, mount_namespace, pid_namespace, container]


def find_python(pid):
    """The process itself, or what it started: unshare, as far as it stays."""
    children = Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()
    return find_python(int(children[0])) if children else pid


def folder_of(interpreter):
    made = interpreter.make_folder()  # the subjects are not needed, but the rest is: seen by the interpreter, removed by us
    folder = made.parent / "world"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("interpreter", INTERPRETERS, indirect=True)
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
@pytest.mark.feature("worlds")
def test_world(pyrometer, interpreter, world):
    folder = folder_of(interpreter)
    try:
        made = world(interpreter, folder)
        with Subject(made.argv + ["-c", SUBJECT], env=harness.clean_environment(**made.environment)) as subject:
            subject.await_ready()
            pid = find_python(subject.pid)
            made.then()
            check(pyrometer, interpreter, subject, pid)
    finally:
        shutil.rmtree(str(folder.parent))


def ask_threads(pyrometer, pid):
    return run(pyrometer, "dump", "--json", pid).json()["threads"]


def ask_idle_threads(pyrometer, pid):
    """All of them, once all are idle."""
    threads = ask_threads(pyrometer, pid)
    return threads if all(thread["state"] == "idle" for thread in threads) else None


def is_working(pyrometer, pid):
    return any(frame["name"] == "works" for thread in ask_threads(pyrometer, pid) for frame in thread["frames"])


def check(pyrometer, interpreter, subject, pid):
    version = interpreter.version_text.rstrip("+")
    listed = {process["pid"]: process for process in run(pyrometer, "ps", "--json").json()["processes"]}
    assert (listed[pid]["python"], listed[pid]["readable"]) == (version, True)
    doctor = run(pyrometer, "doctor", "-p", pid)
    assert doctor.status == 0 and "Python %s" % version in doctor.out
    tids = {int(name) for name in os.listdir("/proc/%d/task" % pid)}
    threads = wait_until(lambda: ask_idle_threads(pyrometer, pid), "the waiting")
    assert {thread["tid"] for thread in threads} == tids and len(tids) == 2
    stacks = {thread["tid"] == pid: [frame["name"] for frame in thread["frames"]] for thread in threads}
    assert stacks == {True: ["waits", "<module>"], False: ["second"]}
    subject.tell("\n")
    wait_until(lambda: is_working(pyrometer, pid), "the work")
    report, answer = record_json(pyrometer, "-d", "300ms", "-p", pid)
    shares = {row["name"]: row["total"]["share"] for row in report.data["functions"]}
    assert answer.status == 0 and shares.get("works", 0) > 0.9 and "waits" not in shares, shares
    row, = report.data["processes"]
    assert (row["pid"], row["python"]) == (pid, version)
    assert {thread["tid"] for thread in report.data["threads"]} <= tids


# ---- worlds that are not ours ----

def expect_one_sentence(pyrometer, pid, says):
    """Of all four commands."""
    for words in (["dump", pid], ["record", "-q", "-p", pid]):
        answer = run(pyrometer, *words)
        assert answer.status == 125 and says in answer.sentence() and str(pid) in answer.sentence()
    doctor = run(pyrometer, "doctor", "-p", pid)
    assert doctor.status == 125 and says in " ".join(doctor.out.split())
    listed = {process["pid"]: process for process in run(pyrometer, "ps", "--json").json()["processes"]}
    assert listed[pid]["readable"] is False and says in listed[pid]["cause"]


def test_pypy(pyrometer, tmp_path):
    need("pypy3")
    with Subject(["pypy3", "-S", "-c", SUBJECT]) as subject:
        subject.await_ready()
        expect_one_sentence(pyrometer, subject.pid, "it runs PyPy")
    answer = run(pyrometer, "record", "--python", shutil.which("pypy3"), "-c", "import time; time.sleep(1)", cwd=str(tmp_path))
    assert answer.status == 125 and "PyPy" in answer.sentence() and not list(tmp_path.iterdir())


def test_32_bit(pyrometer, tmp_path):
    """A program of 32 bits that is named as a Python, which waits or ends at once: no C library is needed for that."""
    need("gcc")
    for name, call in (("python-waits", 29), ("python-ends", 1)):  # pause(), exit()
        (tmp_path / (name + ".c")).write_text('__asm__(".globl _start\\n_start: xor %%ebx, %%ebx\\n mov $%d, %%eax\\n'
                                              ' int $0x80\\n jmp _start\\n");\n' % call)
        build("gcc", "-m32", "-nostdlib", "-static", "-o", tmp_path / name, tmp_path / (name + ".c"))
    with Subject([str(tmp_path / "python-waits")]) as subject:
        wait_until(lambda: "python-waits" in Path("/proc/%d/maps" % subject.pid).read_text(), "the start")
        expect_one_sentence(pyrometer, subject.pid, "a 32-bit program")
    answer = run(pyrometer, "record", tmp_path / "python-ends", cwd=str(tmp_path))
    assert answer.status == 125 and answer.sentence()
