"""The table of figures that `record` and `dump` must reach, side by side with the other samplers, in one run.

Every figure is measured in rounds; in each round all samplers look at the same target one after the other, in an order
that changes from round to round. A ratio is taken within a round; printed are the median and the range over the rounds.
How to repeat it, and how each figure is defined: README.md in this folder.

usage: sampling.py [--binary FILE] [--quick] [--figures a,b] [--rounds N] [--seconds S] [--name NAME]"""
import argparse
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from machine import CHECKOUT, HERE, PEERS_DIR, Failure, Log, Python, busy_ticks, run, spread, target
from samplers import Austin, Ours, PySpy, Tachyon, Wake

OLD = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"]


class Bench:
    def __init__(self, options, folder):
        self.quick = options.quick
        self.rounds = options.rounds or (2 if options.quick else 5)
        self.seconds = options.seconds or (1 if options.quick else 5)
        self.binary = os.path.abspath(options.binary)
        self.scratch = tempfile.TemporaryDirectory(prefix="pyrometer-wake-")
        self.log = Log(os.path.join(folder, "raw.txt"), os.path.dirname(self.binary))
        self.ours, self.wake = Ours(self.binary), Wake(build_wake(self.scratch.name))
        self.pyspy, self.austin, self.tachyon = PySpy(blocking=False), Austin(), Tachyon()
        self.pyspy_blocking = PySpy(blocking=True)
        self.random = random.Random(20)
        self.missed = []

    def shuffled(self, items):
        items = list(items)
        self.random.shuffle(items)
        return items

    def verdict(self, what, ratios, limit):
        """ratios: ours / theirs, one a round; none where a sampler stored no more at the higher rate"""
        if not ratios:
            ratios = [float("inf")]
        ratio = statistics.median(ratios)
        ok = 0 < ratio <= limit  # below the noise is no figure
        if not ok:
            self.missed.append(what)
        self.log.say("    %-34s %s  wanted <= %s: %s" % (
            what, fractions(ratios), fraction(limit), "reached" if ok else "NOT MEASURED" if ratio <= 0 else "MISSED"))

    def verdict_value(self, what, value, limit, at_least=False):
        ok = value >= limit if at_least else value <= limit
        if not ok:
            self.missed.append(what)
        self.log.say("    %-34s %.4g  wanted %s %g: %s" % (what, value, ">=" if at_least else "<=", limit,
                                                          "reached" if ok else "MISSED"))


def build_wake(folder):
    out = os.path.join(folder, "wake")
    subprocess.run(shlex.split(os.environ.get("CC", "cc")) + [
        "-O2", "-std=gnu17", "-D_GNU_SOURCE", "-I", os.path.join(CHECKOUT, "src"), "-o", out,
        os.path.join(HERE, "wake.c")], check=True)
    return out


def fraction(ratio):
    if ratio <= 0:
        return "below the noise"
    if ratio == float("inf"):
        return "no figure"
    return "1/%.3g" % (1 / ratio) if ratio < 1 else "%.3g" % ratio


def fractions(ratios):
    return "%s [%s..%s]" % tuple(fraction(ratio) for ratio in (statistics.median(ratios), min(ratios), max(ratios)))


# ---- CPU a stored sample ----

def slope(low, high):
    """Microseconds of CPU a stored sample between two rates: the start and the end of the sampler drop out"""
    return (high.cpu - low.cpu) / (high.stored - low.stored) * 1e6 if high.stored > low.stored else None


def cpu_round(bench, python, pid, samplers, rates, threads):
    """{sampler's name: {rate: Sample}}"""
    return {sampler.name: {rate: sampler.record(bench.log, python, pid, rate, bench.seconds, threads)
                           for rate in rates if rate <= sampler.largest_rate}
            for sampler in bench.shuffled(samplers)}


def print_slopes(bench, name, rounds, rate):
    high = [samples[name][rate] for samples in rounds]
    slopes = [slope(samples[name][100], samples[name][rate]) for samples in rounds]
    kept = [100 * sample.kept for sample in high if sample.kept is not None]
    bench.log.say("    %-22s %s us of CPU a sample; whole CPU %s %%, %s stored/s; %s" % (
        name, spread(slopes), spread([100 * sample.cpu / sample.wall for sample in high]),
        spread([sample.stored / bench.seconds for sample in high], "%.0f"), high[-1].errors or "no errors told"))
    if kept:
        bench.verdict_value("ticks kept, %", statistics.median(kept), 99, at_least=True)
    return slopes


