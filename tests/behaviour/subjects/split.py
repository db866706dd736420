"""Divides its time 41/27/17/10/5 over many short interleaved calls: the same loop, so many times. A short loop is not quite
as fast as a long one on every Python, and one that loses its core stands still for long, so it times each call itself, all the
while, and in the end says their true shares, per cent. Runs on any Python, until there is something on stdin."""
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


PARTS = (part_41, part_5, part_27, part_10, part_17)


def run_parts(rounds, spent):
    for _ in range(rounds):
        times = [clock()]
        for part in PARTS:
            part()
            times.append(clock())
        for number in range(len(PARTS)):
            spent[number] += times[number + 1] - times[number]


def main():
    run_parts(1000, [0.0] * len(PARTS))
    spent = [0.0] * len(PARTS)
    print("READY", os.getpid())
    sys.stdout.flush()
    while not select.select([0], [], [], 0)[0]:
        run_parts(100, spent)
    print("TRUTH", " ".join("%s=%.3f" % (part.__name__, 100 * took / sum(spent)) for part, took in zip(PARTS, spent)))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
