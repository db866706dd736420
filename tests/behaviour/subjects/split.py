"""Divides its time 41/27/17/10/5 over many short interleaved calls: the same loop, so many times. A short loop is not quite
as fast as a long one on every Python, so it first times its parts itself and says their true shares, per cent. Runs on any
Python, to the end of stdin."""
from __future__ import print_function

import os
import select
import sys
import time

clock = getattr(time, "perf_counter", time.time)


def part_41():
    state = 1
    for _ in range(820):
        state = (state * 5 + 3) % 8191
    return state


def part_27():
    state = 1
    for _ in range(540):
        state = (state * 5 + 3) % 8191
    return state


def part_17():
    state = 1
    for _ in range(340):
        state = (state * 5 + 3) % 8191
    return state


def part_10():
    state = 1
    for _ in range(200):
        state = (state * 5 + 3) % 8191
    return state


def part_5():
    state = 1
    for _ in range(100):
        state = (state * 5 + 3) % 8191
    return state


def time_parts(rounds):
    parts, spent = (part_41, part_5, part_27, part_10, part_17), {}
    for _ in range(rounds):
        for part in parts:
            begin = clock()
            part()
            took = clock() - begin
            spent.setdefault(part.__name__, []).append(took)
    # The median: who else wants the core must not count.
    middles = dict((name, sorted(times)[len(times) // 2]) for name, times in spent.items())
    return " ".join("%s=%.3f" % (name, 100 * middle / sum(middles.values())) for name, middle in sorted(middles.items()))


def main():
    time_parts(500)
    print("READY", os.getpid(), time_parts(2000))
    sys.stdout.flush()
    while not select.select([0], [], [], 0)[0]:
        for _ in range(100):
            part_41()
            part_5()
            part_27()
            part_10()
            part_17()


if __name__ == "__main__":
    main()
