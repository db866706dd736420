"""Counts the system calls that come back interrupted (EINTR), as the kernel reports them: called by ctypes, which retries
nothing. One thread waits, one computes, one naps. Argument: seconds. Runs on any Python."""
from __future__ import print_function

import ctypes
import errno
import os
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
counts = {"calls": 0, "interrupted": 0}
end = time.time() + float(sys.argv[1])


def call(function, *arguments):
    ctypes.set_errno(0)
    result = function(*arguments)
    counts["calls"] += 1
    if result == -1 and ctypes.get_errno() == errno.EINTR:
        counts["interrupted"] += 1


def wait_long():
    queue = libc.epoll_create1(0)
    events = ctypes.create_string_buffer(64)
    while time.time() < end:
        call(libc.epoll_wait, queue, events, 1, 200)


def wait_short():
    while time.time() < end:
        call(libc.usleep, 300)


def compute():
    while time.time() < end:
        sum(range(1000))
        call(libc.poll, None, 0, 0)


threads = [threading.Thread(target=part) for part in (wait_long, wait_short)]
for thread in threads:
    thread.start()
print("READY", os.getpid())
sys.stdout.flush()
compute()
for thread in threads:
    thread.join()
print("truth", counts)
