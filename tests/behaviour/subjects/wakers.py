"""Threads that sleep, and wake for an instant to sleep elsewhere: what must be read again of a thread that has hardly had the
GIL. Each is in long_wait three times as long as in short_wait, by its own clock. A thread that counts keeps the GIL busy in
between, when the second argument is "busy". Arguments: number of threads, busy or quiet. Runs on any Python, to the end of
stdin."""
from __future__ import print_function

import os
import sys
import threading
import time

now = getattr(time, "perf_counter", time.time)
stop = []
spent = []


def wait(seconds, name):
    start = now()
    time.sleep(seconds)
    return now() - start


def long_wait():
    return wait(0.030, "long_wait")


def short_wait():
    return wait(0.010, "short_wait")


def waker():
    times = {"long_wait": 0.0, "short_wait": 0.0}
    while not stop:
        times["long_wait"] += long_wait()
        times["short_wait"] += short_wait()
    spent.append(times)


def count():
    number = 0
    while not stop:
        number += 1


def main(threads, busy):
    started = [threading.Thread(target=waker) for _ in range(threads)] + [threading.Thread(target=count)] * busy
    for thread in started:
        thread.daemon = True
        thread.start()
    print("READY", os.getpid())
    sys.stdout.flush()
    os.read(0, 1)
    stop.append(1)
    for thread in started:
        thread.join()
    whole = sum(sum(times.values()) for times in spent)
    print("TRUTH " + " ".join("%s=%.2f" % (name, 100 * sum(times[name] for times in spent) / whole) for name in spent[0]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "busy")