def cpu_figure(bench, version, script, arguments, threads, peers, limits):
    """limits: {(peer's name, rate): largest ratio}"""
    rates = [100] + sorted({rate for _, rate in limits})
    python = Python(version)
    try:
        with target(python, script, *arguments) as pid:
            rounds = [cpu_round(bench, python, pid, [bench.ours, bench.wake, *peers], rates, threads)
                      for _ in range(bench.rounds)]
    finally:
        python.close()
    for rate in rates[1:]:
        bench.log.say("  Python %s, %s, %s Hz" % (version, " ".join(map(str, [script, *arguments])), rate))
        ours = print_slopes(bench, bench.ours.name, rounds, rate)
        wake = print_slopes(bench, bench.wake.name, rounds, rate)
        # A bare wake is counted once a look, not once a thread: `wake` is for as many stacks a look as ours stores.
        net = [None if None in pair else pair[0] - pair[1] for pair in zip(ours, wake)]
        bench.log.say("    %-22s %s us" % ("ours without the wake", spread(net)))
        for peer in peers:
            if (peer.name, rate) not in limits:
                continue
            theirs = print_slopes(bench, peer.name, rounds, rate)
            bench.verdict("%s %s Hz / %s" % (version, rate, peer.name),
                          [mine / their for mine, their in zip(net, theirs) if mine is not None and their],
                          limits[peer.name, rate])
    return rounds


def figure_cpu(bench):
    """CPU a stored sample at 1 kHz and 10 kHz, one thread, depth 20 and 60, on 3.15 and 3.13"""
    for depth in (20, 60):
        rounds = cpu_figure(bench, "3.15", "spin.py", ["depth", depth], 1, [bench.tachyon],
                            {("profiling.sampling", 1000): 1 / 8, ("profiling.sampling", 10000): 1 / 15})
        bytes_a_sample(bench, rounds, 1000)
        cpu_figure(bench, "3.13", "spin.py", ["depth", depth], 1, [bench.austin, bench.pyspy, bench.pyspy_blocking],
                   {("austin", 1000): 1 / 5, ("austin", 10000): 1 / 4, (bench.pyspy.name, 1000): 1 / 60,
                    (bench.pyspy_blocking.name, 1000): 1 / 60})


def bytes_a_sample(bench, rounds, rate):
    sizes = {name: [samples[name][rate].size / samples[name][rate].stored for samples in rounds]
             for name in (bench.ours.name, bench.tachyon.name)}
    for name, values in sizes.items():
        bench.log.say("    %-22s %s bytes a sample" % (name, spread(values)))
    bench.verdict("bytes / profiling.sampling", [mine / their for mine, their in zip(*sizes.values())], 1)


def figure_old(bench):
    """CPU a stored sample at 1 kHz on 3.11 and 3.12, and on 2.7 to 3.10, against py-spy"""
    for version in ["3.12", "3.11", *reversed(OLD)]:
        cpu_figure(bench, version, "spin.py", ["depth", 20], 1, [bench.pyspy],
                   {(bench.pyspy.name, 1000): 1 / 15 if version in OLD else 1 / 30})


def figure_threads(bench):
    """CPU a stored stack at 1 kHz, 50 threads of which 2 run"""
    rounds = cpu_figure(bench, "3.15", "spin.py", ["threads", 50], 50, [bench.tachyon],
                        {("profiling.sampling", 1000): 1 / 10})
    bytes_a_sample(bench, rounds, 1000)
    cpu_figure(bench, "3.13", "spin.py", ["threads", 50], 50, [bench.austin], {("austin", 1000): 1 / 10})


# ---- the most samples ----

def most(bench, version, depth, peers):
    """peers: [(sampler, rate to ask for)]. -> ours, {peer: samples a second}"""
    python = Python(version)
    ours, theirs = [], {peer.name: [] for peer, _ in peers}
    try:
        with target(python, "many_stacks.py", depth) as pid:
            for _ in range(bench.rounds):
                sample = bench.ours.record(bench.log, python, pid, "max", bench.seconds, 1)
                ours.append(sample.stored / bench.seconds)
                distinct = bench.ours.distinct(bench.log, python)
                said = sample.errors
                for peer, rate in peers:
                    other = peer.record(bench.log, python, pid, rate, bench.seconds, 1)
                    theirs[peer.name].append(other.stored / bench.seconds)
                    bench.log.write("[%s: %s]\n" % (peer.name, other.errors))
    finally:
        python.close()
    bench.log.say("  Python %s, depth %d, as fast as it goes for %g s" % (version, depth, bench.seconds))
    bench.log.say("    %-22s %s stored/s, %d different stacks; the last: %s" % (bench.ours.name, spread(ours, "%.0f"),
                                                                             distinct, said))
    for name, values in theirs.items():
        bench.log.say("    %-22s %s stored/s" % (name, spread(values, "%.0f")))
    bench.verdict_value("%s depth %d, samples/s" % (version, depth), statistics.median(ours), 200000, at_least=True)
    bench.verdict_value("%s depth %d, different stacks" % (version, depth), distinct, 1000, at_least=True)
    best = [max(values) for values in zip(*theirs.values())]
    bench.verdict("%s depth %d, best peer / ours" % (version, depth), [their / mine for mine, their in zip(ours, best)],
                  1 / 2.5)


