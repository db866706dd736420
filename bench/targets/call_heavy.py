"""Little but calls: recursion, methods, generators. usage: call_heavy.py WAY (measured.py)"""
from measured import run


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Counter:
    def __init__(self):
        self.value = 0

    def add(self, n):
        self.value += n
        return self


def numbers(n):
    for i in range(n):
        yield i


def work():
    fib(21)
    counter = Counter()
    for i in range(15000):
        counter.add(i)
    for _ in numbers(15000):
        pass
    names = []
    for i in range(15000):
        names.append(len("abc"))


run(work, times=10)
