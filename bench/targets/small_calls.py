"""Calls of functions of two lines. usage: small_calls.py WAY (measured.py)"""
from measured import run


def small(n):
    m = n + 1
    return m


class Counter:
    def __init__(self):
        self.value = 0

    def add(self, n):
        self.value += n
        return self


def work():
    counter = Counter()
    for i in range(20000):
        small(i)
        counter.add(i)


run(work, times=4)