def figure_most(bench):
    """The most samples a second kept up, depth 20 and 60, thousands of different stacks"""
    for depth in (20, 60):
        most(bench, "3.15", depth, [(bench.tachyon, 1000000)])
        most(bench, "3.13", depth, [(bench.austin, 1000000), (bench.pyspy, 10000)])


# ---- truth ----

def existed(names):
    """Whether a stack of chains.py can be: one chain, from its first call on, nothing left out but at <partial>"""
    expected, chains = 0, set()
    for name in names:
        if name == "<partial>":
            expected = None
        elif name[:1] in ("a", "b") and name[1:].isdigit():
            call = int(name[1:])
            if expected is not None and call != expected:
                return False
            chains.add(name[0])
            expected = call + 1
    return len(chains) <= 1


def figure_torn(bench):
    """Stacks that never existed: two alternating chains of calls, 1 kHz, without blocking"""
    for version, peers in (("3.15", [bench.tachyon]), ("3.13", [bench.pyspy, bench.austin])):
        python = Python(version)
        wrong, total, shares = [0, 0], [0, 0], {sampler.name: [] for sampler in [bench.ours, *peers]}
        try:
            with target(python, "chains.py") as pid:
                for _ in range(bench.rounds):
                    for sampler in bench.shuffled([bench.ours, *peers]):
                        bad = seen = 0
                        for names, exact, count in sampler.stacks(bench.log, python, pid, 1000, bench.seconds):
                            ok = existed(names)
                            bad, seen = bad + count * (not ok), seen + count
                            if sampler is bench.ours:
                                wrong[exact], total[exact] = wrong[exact] + count * (not ok), total[exact] + count
                        shares[sampler.name].append(100 * bad / max(1, seen))
        finally:
            python.close()
        bench.log.say("  Python %s, chains.py, 1 kHz" % version)
        for name, values in shares.items():
            bench.log.say("    %-22s %s %% of the stored stacks never existed" % (name, spread(values)))
        bench.log.say("    ours: %d wrong of %d exact, %d of %d repaired or partial" % (
            wrong[1], total[1], wrong[0], total[0]))
        bench.verdict_value("%s wrong among exact" % version, wrong[1], 0)


# ---- dump, start-up, memory ----

def figure_dump(bench):
    """dump of 200 threads of 15 frames with their source lines: wall time of the whole command"""
    python = Python("3.13")
    commands = {"pyrometer dump": [bench.binary, "dump"], "austin -w": [os.path.join(PEERS_DIR, "bin", "austin"), "-w"],
                "py-spy dump": [os.path.join(PEERS_DIR, "bin", "py-spy"), "dump", "-p"]}
    walls = {name: [] for name in commands}
    try:
        with target(python, "sleepers.py", 200, 15) as pid:
            for _ in range(max(7, bench.rounds)):
                for name in bench.shuffled(commands):
                    result = run(bench.log, commands[name] + [str(pid)])
                    if result.status:
                        raise Failure("%s failed: %s" % (name, result.text[-300:]))
                    walls[name].append(result.wall)
    finally:
        python.close()
    bench.log.say("  Python 3.13, 200 threads of 15 frames")
    for name, values in walls.items():
        bench.log.say("    %-22s %s ms" % (name, spread([1000 * value for value in values])))
    for name, limit in (("austin -w", 1), ("py-spy dump", 1 / 8)):
        ratios = [mine / their for mine, their in zip(walls["pyrometer dump"], walls[name])]
        bench.verdict("dump / " + name, ratios, limit)


def first_line(command):
    """Seconds from the start of a command to its first line"""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    line = process.stdout.readline()
    seconds = time.perf_counter() - start
    process.communicate()
    if line != b"first line\n" or process.returncode:
        raise Failure("no first line from " + " ".join(command))
    return seconds


def figure_start(bench):
    """From `pyrometer record` to the target's first line, more than without"""
    for version in ("3.13", "3.11", "2.7"):
        python = Python(version)
        bare = python.target_command("first_line.py")
        recorded = [bench.binary, "record", "-q", "-o", python.path("start.pyro"), "--"] + bare
        try:
            more = []
            for _ in range(5 * bench.rounds):
                without = first_line(bare)
                more.append(1000 * (first_line(recorded) - without))
        finally:
            python.close()
        bench.log.say("  Python %s: the first line %s ms later than without" % (version, spread(more)))
        bench.verdict_value("%s start-up, ms" % version, statistics.median(more), 20)


