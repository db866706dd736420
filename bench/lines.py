"""What `pyrometer lines` adds to the time of a program, against what line_profiler adds to it (added.py): the same functions are
chosen on both sides. Printed are the median of each figure and its range over the rounds, beside what was asked. `floor`, before 3.12: the same
of a trace function that does nothing: no profiler of lines can be below it there, but for code that it need not hear of.

usage: lines.py [--figures loop,calls,mix,start,floor] [--versions 3.12,3.14] [--rounds N] [--binary FILE] [--name NAME]"""
import math
import os
import shlex
import statistics
import subprocess
import sys

from added import Added, main
from machine import HERE, spread

PROGRAMS = ["json", "regex", "nbody", "constraints", "scheduler", "template"]
OLD = ("3.8", "3.9", "3.10", "3.11")


class Lines(Added):
    log, first_ours = "lines-raw.txt", "ours"

    def command(self, version, way, script, *words):
        target = self.target(version, script, *words)
        if way == "ours":
            chosen = os.path.splitext(script)[0] + ":"
            return [self.options.binary, "lines", "-q", "-f", chosen, "-o", os.path.join(self.folder, "out.pyro"), "--"] + target + ["plain"]
        return target + [way]

    def ratios(self, version, script, *words, way="ours"):
        rounds = list(self.rounds(version, ["plain", way, "line_profiler"], script, *words))
        note = "ms: " + ", ".join("%s %.0f" % (each, 1e3 * statistics.median(took[each] for took in rounds)) for each in rounds[0])
        return [(took[way] - took["plain"]) / (took["line_profiler"] - took["plain"]) for took in rounds], note

    def figure_loop(self, version):
        ratios, note = self.ratios(version, "line_heavy.py")
        self.report("loop", version, "line_profiler", 0.60 if version in OLD else 0.12, ratios, note)

    def figure_calls(self, version):
        ratios, note = self.ratios(version, "small_calls.py")
        self.report("calls", version, "line_profiler", 0.25, ratios, note)

    def mix(self, version, way):
        """The geometric means, and a note."""
        by_program = {program: self.ratios(version, "mix.py", program, way=way)[0] for program in PROGRAMS}
        means = [math.exp(sum(math.log(max(ratio, 0.01)) for ratio in ratios) / len(ratios)) for ratios in zip(*by_program.values())]
        return means, ", ".join("%s %.2f" % (program, statistics.median(ratios)) for program, ratios in by_program.items())

    def figure_mix(self, version):
        self.report("mix", version, "line_profiler, geometric mean", 0.30, *self.mix(version, "ours"))

    def build_nothing(self, version):
        """Beside the targets, which find it there."""
        python = self.python(version).prefix
        ask = "import sysconfig; print(sysconfig.get_paths()['include']); print(sysconfig.get_config_var('EXT_SUFFIX'))"
        include, suffix = subprocess.run(python + ["-c", ask], stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.split()
        subprocess.run(shlex.split(os.environ.get("CC", "cc")) + ["-O2", "-shared", "-fPIC", "-I", include, "-o",
                       os.path.join(self.folder, "targets", "trace_nothing" + suffix), os.path.join(HERE, "trace_nothing.c")], check=True)

    def figure_floor(self, version):
        if version not in OLD:
            return
        self.build_nothing(version)
        for what, (ratios, note) in {"calls": self.ratios(version, "small_calls.py", way="nothing"), "mix": self.mix(version, "nothing")}.items():
            self.say("floor", version, "line_profiler, of " + what, "-", spread(ratios, "%.2f"), "", note)


if __name__ == "__main__":
    sys.exit(main(Lines, __doc__, ["loop", "calls", "mix", "start", "floor"]))
