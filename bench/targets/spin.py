"""Counts for ever. usage: spin.py depth N     one thread, N frames deep
                        spin.py threads N   N threads: two of them count at depth 20, the others sleep at depth 10
Runs on every Python from 2.7 on."""
import sys
import threading
import time

kind, n = sys.argv[1], int(sys.argv[2])


def loop():
    while True:
        x = 0
        for i in range(500):
            x += i * i


def sleep():
    time.sleep(1e6)


def down(depth, leaf):
    if depth <= 1:
        return leaf()
    return down(depth - 1, leaf)


def start(depth, leaf):
    thread = threading.Thread(target=down, args=(depth, leaf))
    thread.daemon = True
    thread.start()


if kind == "depth":  # the module, n - 2 times down, the loop
    print("ready")
    sys.stdout.flush()
    down(n - 2, loop)
else:  # below a thread's own frames (_bootstrap, _bootstrap_inner, run) are 16 or 6 times down and the leaf
    for _ in range(n - 3):
        start(6, sleep)
    for _ in range(2):
        start(16, loop)
    print("ready")
    sys.stdout.flush()
    sleep()
