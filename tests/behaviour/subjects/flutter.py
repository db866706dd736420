"""Two alternating two-level calls of about a microsecond each: what a look that takes longer tears. An a-function never
calls a b-function. Argument: number of threads (default 1). Runs on any Python, to the end of stdin."""
from __future__ import print_function

import os
import sys
import threading

stop = []


def leaf_a(number):
    number = number * 3 + 1
    return number % 1009


def leaf_b(number):
    number = number * 5 + 2
    return number % 1013


def hot_a(number):
    number = number + 1
    number = leaf_a(number)  #@call_leaf_a
    return number - 1


def hot_b(number):
    number = number + 2
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
