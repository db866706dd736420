"""Calls that allocate nothing: fib(N), 2 * fib(N + 1) - 1 calls. Prints the seconds that it took, the best of three.
usage: memory_calls.py N"""
import sys

from measured import run


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


run(lambda: fib(int(sys.argv[1])))
