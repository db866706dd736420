"""Waits until it is killed. Runs on every Python."""
import sys
import time


def wait():
    while True:
        time.sleep(0.05)


sys.stdout.write("READY\n")
sys.stdout.flush()
wait()
