"""N times the same block, got and given up, at a depth of ten calls, in so many threads at once (0: in the main one), each N times.
Prints the seconds that it took, the best of three.
usage: memory_blocks.py bytearray600|bytearray4096|list16|c600 N THREADS    (c600: malloc and free in C, without the GIL; memory.py
compiles it)"""
import ctypes
import os
import sys
import threading
from itertools import repeat  # makes no int object a turn

from measured import run


def bytearray600(n):
    for _ in repeat(None, n):
        x = bytearray(600)


def bytearray4096(n):
    for _ in repeat(None, n):
        x = bytearray(4096)


def list16(n):
    for _ in repeat(None, n):
        x = [1] * 16


def c600(n):
    library.get_and_free(ctypes.c_long(n), ctypes.c_size_t(600))


def at_depth(depth, what, n):
    if depth > 1:
        at_depth(depth - 1, what, n)
    else:
        what(n)


def work():
    if not count:
        return at_depth(10, what, n)
    threads = [threading.Thread(target=at_depth, args=(10, what, n)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


what, n, count = globals()[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
if what is c600:
    library = ctypes.CDLL(os.path.join(os.path.dirname(os.path.abspath(__file__)), "memory_c.so"))
run(work)
