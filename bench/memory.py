"""What `pyrometer memory` adds to the time of a program, against what memray and tracemalloc add to it (added.py); and captures and reports
beside memray's; with --lines, against memory_profiler. Both sides take the events of the same allocators, at the same depth. Printed are the median of each figure and its range
over the rounds, beside what was asked.

usage: memory.py [--figures calls,malloc,small,mix,threads,lines,snapshot,capture,report,start] [--versions 3.13] [--rounds N] [--binary FILE] [--name NAME]"""
import json
import os
import random
import shlex
import statistics
import subprocess
import sys

from added import Added, main
from filtered import interval
from machine import HERE, Failure, run, spread

FREE_THREADED = "3.13t"
TURNS = 1000000  # of a loop: enough that what is written has to be taken away meanwhile
MEMRAY = {"memray": [], "memray-python": ["--trace-python-allocators"]}
FIB = 27
MIX = 300000
LOOP = 100000  # rounds of memory_lines.py, of two lines each
TEN_MILLION = {"": 9200000, "-python": 900000}  # turns of the mix, for about so many events


def calls_of_fib(n):
    a, b = 0, 1
    for _ in range(n + 1):
        a, b = b, a + b
    return 2 * a - 1


class Memory(Added):
    log, first_ours = "memory-raw.txt", "ours"
    counts = {}  # the events that ours recorded, by run

    def output(self, name):
        return os.path.join(self.folder, name)

    def ours(self, way, output="out.pyro"):
        return [self.options.binary, "memory", "-q", "-o", self.output(output)] + (["--python-allocators"] if way == "ours-python" else []) + ["--"]

    def command(self, version, way, *script):
        prefix = self.python(version).prefix
        target = [self.output(os.path.join("targets", script[0]))] + [str(word) for word in script[1:]] if script[0].endswith(".py") else list(script)
        if way in ("ours", "ours-python"):
            return self.ours(way) + prefix + target
        if way == "ours-lines":
            return self.ours(way)[:-1] + ["--lines", "-f", "busy", "--"] + prefix + target
        if way == "memory_profiler":
            return prefix + target + [way]
        if way in MEMRAY:
            return prefix + ["-m", "memray", "run", "-q", "-f", "-o", self.output("out.bin")] + MEMRAY[way] + target
        if way.startswith("tracemalloc"):
            return prefix + ["-X", "tracemalloc=" + way[len("tracemalloc"):]] + target
        return prefix + target

    def seconds(self, version, way, *script):
        """Also counts what ours has recorded: a run in which it had to give up measuring would be a fast one."""
        took = super().seconds(version, way, *script)
        if way.startswith("ours"):
            self.counts.setdefault((version, way) + script, []).append(self.events(self.output("out.pyro")))
        return took

    def whole(self, version, rounds, ways, *script):
        """The rounds in which ours recorded no less than in others, and what to say of the rest."""
        counts = [self.counts.pop((version, way) + script, []) for way in ways if way.startswith("ours")]
        kept = [took for took, *seen in zip(rounds, *counts) if all(count >= 0.98 * max(all_) for count, all_ in zip(seen, counts))]
        return kept, "" if len(kept) == len(rounds) else "; %d of %d rounds left out, EVENTS LOST" % (len(rounds) - len(kept), len(rounds))

    def compare(self, figure, version, ours, peers, events, *script, what=""):
        """peers: {way: (what it is called, what is asked)}; events: by which the seconds are divided in the note"""
        rounds = list(self.rounds(version, ["plain", ours] + list(peers), *script))
        rounds, lost = self.whole(version, rounds, [ours], *script)
        note = "ns: plain %.0f" % (1e9 / events * statistics.median(took["plain"] for took in rounds)) + "".join(
            ", %s +%.0f" % (way, 1e9 / events * statistics.median(took[way] - took["plain"] for took in rounds)) for way in [ours] + list(peers)) + lost
        for way, (name, asked) in peers.items():
            ratios = [(took[ours] - took["plain"]) / (took[way] - took["plain"]) for took in rounds]
            self.report(figure, version, what + name, asked, ratios, note, "%.2f" if asked > 0.1 else "%.3f")
            note = ""

    def figure_calls(self, version):
        count = calls_of_fib(FIB)
        self.options.rounds, rounds = 3 * self.options.rounds, self.options.rounds  # of noise, most of it
        try:
            rounds_ = list(self.rounds(version, ["plain", "ours", "memray"], "memory_calls.py", FIB))
        finally:
            self.options.rounds = rounds
        added = {way: [1e9 * (took[way] - took["plain"]) / count for took in rounds_] for way in ("ours", "memray")}
        self.report("calls", version, "python alone, ns a call", 8, added["ours"], "95 %% interval of the median %.1f..%.1f; memray %s"
                    % (interval(added["ours"]) + (spread(added["memray"], "%.0f"),)))

    def figure_malloc(self, version):
        for size in (600, 4096):
            self.compare("malloc", version, "ours", {"memray": ("memray", 0.45)}, TURNS,
                         "memory_blocks.py", "bytearray%d" % size, TURNS, 0, what="%d B: " % size)

    def figure_small(self, version):
        peers = {"memray-python": ("memray, Python's alloc.", 0.35), "tracemalloc1": ("tracemalloc, 1 frame", 0.20),
                 "tracemalloc10": ("tracemalloc, 10 frames", 0.06)}
        self.compare("small", version, "ours-python", peers, TURNS, "memory_blocks.py", "list16", TURNS, 0)

    def figure_mix(self, version):
        self.compare("mix", version, "ours", {"memray": ("memray", 0.45)}, MIX, "memory_mix.py", MIX)
        self.compare("mix", version, "ours-python", {"memray-python": ("memray, Python's alloc.", 0.30)}, MIX, "memory_mix.py", MIX)

    def figure_threads(self, version):
        subprocess.run(shlex.split(os.environ.get("CC", "cc")) + ["-O2", "-shared", "-fPIC", "-o", self.output("targets/memory_c.so"),
                       os.path.join(HERE, "memory_c.c")], check=True)
        for block, what in {"c600": "2, in C: ", "bytearray600": "2, Python: "}.items():
            self.compare("threads", version, "ours", {"memray": ("memray", 0.50)}, 2 * TURNS, "memory_blocks.py", block, TURNS, 2, what=what)
        if version == self.options.versions[0]:  # once: it is of a build, not of a version
            self.scaling()

    def scaling(self):
        """With Python's allocators: bytearrays come from mimalloc there, which no one else sees."""
        ways = ["plain", "ours-python"]
        script = "memory_blocks.py", "bytearray600", TURNS // 2
        (one, lost), (four, lost_of_four) = (
            self.whole(FREE_THREADED, list(self.rounds(FREE_THREADED, ways, *script, count)), ways, *script, count) for count in (1, 4))
        kept = [(a["ours-python"] / b["ours-python"]) / (a["plain"] / b["plain"]) for a, b in zip(one, four)]
        reached = statistics.median(kept) >= 0.8
        self.missed |= not reached
        times = ", ".join("%s %.0f, %.0f" % (way, *(1e3 * statistics.median(took[way] for took in some) for some in (one, four))) for way in ways)
        self.say("threads", FREE_THREADED, "scaling kept, 4 threads to 1", ">= 0.80", spread(kept, "%.2f"), "yes" if reached else "NO",
                 "on %d cores; ms of 1 and 4: %s%s" % (len(os.sched_getaffinity(0)), times, lost + lost_of_four))

    def figure_lines(self, version):
        """memory_profiler reads what is resident at each line, which takes seconds: a third of the rounds."""
        self.options.rounds, rounds = max(self.options.rounds // 3, 1), self.options.rounds
        try:
            self.compare("lines", version, "ours-lines", {"memory_profiler": ("memory_profiler", 0.02)}, 2 * LOOP, "memory_lines.py")
        finally:
            self.options.rounds = rounds

    def figure_snapshot(self, version):
        """`pyrometer` and the package are those of this tree."""
        ratios, seconds = [], {"pyrometer": [], "tracemalloc": []}
        env = dict(os.environ, PYTHONPATH=os.path.join(os.path.dirname(HERE), "python"),
                   PATH=os.path.dirname(os.path.abspath(self.options.binary)) + os.pathsep + os.environ["PATH"])
        command = self.python(version).prefix + [self.output("targets/memory_snapshots.py")]
        for _ in range(self.options.rounds):
            for way in random.sample(list(seconds), 2):
                done = subprocess.run(command + [way], env=env, stdout=subprocess.PIPE, check=True, universal_newlines=True)
                seconds[way].append(float(done.stdout.split()[-1]))
            ratios.append(seconds["pyrometer"][-1] / seconds["tracemalloc"][-1])
        self.report("snapshot", version, "tracemalloc, 1,000,000 blocks", 0.1, ratios, "s: ours %s; tracemalloc %s"
                    % (spread(seconds["pyrometer"], "%.3f"), spread(seconds["tracemalloc"], "%.2f")), "%.3f")

    def wall(self, command):
        result = run(self.log, command, timeout=120)
        if result.status:
            raise Failure("%s ended with %d: %s" % (" ".join(command[-6:]), result.status, result.text.strip().splitlines()[-1:]))
        return result.wall

    def events(self, recording):
        """Allocations and frees, by our report."""
        self.wall([self.options.binary, "report", recording, "-o", self.output("out.json")])
        with open(self.output("out.json")) as file:
            rows = json.load(file)["rows"]
        return sum(2 * row["total"]["count"] - row["live"]["count"] for row in rows)

    def captures(self, version, kind):
        """Of ten million events: ours, memray's."""
        names = self.output("ten%s.pyro" % kind), self.output("ten%s.bin" % kind)
        for way, kept, name in (("ours" + kind, names[0], "out.pyro"), ("memray" + kind, names[1], "out.bin")):
            if not os.path.exists(kept):
                self.seconds(version, way, "memory_mix.py", TEN_MILLION[kind], 1)
                os.rename(self.output(name), kept)
        return names

    def figure_capture(self, version):
        for kind, what in {"": "memray", "-python": "memray, Python's alloc."}.items():
            names = self.captures(version, kind)
            count, sizes = self.events(names[0]), [os.path.getsize(name) for name in names]
            self.report("capture", version, "mix: " + what, 0.70, [sizes[0] / sizes[1]],
                        "bytes an event: ours %.3f, memray %.3f of %.1f million" % (sizes[0] / count, sizes[1] / count, count / 1e6), "%.4f")
        # The same address again and again compresses well, and is as many bytes as the names are.
        self.seconds(version, "ours", "memory_blocks.py", "bytearray600", 2 * TURNS, 0)
        self.seconds(version, "memray", "memory_blocks.py", "bytearray600", 2 * TURNS, 0)
        names = self.output("out.pyro"), self.output("out.bin")
        count, sizes = self.events(names[0]), [os.path.getsize(name) for name in names]
        self.report("capture", version, "one block: memray", 0.70, [sizes[0] / sizes[1]],
                    "bytes an event: ours %.4f, memray %.4f of %.1f million" % (sizes[0] / count, sizes[1] / count, count / 1e6))

    def figure_report(self, version):
        ours, theirs = self.captures(version, "")
        memray = self.python(version).prefix + ["-m", "memray"]
        commands = {"text": [self.options.binary, "report", ours], "svg": [self.options.binary, "report", ours, "-o", self.output("out.svg")],
                    "stats": memray + ["stats", theirs], "flamegraph": memray + ["flamegraph", "-f", "-o", self.output("out.html"), theirs]}
        rounds = []
        for _ in range(self.options.rounds):
            rounds.append({way: self.wall(commands[way]) for way in random.sample(list(commands), len(commands))})
        note = "%.1f million events, ms: " % (self.events(ours) / 1e6) + ", ".join(
            "%s %.0f" % (way, 1e3 * statistics.median(took[way] for took in rounds)) for way in commands)
        for way, peer in (("text", "stats"), ("svg", "flamegraph")):
            self.report("report", version, "%s: memray %s" % (way, peer), 0.10, [took[way] / took[peer] for took in rounds], note, "%.4f")
            note = ""

    def figure_start(self, version):
        ways, rounds = ["plain", "ours", "memray"], []
        for _ in range(2 * self.options.rounds + 1):
            rounds.append({way: self.wall(self.command(version, way, "-c", "pass")) for way in random.sample(ways, len(ways))})
        note = "ms: plain %.0f" % (1e3 * statistics.median(took["plain"] for took in rounds)) + "".join(
            ", %s +%.0f" % (way, 1e3 * statistics.median(took[way] - took["plain"] for took in rounds)) for way in ways[1:])
        ratios = [(took["ours"] - took["plain"]) / (took["memray"] - took["plain"]) for took in rounds]
        self.report("start", version, "memray run", 0.10, ratios, note)


if __name__ == "__main__":
    sys.exit(main(Memory, __doc__, ["calls", "malloc", "small", "mix", "threads", "lines", "snapshot", "capture", "report", "start"], ["3.13"]))
