"""The samplers side by side: how each is told to look at a process, and how many samples its output says it stored."""
import json
import os
import re

from machine import PEERS_DIR, Failure, run


class Sampler:
    """command(python, pid, rate, seconds, threads): what looks at the process."""
    largest_rate = 1000000  # above this it is not asked
    settle = 0.4  # seconds until it surely samples


class Sample:
    """What one run of a sampler gave. cpu: from its start to its finished report, seconds. ticks: looks at the process;
    stored: stacks of threads in the file; errors: what it says of them; size: bytes of the file."""

    def __init__(self, result, ticks, stored, errors, size, kept=None):
        self.cpu, self.wall, self.text = result.cpu, result.wall, result.text
        self.ticks, self.stored, self.errors, self.size, self.kept = ticks, stored, errors, size, kept


def share_of_errors(errors, samples):
    return "%.2f %% errors" % (100 * int(errors) / max(1, int(samples)))


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


class Ours(Sampler):
    name = "pyrometer"

    def __init__(self, binary):
        self.binary = binary

    def command(self, python, pid, rate, seconds, threads):
        return [self.binary, "record", "-p", str(pid), "-d", str(seconds), "-r", str(rate), "-o",
                python.path("ours.pyro")]

    def record(self, log, python, pid, rate, seconds, threads):
        path = python.path("ours.pyro")
        result = run(log, self.command(python, pid, rate, seconds, threads))
        if result.status:
            raise Failure("pyrometer failed: " + result.text)
        head = self.head(log, path)
        due, missed = head["ticks_due"], head["ticks_missed"]
        stored = head["samples"]["all"]
        kept = 1 - missed / due if due else None
        said = "%.2f %% repaired, %.3f %% partial" % tuple(
            100 * head["samples"][quality] / max(1, stored) for quality in ("repaired", "partial"))
        return Sample(result, due - missed if due else stored / max(1, threads), stored, said, size_of(path), kept)

    def head(self, log, path):
        out = path + ".json"
        run(log, [self.binary, "report", path, "-o", out])
        with open(out, encoding="utf-8") as file:
            return json.load(file)["recording"]

    def stacks(self, log, python, pid, rate, seconds):
        """[(functions from the outermost, exact?, count)], for the share of stacks that never existed"""
        self.record(log, python, pid, rate, seconds, 1)
        # The raw listing is long; it is read, not kept.
        with os.popen("'%s' report --raw '%s'" % (self.binary, python.path("ours.pyro"))) as lines:
            return list(read_raw(lines))

    def distinct(self, log, python):
        out = python.path("ours.collapsed")
        run(log, [self.binary, "report", python.path("ours.pyro"), "-o", out])
        with open(out, encoding="utf-8") as file:
            return sum(1 for _ in file)


def read_raw(lines):
    codes, parents = {}, {0: None}
    for line in lines:
        kind, _, rest = line.strip().partition(" ")
        words = dict(word.split("=", 1) for word in rest.split() if "=" in word)
        if kind == "code":
            codes[words["id"]] = words["name"].strip('"')
        elif kind == "stack":
            parents[words["id"]] = (words["parent"], words["code"])
        elif rest.startswith("sample "):
            names, stack = [], words["stack"]
            while stack in parents and parents[stack]:
                stack, code = parents[stack]
                names.append(codes.get(code, "?"))
            yield names[::-1], words["quality"] == "exact", 1


class PySpy(Sampler):
    largest_rate = 1000  # it cannot keep up more: only the figure of the most samples asks for it

    def __init__(self, blocking):
        self.blocking = blocking
        self.name = "py-spy" if blocking else "py-spy --nonblocking"

    def command(self, python, pid, rate, seconds, threads):
        path = python.path("py-spy.raw")
        command = [os.path.join(PEERS_DIR, "bin", "py-spy"), "record", "-p", str(pid), "-r", str(rate),
                   "-d", str(seconds), "-f", "raw", "-o", path]
        if not self.blocking:
            command.append("--nonblocking")
        if threads > 1:
            command.append("--idle")  # else threads that wait are left out
        return command

    def record(self, log, python, pid, rate, seconds, threads):
        path = python.path("py-spy.raw")
        command = self.command(python, pid, rate, seconds, threads)
        result = run(log, command, interrupt_after=seconds + 0.1)  # its -d counts samples, not seconds
        said = re.search(r"Samples: (\d+) Errors: (\d+)", result.text)
        if not said:
            raise Failure("py-spy gave no samples: " + result.text)
        stored = sum(count for _, _, count in self.read(path))
        return Sample(result, stored / max(1, threads), stored, share_of_errors(said[2], said[1]), size_of(path))

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                stack, _, count = line.rstrip().rpartition(" ")
                yield [frame.split(" ")[0] for frame in stack.split(";")], False, int(count)

    def stacks(self, log, python, pid, rate, seconds):
        self.record(log, python, pid, rate, seconds, 1)
        return list(self.read(python.path("py-spy.raw")))


