"""What a sampler costs the program that it looks at: the same work, with the sampler attached and without, in pairs
whose order turns (ABBA), so that what drifts on the machine is in both halves alike. The program measures itself. Of
each pair the ratio of its two times is taken; printed are the median and its 95 % interval by the bootstrap."""
import contextlib
import random
import signal
import statistics
import subprocess
import time

from machine import Failure, Python

RESAMPLES = 4000
WIDEST = 0.02  # an interval that is wider does not say whether a limit of 1 % is kept


class Worker:
    """A process of fixed_work.py, told to work through its stdin."""

    def __init__(self, python, rounds):
        self.process = subprocess.Popen(python.target_command("fixed_work.py", rounds), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, cwd="/")
        if self.process.stdout.readline() != b"ready\n":
            raise Failure("fixed_work.py did not start under Python " + python.version)

    def work(self):
        """(wall, CPU) in ns"""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if len(words) != 2:
            raise Failure("fixed_work.py ended while it was looked at")
        return int(words[0]), int(words[1])

    def close(self):
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def attached(sampler, python, pid, rate):
    """The sampler at work, and ended by an interrupt."""
    command = sampler.command(python, pid, rate, 60, 1)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(sampler.settle)
        yield
        if process.poll() is not None:
            raise Failure("%s ended before the work did: %s" % (sampler.name, " ".join(command)))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def measure_pair(worker, sampler, python, rate, sampled_first):
    """(wall, CPU): with the sampler / without"""
    times = {}
    for sampled in (sampled_first, not sampled_first):
        with attached(sampler, python, worker.process.pid, rate) if sampled else contextlib.nullcontext():
            if not sampled:
                time.sleep(sampler.settle)  # what was before is over in both cases
            times[sampled] = worker.work()
    return [with_it / without for with_it, without in zip(times[True], times[False])]


def interval(ratios):
    """95 % interval of the median, by the bootstrap; the same for the same numbers"""
    dice = random.Random(20)
    medians = sorted(statistics.median(dice.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return medians[RESAMPLES // 40], medians[-RESAMPLES // 40]


def percent(ratio):
    return "%+.2f %%" % (100 * (ratio - 1))


def measure(bench, python, worker, sampler, rate, pairs, limit=None):
    """limit: the largest ratio that is allowed; None: it is only shown"""
    ratios = [measure_pair(worker, sampler, python, rate, i % 2 == 1) for i in range(pairs)]
    for what, values in zip(("wall", "CPU"), zip(*ratios)):
        bench.log.write("[%s %s Hz, %s: %s]\n" % (
            sampler.name, rate, what, " ".join("%.4f" % value for value in values)))
        middle, (low, high) = statistics.median(values), interval(values)
        bench.judge("slowdown, %s %s %d Hz, %s" % (python.version, sampler.name, rate, what),
                    None if limit is None else "<= " + percent(limit), percent(middle),
                    "%s..%s of %d pairs" % (percent(low), percent(high), pairs),
                    limit is None or (middle <= limit and high - low <= WIDEST),
                    "NOT MEASURED" if high - low > WIDEST else None)


def figure_slowdown(bench):
    """What the target loses: CPU and wall time of a fixed amount of work with the sampler / without, on 3.13
    (profiling.sampling: 3.15)"""
    pairs, few = (2, 2) if bench.quick else (30, 8)
    plans = {
        "3.13": [(bench.ours, 1000, pairs, 1.01), (bench.ours, 10000, pairs, None), (bench.pyspy, 1000, few, None),
                 (bench.pyspy_blocking, 1000, few, None), (bench.austin, 1000, few, None)],
        "3.15": [(bench.ours, 1000, few, None), (bench.tachyon, 1000, few, None)],
    }
    for version, plan in plans.items():
        python = Python(version)
        worker = None
        try:
            worker = Worker(python, 20 if bench.quick else 0)
            bench.log.say("  Python %s" % version)
            for sampler, rate, count, limit in plan:
                measure(bench, python, worker, sampler, rate, count, limit)
        finally:
            if worker:
                worker.close()
            python.close()
