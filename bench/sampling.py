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
from slowdown import figure_slowdown

OLD = ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"]


class Bench:
    def __init__(self, options, folder):
        self.quick = options.quick
        self.rounds = options.rounds or (2 if options.quick else 5)
        self.few_rounds = min(self.rounds, 3)  # where the rounds differ by little
        self.seconds = options.seconds or (1 if options.quick else 3)
        self.long_seconds = options.seconds or (1 if options.quick else 5)  # where it is asked, or events are rare
        self.binary = os.path.abspath(options.binary)
        self.scratch = tempfile.TemporaryDirectory(prefix="pyrometer-wake-")
        self.log = Log(os.path.join(folder, "raw.txt"), os.path.dirname(self.binary))
        self.ours, self.wake = Ours(self.binary), Wake(build_wake(self.scratch.name))
        self.pyspy, self.austin, self.tachyon = PySpy(blocking=False), Austin(), Tachyon()
        self.pyspy_blocking = PySpy(blocking=True)
        self.random = random.Random(20)
        self.missed, self.rows = [], []

    def shuffled(self, items):
        items = list(items)
        self.random.shuffle(items)
        return items

    def judge(self, what, asked, reached, spread_said, ok, word=None):
        """A line now, and a row of the table at the end. asked: None where nothing is."""
        word = word or ("reached" if ok else "MISSED")
        if asked and not ok:
            self.missed.append(what)
        self.rows.append((what, asked or "-", reached, spread_said, word if asked else "-"))
        self.log.say("    %-38s %s %s%s" % (what, reached, "[%s]" % spread_said if spread_said else "",
                                            "  wanted %s: %s" % (asked, word) if asked else ""))

    def verdict(self, what, ratios, limit):
        """ratios: ours / theirs, one a round; none where a sampler stored no more at the higher rate"""
        if not ratios:
            ratios = [float("inf")]
        ratio = statistics.median(ratios)
        ok = 0 < ratio <= limit  # below the noise is no figure
        self.judge(what, "<= " + fraction(limit), fraction(ratio), "%s..%s" % (fraction(min(ratios)), fraction(max(ratios))),
                   ok, "NOT MEASURED" if ratio <= 0 else None)

    def verdict_values(self, what, values, limit, at_least=False, form="%.4g", note=""):
        """The median against the limit; note: what stands beside it"""
        value = statistics.median(values)
        self.judge(what, "%s %g" % (">=" if at_least else "<=", limit), form % value,
                   ((form + ".." + form) % (min(values), max(values)) if len(values) > 1 else "") + note,
                   value >= limit if at_least else value <= limit)

    def print_table(self):
        """Every figure: what was asked, what was reached, and its range over the rounds"""
        rows = [("figure", "asked", "reached", "range", "")] + self.rows
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        self.log.say()
        for row in rows:
            self.log.say("  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip())


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


# ---- CPU a stored sample ----

def slope(low, high):
    """Microseconds of CPU a stored sample between two rates: the start and the end of the sampler drop out"""
    return (high.cpu - low.cpu) / (high.stored - low.stored) * 1e6 if high.stored > low.stored else None


def cpu_round(bench, python, pid, samplers, rates, threads):
    """{sampler's name: {rate: Sample}}"""
    return {sampler.name: {rate: sampler.record(bench.log, python, pid, rate, bench.seconds, threads)
                           for rate in rates if rate <= sampler.largest_rate}
            for sampler in bench.shuffled(samplers)}


def print_slopes(bench, what, name, rounds, rate):
    high = [samples[name][rate] for samples in rounds]
    slopes = [slope(samples[name][100], samples[name][rate]) for samples in rounds]
    kept = [100 * sample.kept for sample in high if sample.kept is not None]
    bench.log.say("    %-22s %s us of CPU a sample; whole CPU %s %%, %s stored/s; %s" % (
        name, spread(slopes), spread([100 * sample.cpu / sample.wall for sample in high]),
        spread([sample.stored / bench.seconds for sample in high], "%.0f"), high[-1].errors or "no errors told"))
    if kept:
        bench.verdict_values("%s: ticks kept, %%" % what, kept, 99, at_least=True)
    return slopes


def cpu_figure(bench, version, script, arguments, threads, peers, limits, rounds=None, others=None):
    """limits: {(peer's name, rate): largest ratio}. others: slopes that this returned for another version: peers that
    do not read this one are compared by those, round by round. -> {(sampler's name, rate): its slopes}, and the rounds"""
    rates = [100] + sorted({rate for _, rate in limits})
    python, slopes = Python(version), {}
    try:
        with target(python, script, *arguments) as pid:
            rounds = [cpu_round(bench, python, pid, [bench.ours, bench.wake, *peers], rates, threads)
                      for _ in range(rounds or bench.rounds)]
    finally:
        python.close()
    title = "%s %s %s" % (version, arguments[0], arguments[1])
    for rate in rates[1:]:
        what = "%s, %d Hz" % (title, rate)
        bench.log.say("  Python " + what)
        ours = print_slopes(bench, what, bench.ours.name, rounds, rate)
        wake = print_slopes(bench, what, bench.wake.name, rounds, rate)
        # A bare wake is counted once a look, not once a thread: `wake` is for as many stacks a look as ours stores.
        net = [None if None in pair else pair[0] - pair[1] for pair in zip(ours, wake)]
        bench.log.say("    %-22s %s us" % ("ours without the wake", spread(net)))
        for peer in peers:
            if (peer.name, rate) in limits:
                slopes[peer.name, rate] = print_slopes(bench, what, peer.name, rounds, rate)
        for (name, of), limit in limits.items():
            if of == rate:
                theirs = (slopes if (name, rate) in slopes else others)[name, rate]
                bench.verdict("CPU %s / %s" % (what, name),
                              [mine / their for mine, their in zip(net, theirs) if mine is not None and their], limit)
    return slopes, rounds


def figure_cpu(bench):
    """CPU a stored sample at 1 kHz and 10 kHz, one thread, depth 20 and 60, on 3.15, 3.14 (against profiling.sampling on
    3.15, which reads no other version) and 3.13"""
    tachyon = {("profiling.sampling", 1000): 1 / 8, ("profiling.sampling", 10000): 1 / 15}
    for depth in (20, 60):
        slopes, rounds = cpu_figure(bench, "3.15", "spin.py", ["depth", depth], 1, [bench.tachyon], tachyon)
        bytes_a_sample(bench, "3.15 depth %d" % depth, rounds, 1000)
        cpu_figure(bench, "3.14", "spin.py", ["depth", depth], 1, [], tachyon, others=slopes)
        cpu_figure(bench, "3.13", "spin.py", ["depth", depth], 1, [bench.austin, bench.pyspy, bench.pyspy_blocking],
                   {("austin", 1000): 1 / 5, ("austin", 10000): 1 / 4, (bench.pyspy.name, 1000): 1 / 60,
                    (bench.pyspy_blocking.name, 1000): 1 / 60})


def bytes_a_sample(bench, what, rounds, rate):
    """Between two rates: what a file holds once, its head and the definitions, drops out"""
    sizes = {}
    for name in (bench.ours.name, bench.tachyon.name):
        pairs = [(samples[name][100], samples[name][rate]) for samples in rounds]
        sizes[name] = [(high.size - low.size) / (high.stored - low.stored) for low, high in pairs
                       if high.stored > low.stored]
        bench.log.say("    %-22s %s bytes a sample" % (name, spread(sizes[name])))
    bench.verdict("bytes a sample, %s / profiling.sampling" % what,
                  [mine / their for mine, their in zip(*sizes.values()) if their > 0], 1)


def figure_old(bench):
    """CPU a stored sample at 1 kHz on 3.11 and 3.12, and on 2.7 to 3.10, against py-spy"""
    for version in ["3.12", "3.11", *reversed(OLD)]:
        cpu_figure(bench, version, "spin.py", ["depth", 20], 1, [bench.pyspy],
                   {(bench.pyspy.name, 1000): 1 / 15 if version in OLD else 1 / 30}, rounds=bench.few_rounds)


def figure_threads(bench):
    """CPU a stored stack at 1 kHz, 50 threads of which 2 run"""
    _, rounds = cpu_figure(bench, "3.15", "spin.py", ["threads", 50], 50, [bench.tachyon],
                           {("profiling.sampling", 1000): 1 / 10})
    bytes_a_sample(bench, "3.15 threads 50", rounds, 1000)
    cpu_figure(bench, "3.13", "spin.py", ["threads", 50], 50, [bench.austin], {("austin", 1000): 1 / 10})


# ---- the most samples ----

def most(bench, version, depth, peers, others=()):
    """peers: [(sampler, rate to ask for)]. others: the best peers' samples a second on other versions, a list a version:
    for a version that no peer is asked for, the best of them counts. -> the best peer's, one a round"""
    python, seconds = Python(version), bench.long_seconds
    stored, said = {}, {}
    try:
        with target(python, "many_stacks.py", depth) as pid:
            for _ in range(bench.few_rounds):
                for sampler, rate in [(bench.ours, "max"), *peers]:
                    sample = sampler.record(bench.log, python, pid, rate, seconds, 1)
                    stored.setdefault(sampler.name, []).append(sample.stored / seconds)
                    said[sampler.name] = sample.errors
                    if sampler is bench.ours:
                        distinct = bench.ours.distinct(bench.log, python)
    finally:
        python.close()
    bench.log.say("  Python %s, depth %d, as fast as it goes for %g s" % (version, depth, seconds))
    for name, values in stored.items():
        bench.log.say("    %-22s %s stored/s; the last: %s" % (name, spread(values, "%.0f"), said[name]))
    ours = stored.pop(bench.ours.name)
    what = "most, %s depth %d" % (version, depth)
    bench.verdict_values(what + ", samples/s", ours, 200000, at_least=True, form="%.0f", note="; " + said[bench.ours.name])
    bench.verdict_values(what + ", different stacks", [distinct], 1000, at_least=True, form="%d")
    best = [max(values) for values in zip(*(stored.values() or others))]
    bench.verdict(what + ", best peer / ours", [their / mine for mine, their in zip(ours, best)], 1 / 2.5)
    return best


def figure_most(bench):
    """The most samples a second kept up, depth 20 and 60, thousands of different stacks, with the error rate; on 3.14
    against the best peer of 3.15 and 3.13"""
    for depth in (20, 60):
        best = [most(bench, "3.15", depth, [(bench.tachyon, 1000000)]),
                most(bench, "3.13", depth, [(bench.austin, 1000000), (bench.pyspy, 10000)])]
        most(bench, "3.14", depth, [], best)


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
                        for names, exact, count in sampler.stacks(bench.log, python, pid, 1000, bench.long_seconds):
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
        bench.verdict_values("torn, %s, of %d exact" % (version, total[1]), [wrong[1]], 0)


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
        bench.verdict_values("start-up, %s, ms" % version, more, 20)


def resident(pid):
    """(now, the largest so far) in KiB; not from wait4: there the forking driver's own memory is the least"""
    with open("/proc/%d/status" % pid) as file:
        values = dict(line.split(":", 1) for line in file)
    return [int(values.get(name, "0").split()[0]) for name in ("VmRSS", "VmHWM")]


def figure_memory(bench):
    """Resident memory of ours while a target makes code objects of one source: as many samples as in an hour at 1 kHz
    (in --quick a hundredth of them), at 20 kHz"""
    rate = 20000
    samples = 36000 if bench.quick else 3600000
    python, seen = Python("3.13"), []
    try:
        with target(python, "exec_source.py") as pid:
            command = [bench.binary, "record", "-p", str(pid), "-r", str(rate), "-d", str(samples / rate), "-q", "-o",
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
    bench.verdict_values("memory, samples", [head["samples"]["all"]], 0.9 * samples, at_least=True, form="%.0f")
    bench.verdict_values("memory, largest resident, MiB", [largest / 1024], 32)
    bench.verdict_values("memory, growth in the second half, MiB", [(quarters[3] - quarters[1]) / 1024], 1)


FIGURES = {"slowdown": figure_slowdown, "cpu": figure_cpu, "old": figure_old, "threads": figure_threads,
           "most": figure_most, "torn": figure_torn, "dump": figure_dump, "start": figure_start, "memory": figure_memory}


def machine_line():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return "%s, %d CPUs, Linux %s" % (model, os.cpu_count(), os.uname().release)


def versions(bench):
    for command in ([bench.binary, "--version"], [os.path.join(PEERS_DIR, "bin", "py-spy"), "--version"],
                    [os.path.join(PEERS_DIR, "bin", "austin"), "--version"]):
        bench.log.say("  " + run(bench.log, command).text.strip())
    for version in ("3.13", "3.14", "3.15"):
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
    bench.print_table()
    bench.log.say("\n%s" % ("Not reached: " + "; ".join(bench.missed) if bench.missed else "All reached."))
    return 1 if bench.missed else 0


sys.exit(main())