def resident(pid):
    """(now, the largest so far) in KiB; not from wait4: there the forking driver's own memory is the least"""
    with open("/proc/%d/status" % pid) as file:
        values = dict(line.split(":", 1) for line in file)
    return [int(values.get(name, "0").split()[0]) for name in ("VmRSS", "VmHWM")]


def figure_memory(bench):
    """Resident memory of ours while a target makes code objects of one source: as many samples as in an hour at 1 kHz
    (in --quick a hundredth of them), at 10 kHz"""
    samples = 36000 if bench.quick else 3600000
    python, seen = Python("3.13"), []
    try:
        with target(python, "exec_source.py") as pid:
            command = [bench.binary, "record", "-p", str(pid), "-r", "10000", "-d", str(samples / 10000), "-q", "-o",
                       python.path("memory.pyro")]
            run(bench.log, command, timeout=samples / 1000, watch=lambda pid: seen.append(resident(pid)))
        head = bench.ours.head(bench.log, python.path("memory.pyro"))
    finally:
        python.close()
    largest = max(most for _, most in seen)
    seen = [now for now, _ in seen if now]
    quarters = [seen[min(len(seen) - 1, len(seen) * part // 4)] for part in (1, 2, 3, 4)]
    bench.log.say("  %d samples; resident KiB after each quarter: %s; largest %d KiB" % (
        head["samples"]["all"], ", ".join(map(str, quarters)), largest))
    bench.verdict_value("largest resident, MiB", largest / 1024, 32)
    bench.verdict_value("growth in the second half, MiB", (quarters[3] - quarters[1]) / 1024, 1)


FIGURES = {"cpu": figure_cpu, "old": figure_old, "threads": figure_threads, "most": figure_most, "torn": figure_torn,
           "dump": figure_dump, "start": figure_start, "memory": figure_memory}


def machine_line():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return "%s, %d CPUs, Linux %s" % (model, os.cpu_count(), os.uname().release)


def versions(bench):
    for command in ([bench.binary, "--version"], [os.path.join(PEERS_DIR, "bin", "py-spy"), "--version"],
                    [os.path.join(PEERS_DIR, "bin", "austin"), "--version"]):
        bench.log.say("  " + run(bench.log, command).text.strip())
    for version in ("3.13", "3.15"):
        python = Python(version)
        bench.log.say("  " + run(bench.log, python.prefix + ["--version"]).text.strip())
        python.close()


def measure(bench, name):
    bench.log.say("\n%s: %s" % (name, " ".join(FIGURES[name].__doc__.split())))
    start, busy, own = time.perf_counter(), busy_ticks(), os.times()
    try:
        FIGURES[name](bench)
    except (Failure, OSError, subprocess.SubprocessError) as problem:
        bench.missed.append(name)
        bench.log.say("  FAILED: %s" % problem)
    seconds, now = time.perf_counter() - start, os.times()
    mine = (now.children_user + now.children_system + now.user + now.system) - (
        own.children_user + own.children_system + own.user + own.system)
    foreign = (busy_ticks() - busy) / os.sysconf("SC_CLK_TCK") - mine
    bench.log.say("  [%.0f s; other programs used %.0f %% of a CPU meanwhile]" % (
        seconds, 100 * max(0, foreign) / seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=os.path.join(CHECKOUT, "build", "pyrometer"))
    parser.add_argument("--quick", action="store_true", help="two rounds of one second: does it run at all?")
    parser.add_argument("--figures", default=",".join(FIGURES))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--name", default=time.strftime("sampling-%Y-%m-%d"), help="folder under results/")
    options = parser.parse_args()
    unknown = set(options.figures.split(",")) - set(FIGURES)
    if unknown or not os.access(options.binary, os.X_OK):
        parser.error("no figure named " + ", ".join(unknown) if unknown else "no binary at " + options.binary)
    folder = os.path.join(HERE, "results", options.name)
    os.makedirs(folder, exist_ok=True)
    bench = Bench(options, folder)
    bench.log.say("%s\n%s; %d rounds of %d s, load at start %.2f" % (
        time.strftime("%Y-%m-%d %H:%M"), machine_line(), bench.rounds, bench.seconds, os.getloadavg()[0]))
    versions(bench)
    for name in options.figures.split(","):
        measure(bench, name)
    bench.log.say("\n%s" % ("Not reached: " + "; ".join(bench.missed) if bench.missed else "All reached."))
    return 1 if bench.missed else 0


sys.exit(main())
