"""Two alternating two-level calls: what a look that takes longer than they do tears. An a-function never calls a b-function.
Arguments: number of threads (default 1); how much each function does beside calling: 0 (the default), a call takes some
100 ns; 10, about a microsecond. Runs on any Python, to the end of stdin."""
from __future__ import print_function

import os
import sys
import threading

stop = []
steps = tuple(range(int(sys.argv[2]) if len(sys.argv) > 2 else 0))


def leaf_a(number):
    for _ in steps:
        number = (number * 3 + 1) % 1009
    return (number * 3 + 1) % 1009


def leaf_b(number):
    for _ in steps:
        number = (number * 5 + 2) % 1013
    return (number * 5 + 2) % 1013


def hot_a(number):
    for _ in steps:
        number = (number + 1) % 1009
    number = leaf_a(number)  #@call_leaf_a
    return number - 1


def hot_b(number):
    for _ in steps:
        number = (number + 2) % 1013
    number = leaf_b(number)  #@call_leaf_b
    return number - 2


def flutter():
    number = 1
    while not stop:
        number = hot_a(number)  #@call_hot_a
        number = hot_b(number)  #@call_hot_b


def main(count):
    threads = [threading.Thread(target=flutter) for _ in range(count if count > 1 else 0)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    print("READY", os.getpid())
    sys.stdout.flush()
    if threads:
        os.read(0, 1)
        stop.append(1)
    else:
        flutter()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
