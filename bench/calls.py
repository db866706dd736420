"""What `pyrometer calls` adds to the time of a program, against what cProfile, viztracer and yappi add to it (added.py). Both sides
see the same events. Printed are the median of each figure and its range over the rounds, beside what was asked.

usage: calls.py [--figures python,builtins,mix,start,threads] [--versions 3.12,3.14] [--rounds N] [--binary FILE] [--name NAME]"""
import math
import os
import statistics
import sys

from added import OURS, Added, main
from machine import spread

FREE_THREADED = "3.13t"
PROGRAMS = ["json", "regex", "nbody", "constraints", "scheduler", "template"]


class Calls(Added):
    log, first_ours = "calls-raw.txt", "ours-builtins"

    def command(self, version, way, script, *words):
        target = self.target(version, script, *words)
        if way in ("ours", "ours-builtins"):
            ours = [self.options.binary, "calls", "-q", "-o", os.path.join(self.folder, "out.pyro")]
            return ours + ([] if way == "ours-builtins" else ["--no-builtins"]) + ["--"] + target + ["plain"]
        return target + [way]

    def compare(self, figure, version, ours, peers):
        """peers: {way: (what it is called, what is asked)}"""
        rounds = list(self.rounds(version, ["plain", ours] + list(peers), "call_heavy.py"))
        note = "ms: " + ", ".join("%s %.0f" % (way, 1e3 * statistics.median(took[way] for took in rounds)) for way in rounds[0])
        for way, (name, asked) in peers.items():
            ratios = [(took[ours] - took["plain"]) / (took[way] - took["plain"]) for took in rounds]
            self.report(figure, version, name, asked, ratios, note)
            note = ""

    def figure_python(self, version):
        asked = {"3.13": 0.45, "3.11": 0.75}.get(version, 0.40)
        peers = {"cprofile": ("cProfile builtins=False", asked)}
        if version in OURS:
            peers.update({"viztracer": ("viztracer --ignore_c_function", 0.90), "yappi": ("yappi, wall clock", 0.20)})
        self.compare("python", version, "ours", peers)

    def figure_builtins(self, version):
        self.compare("builtins", version, "ours-builtins",
                     {"cprofile-builtins": ("cProfile", 0.60), "viztracer-builtins": ("viztracer", 0.85)})

    def figure_mix(self, version):
        ways = ["plain", "ours-builtins", "cprofile-builtins"]
        by_program = {}
        for program in PROGRAMS:
            by_program[program] = [(took["ours-builtins"] - took["plain"]) / (took["cprofile-builtins"] - took["plain"])
                                   for took in self.rounds(version, ways, "mix.py", program)]
        means = [math.exp(sum(math.log(max(ratio, 0.01)) for ratio in ratios) / len(ratios)) for ratios in zip(*by_program.values())]
        note = ", ".join("%s %.2f" % (program, statistics.median(ratios)) for program, ratios in by_program.items())
        self.report("mix", version, "cProfile, geometric mean", 0.45, means, note)

    def figure_threads(self, version):
        if version != OURS[0]:  # once: it is of a build, not of a version
            return
        # cProfile never comes back from a second thread there: it is compared where it can be, in the main one.
        alone = self.rounds(FREE_THREADED, ["plain", "ours", "cprofile"], "threads.py", 0)
        ratios = [(took["ours"] - took["plain"]) / (took["cprofile"] - took["plain"]) for took in alone]
        self.report("threads", FREE_THREADED, "cProfile, main thread", 0.30, ratios)
        one, four = (list(self.rounds(FREE_THREADED, ["plain", "ours"], "threads.py", count)) for count in (1, 4))
        scaling = [(a["ours"] / b["ours"]) / (a["plain"] / b["plain"]) for a, b in zip(one, four)]
        reached = statistics.median(scaling) >= 0.9
        self.missed |= not reached
        self.say("threads", FREE_THREADED, "scaling kept, 4 threads to 1", ">= 0.90", spread(scaling, "%.2f"), "yes" if reached else "NO",
                 "on %d cores" % len(os.sched_getaffinity(0)))


if __name__ == "__main__":
    sys.exit(main(Calls, __doc__, ["python", "builtins", "mix", "start", "threads"]))