class Austin(Sampler):
    name = "austin"

    def command(self, python, pid, rate, seconds, threads):
        return [os.path.join(PEERS_DIR, "bin", "austin"), "-i", "%dus" % max(1, 1000000 // rate),
                "-x", str(max(1, round(seconds))), "-o", python.path("austin.mojo"), "-p", str(pid)]

    def record(self, log, python, pid, rate, seconds, threads):
        path = python.path("austin.mojo")
        # It leaves with 254 when its time is over.
        result = run(log, self.command(python, pid, rate, seconds, threads))
        said = re.search(r"Error rate.*?(\d+)/(\d+)", result.text)
        if not said:
            raise Failure("austin gave no samples: " + result.text)
        stored = int(said[2])
        return Sample(result, stored / max(1, threads), stored, share_of_errors(said[1], said[2]), size_of(path))

    def stacks(self, log, python, pid, rate, seconds):
        self.record(log, python, pid, rate, seconds, 1)
        run(log, [os.path.join(PEERS_DIR, "bin", "mojo2austin"), python.path("austin.mojo"), python.path("austin.txt")])
        with open(python.path("austin.txt"), encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith("#") and ";" in line]
        stacks = [line.rpartition(" ")[0].split(";")[2:] for line in lines]  # process and thread come first
        return [([frame.split(":")[-2] for frame in stack], False, 1) for stack in stacks]


class Tachyon(Sampler):
    """CPython 3.15's profiling.sampling, which samples targets of its own version only."""

    settle = 1.2  # it starts a Python

    def __init__(self, blocking=False):
        self.blocking = blocking
        self.name = "profiling.sampling" + (" --blocking" if blocking else "")

    def command(self, python, pid, rate, seconds, threads, form="--binary"):
        command = python.prefix + ["-m", "profiling.sampling", "attach", "-r", str(rate), "-d", str(seconds), form,
                                   "-o", python.path_inside("tachyon" + form)]
        if threads > 1:
            command.append("-a")
        if self.blocking:
            command.append("--blocking")
        return command + [str(pid)]

    def record(self, log, python, pid, rate, seconds, threads, form="--binary"):
        name = "tachyon" + form
        result = run(log, self.command(python, pid, rate, seconds, threads, form))
        captured = re.search(r"Captured ([\d,]+) sample", result.text)
        if not captured:
            raise Failure("profiling.sampling gave no samples: " + result.text)
        ticks = int(captured[1].replace(",", ""))
        written = re.search(r"Binary profile written to .* \((\d+) sample", result.text)
        rate_said = re.search(r"Error rate: ([\d.,]+)", result.text)
        stored = int(written[1]) if written else ticks * threads
        return Sample(result, ticks, stored, (rate_said[1] if rate_said else "?") + " % errors",
                      size_of(python.path(name)))

    def stacks(self, log, python, pid, rate, seconds):
        self.record(log, python, pid, rate, seconds, 1, "--collapsed")
        with open(python.path("tachyon--collapsed"), encoding="utf-8") as file:
            for line in file:
                stack, _, count = line.rstrip().rpartition(" ")
                yield [frame.split(":")[-2] for frame in stack.split(";") if frame.count(":") >= 2], False, int(count)


class Wake(Sampler):
    """No sampler: what sleeping and waking at that rate costs."""
    name = "bare wake"

    def __init__(self, binary):
        self.binary = binary

    def record(self, log, python, pid, rate, seconds, threads):
        result = run(log, [self.binary, str(rate), str(seconds)])
        taken = int(result.text.split()[-1])
        return Sample(result, taken, taken * max(1, threads), "", 0)


