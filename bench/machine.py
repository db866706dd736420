"""What the benchmarks need of the machine: the interpreters, running commands with what they cost, targets, the log of
raw outputs, and medians. Standard library only."""
import collections
import contextlib
import glob
import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(HERE)
PYENV_ROOT = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
PEERS_DIR = os.environ.get("PEERS_DIR") or os.path.join(CHECKOUT, ".peers")
SID = os.environ.get("PYROMETER_SID") or os.path.join(CHECKOUT, ".sid")

Run = collections.namedtuple("Run", "status wall cpu text")  # s, s of CPU with reaped children, both outputs


class Failure(Exception):
    """A run that did not give what it should: the sentence for the user."""


class Log:
    """The raw outputs of a run, in one file. Paths of this machine are replaced by the names of what they stand for."""

    def __init__(self, path, names):
        self.file = open(path, "w", encoding="utf-8")
        values = [("$PYROMETER_BUILD", names), ("$PEERS_DIR", PEERS_DIR), ("$PYROMETER_SID", SID),
                  ("$PYENV_ROOT", PYENV_ROOT), ("$CHECKOUT", CHECKOUT), ("$HOME", os.path.expanduser("~"))]
        self.values = sorted(((os.path.abspath(value), name) for name, value in values if value != "/"),
                             key=lambda pair: -len(pair[0]))

    def clean(self, text):
        for value, name in self.values:
            text = text.replace(value, name)
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
        return text.replace(os.uname().nodename, "$HOST") if len(os.uname().nodename) > 3 else text

    def write(self, text):
        self.file.write(self.clean(text))
        self.file.flush()

    def say(self, text=""):
        """For the user and the log."""
        print(self.clean(text), flush=True)
        self.write(text + "\n")


class Python:
    """An interpreter. `prefix` is how to start it; `folder` is a scratch folder, by its name here and (`inside`) by its
    name where the interpreter runs: for those of the sid tree that is another root."""

    def __init__(self, version):
        self.version = version
        self.chrooted = False
        found = glob.glob(os.path.join(PYENV_ROOT, "versions", version + ".*", "bin", "python" + version))
        if found and version != "2.7":
            self.prefix, self.root = [sorted(found)[-1]], ""
        elif found:
            self.prefix, self.root = [found[0]], ""
        elif self.find_in_sid():
            self.prefix, self.root, self.chrooted = ["chroot", SID, self.find_in_sid()], SID, True
        else:
            raise Failure("no Python %s: neither pyenv nor the sid tree has one (tools/make-sid.sh)" % version)
        self.folder = tempfile.mkdtemp(prefix="pyrometer-bench-", dir=self.root + "/tmp")
        self.inside = self.folder[len(self.root):]
        shutil.copytree(os.path.join(HERE, "targets"), os.path.join(self.folder, "targets"))

    def find_in_sid(self):
        """Its path there; the free-threaded one is not Debian's."""
        for path in ("/usr/bin/python" + self.version, "/opt/python%s/bin/python%s" % (self.version, self.version)):
            if os.path.exists(SID + path):
                return path
        return None

    def path(self, name):
        return os.path.join(self.folder, name)

    def path_inside(self, name):
        return os.path.join(self.inside, name)

    def target_command(self, script, *arguments):
        return self.prefix + ["-B", self.path_inside("targets/" + script)] + [str(word) for word in arguments]

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def target(python, script, *arguments):
    """A target that runs until the block ends; its pid."""
    process = subprocess.Popen(python.target_command(script, *arguments), stdout=subprocess.PIPE, cwd="/")
    try:
        if process.stdout.readline() != b"ready\n":
            raise Failure("%s did not start under Python %s" % (script, python.version))
        time.sleep(0.3)
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(log, command, timeout=300, interrupt_after=None, watch=None):
    """Runs a command to its end. interrupt_after: seconds until SIGINT, for a peer whose duration counts samples.
    watch(pid) is called every 50 ms."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        watched = start
        ends = select.poll()
        pidfd = os.pidfd_open(process.pid)
        ends.register(pidfd, select.POLLIN)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            now = time.perf_counter()
            if pid:
                break
            if interrupt_after and now - start > interrupt_after:
                process.send_signal(signal.SIGINT)
                interrupt_after = None
            if watch and now - watched > 0.05:
                watch(process.pid)
                watched = now
            if now - start > timeout:
                process.kill()
            ends.poll(10)
        wall = now - start
        os.close(pidfd)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    result = Run(process.returncode, wall, usage.ru_utime + usage.ru_stime, text)
    log.write("$ %s\n%s\n[status %d, wall %.3f s, CPU %.6f s]\n\n"
              % (" ".join(command), text.rstrip(), result.status, wall, result.cpu))
    return result


def busy_ticks():
    words = [int(word) for word in open("/proc/stat").readline().split()[1:9]]
    return sum(words) - words[3] - words[4]


def spread(values, form="%.3g"):
    """Median [lowest..highest]"""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    return (form + " [" + form + ".." + form + "]") % (statistics.median(values), min(values), max(values))
