"""Sleeps for ever in many threads. usage: sleepers.py THREADS DEPTH"""
import sys
import threading
import time

threads, depth = int(sys.argv[1]), int(sys.argv[2])


def down(frames):
    if frames <= 1:
        time.sleep(1e6)
    down(frames - 1)


def start(frames):
    thread = threading.Thread(target=down, args=(frames,))
    thread.daemon = True
    thread.start()


threading.stack_size(1 << 20)
for _ in range(threads - 1):
    start(depth - 3)  # above them are the thread's own frames: _bootstrap, _bootstrap_inner, run
print("ready")
sys.stdout.flush()
down(depth - 1)
