"""What `pyrometer calls -f` and `pyrometer lines -f` cost a program whose hot code they leave out, against no profiler: CPU time of
fixed work, in pairs whose order changes. Printed is the median with its 95 % interval (of order statistics): of the ratio of
the two times from Python 3.12 on, where it is to be 1, and before, of the nanoseconds that each Python call costs more. The program
measures its own work, so that start-up and calibration, which come once, are not in it.

usage: filtered.py [--binary FILE] [--pairs N] [--commands calls,lines] [--versions 3.8,3.12]"""
import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile

from added import VERSIONS, words
from machine import CHECKOUT, Failure, Python

PROGRAM = """
import time
class Point:
    def __init__(self, x): self.x = x
    def move(self, by): return Point(self.x + by)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def numbers(n):
    for i in range(n): yield abs(i)
def hot(n):
    total = fib(n)
    for i in numbers(20 << (n - 8)): total += Point(i).move(1).x + len("ab")
    return total
def counted(n): return hot(n)
counted(16)
begun = time.process_time()
for _ in range(10): counted(21)
print(time.process_time() - begun)
"""


def interval(values):
    """The median's, at 95 %, whatever the distribution."""
    ordered, n = sorted(values), len(values)
    off = int(0.98 * n ** 0.5)
    return ordered[max(0, n // 2 - off - 1)], ordered[min(n - 1, n // 2 + off)]


class Filtered:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.script, self.env = os.path.join(folder, "program.py"), dict(os.environ, XDG_CACHE_HOME=folder)
        with open(self.script, "w") as file:
            file.write(PROGRAM)

    def run(self, command):
        return subprocess.run(command, stdout=subprocess.PIPE, env=self.env, check=True, universal_newlines=True).stdout

    def ours(self, command, *chosen):
        return [self.binary, command, "-q", "-o", os.path.join(self.folder, "out.json"), *chosen, "--"]

    def count_calls(self, python):
        """How often Python code is entered in the hot part."""
        self.run(self.ours("calls", "--no-builtins") + python + [self.script])
        with open(os.path.join(self.folder, "out.json")) as file:
            return sum(row["ncalls"] + row["resumed"] for row in json.load(file)["functions"])

    def pairs(self, python, command, count):
        """(seconds without us, with us), in a random order each time."""
        ways = {"plain": python + [self.script], "ours": self.ours(command, "-f", "counted") + python + [self.script]}
        for _ in range(count):
            took = {way: float(self.run(ways[way])) for way in random.sample(sorted(ways), 2)}
            yield took["plain"], took["ours"]

    def figure(self, version, command, count):
        found = Python(version)
        try:
            pairs = list(self.pairs(found.prefix, command, count))
            calls = self.count_calls(found.prefix)
        finally:
            found.close()
        if VERSIONS.index(version) >= VERSIONS.index("3.12"):
            what, values = "time / without a profiler: %.4f [%.4f..%.4f]", [ours / plain for plain, ours in pairs]
        else:
            what, values = "ns more for each call: %.1f [%.1f..%.1f]", [1e9 * (ours - plain) / calls for plain, ours in pairs]
        print("%-6s %-8s %s of %d pairs   (%.0f ms, %d calls)" % (command, version, what % ((statistics.median(values),) + interval(values)), len(pairs),
                                                              1e3 * statistics.median(plain for plain, _ in pairs), calls), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(CHECKOUT, "build", "pyrometer"))
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--commands", type=words, default=["calls", "lines"])
    parser.add_argument("--versions", type=words, default=VERSIONS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pyrometer-", dir="/dev/shm") as folder:
        bench = Filtered(os.path.abspath(options.binary), folder)
        for command in options.commands:
            for version in options.versions:
                try:
                    bench.figure(version, command, options.pairs)
                except Failure as missing:
                    print("%-6s %-8s skipped: %s" % (command, version, missing), flush=True)


if __name__ == "__main__":
    main()
