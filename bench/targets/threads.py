"""Calls in several threads at once, each the same work. Prints the seconds that it took, the best of three.
usage: threads.py THREADS WAY (measured.py); 0 threads: in the main one, without any other"""
import sys
import threading

from measured import run


SIZE = 25


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def work():
    if sys.argv[1] == "0":
        fib(SIZE)
    threads = [threading.Thread(target=fib, args=(SIZE,)) for _ in range(int(sys.argv[1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


run(work, times=3)
