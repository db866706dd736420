"""Walks through 4,096 different stacks of the same depth for ever. usage: many_stacks.py DEPTH
The lowest six functions of a stack are one of four each, chosen at random; every leaf counts for some 10 us."""
import sys

LEVELS, WAYS = 6, 4
depth = int(sys.argv[1])
table = [[] for _ in range(LEVELS)]

for level in range(LEVELS):
    for way in range(WAYS):
        if level == LEVELS - 1:
            body = "    x = 0\n    for i in range(200):\n        x += i * i\n    return x\n"
        else:
            body = "    return table[%d][n >> %d & 3](n)\n" % (level + 1, 2 * (level + 1))
        name = "f%d_%d" % (level, way)
        exec("def %s(n):\n%s" % (name, body))
        table[level].append(globals()[name])


def loop():
    n = 1
    while True:
        n = (n * 1103515245 + 12345) & 0x7FFFFFFF
        table[0][n >> 8 & 3](n >> 8)


def down(frames):
    if frames <= 1:
        return loop()
    return down(frames - 1)


print("ready")
sys.stdout.flush()
down(depth - LEVELS - 2)
