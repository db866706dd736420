"""Little but lines: one function, in a loop. usage: line_heavy.py WAY (measured.py)"""
from measured import run


def work():
    total = 0
    for i in range(30000):
        a = i + 1
        b = a * 2
        c = b - a
        if c > 5:
            total += c
        else:
            total -= c
        d = total & 255
        e = d ^ a
        total = total + e - d
    return total


run(work, times=4)
