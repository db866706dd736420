"""What calls.py, lines.py and memory.py share: what a tool adds to the time of a program, against what its peers add. A figure is the ratio of
the two added times within a round, in which all take turns in an order that changes."""
import argparse
import datetime
import os
import random
import shutil
import statistics
import tempfile
import time

from machine import CHECKOUT, HERE, PEERS_DIR, Failure, Log, Python, busy_ticks, run, spread

VERSIONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"]
OURS = ["3.12", "3.13", "3.14", "3.15"]  # measured unless --versions names others


class Added:
    def __init__(self, options, log, folder):
        self.options, self.log, self.folder = options, log, folder
        self.table, self.missed = [], False
        self.pythons = {}
        shutil.copytree(os.path.join(HERE, "targets"), os.path.join(folder, "targets"))
        os.environ["XDG_CACHE_HOME"] = folder
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    def python(self, version):
        if version not in self.pythons:
            self.pythons[version] = Python(version)
        return self.pythons[version]

    def target(self, version, script, *words):
        """The folder is in /dev/shm, which the sid tree sees under the same name."""
        return self.python(version).prefix + [os.path.join(self.folder, "targets", script)] + [str(word) for word in words]

    def seconds(self, version, way, script, *words):
        tools = os.path.join(PEERS_DIR, "calls", version)
        os.environ["PYTHONPATH"] = "/opt/peers/" + version if self.python(version).chrooted else tools
        result = run(self.log, self.command(version, way, script, *words), timeout=60)
        if result.status:
            raise Failure("%s of %s under Python %s ended with %d: %s"
                          % (way, script, version, result.status, result.text.strip().splitlines()[-1:]))
        return float(result.text.split()[0])

    def rounds(self, version, ways, script, *words):
        """For each round the seconds by way."""
        for _ in range(self.options.rounds):
            order = random.sample(ways, len(ways))
            took = {way: self.seconds(version, way, script, *words) for way in order}
            yield took

    def report(self, figure, version, against, asked, values, note="", form="%.2f"):
        median = statistics.median(values)
        reached = median <= asked
        self.missed |= not reached
        self.say(figure, version, against, "<= %.2f" % asked, spread(values, form), "yes" if reached else "NO", note)

    def say(self, figure, version, against, asked, reached, verdict, note=""):
        self.log.say("%-9s %-6s %-28s %-9s %-24s %-4s %s" % (figure, version, against, asked, reached, verdict, note))

    def fail(self, figure, version, why):
        self.missed = True
        self.say(figure, version, "not measured:", "", str(why), "NO")

    def first_line(self, version, ours):
        command = self.command(version, self.first_ours if ours else "plain", "first_moment.py")
        begun = time.perf_counter()
        result = run(self.log, command)
        if result.status or "first line" not in result.text:
            raise Failure("first_moment.py ended with %d: %s" % (result.status, result.text[-200:]))
        # The target prints the moment, by the clock that all processes share.
        return float(result.text.split("at ")[1].split()[0]) - begun

    def figure_start(self, version):
        added = []
        for _ in range(2 * self.options.rounds + 1):
            order = random.sample([False, True], 2)
            took = {ours: self.first_line(version, ours) for ours in order}
            added.append(1e3 * (took[True] - took[False]))
        self.report("start", version, "python alone, ms more", 20, added)

    def run(self):
        self.say("figure", "Python", "added time, against that of", "asked", "median [range]", "", "")
        for figure in self.options.figures:
            before, begun = busy_ticks(), time.perf_counter()
            for version in self.options.versions:
                try:
                    getattr(self, "figure_" + figure)(version)
                except (Failure, ValueError, IndexError) as why:
                    self.fail(figure, version, why)
            self.log.say("          (%.0f s, all programs of the machine used %.2f cores)"
                         % (time.perf_counter() - begun, (busy_ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.perf_counter() - begun)))


def words(text):
    return text.split(",")


def main(bench, description, figures, versions=OURS):
    """The exit status: 1 when a figure was not reached, or could not be measured."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=words, default=figures)
    parser.add_argument("--versions", type=words, default=versions)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--binary", type=os.path.abspath, default=os.path.join(CHECKOUT, "build", "pyrometer"))
    parser.add_argument("--name", default=datetime.date.today().isoformat())
    options = parser.parse_args()
    unknown = set(options.figures) - set(figures) or set(options.versions) - set(VERSIONS)
    if unknown:
        parser.error("unknown: %s; figures are %s, versions %s" % (", ".join(unknown), ", ".join(figures), ", ".join(VERSIONS)))
    results = os.path.join(HERE, "results", options.name)
    os.makedirs(results, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-pyrometer-", dir="/dev/shm") as folder:
        run_ = bench(options, Log(os.path.join(results, bench.log), os.path.dirname(options.binary)), folder)
        try:
            run_.run()
        finally:
            for python in run_.pythons.values():
                python.close()
    return 1 if run_.missed else 0
