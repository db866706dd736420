"""Divides its time 41/27/17/10/5 over many short interleaved calls: the same loop, so many times. Runs on any Python, to
the end of stdin."""
from __future__ import print_function

import os
import select
import sys


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


def main():
    print("READY", os.getpid())
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
