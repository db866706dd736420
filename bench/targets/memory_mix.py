"""N bytearrays of 16 B to 16 kB from twenty places, at two depths of calls; each lives for 0 to 4,095 others, all from a fixed table.
Prints the seconds that it took, the best of TIMES.
usage: memory_mix.py N [TIMES]"""
import sys

from measured import run

SITES = "".join("def inner{0}(size):\n    return bytearray(size)\ndef outer{0}(size):\n    return inner{0}(size)\n".format(i) for i in range(10))


def table():
    names = {}
    exec(compile(SITES, "<sites>", "exec"), names)
    sites = [names[kind + str(i)] for i in range(10) for kind in ("inner", "outer")]
    rows, random = [], 12345
    for _ in range(1021):
        random = (random * 1103515245 + 12345) & 0x7fffffff
        rows.append((sites[random % 20], 16 << (random >> 8) % 11 | (random >> 16) & 15, (random >> 7) % 4096))
    return rows


def work():
    live, row = [None] * 4096, 0
    for i in range(int(sys.argv[1])):
        site, size, life = rows[row]
        row = row + 1 if row < 1020 else 0
        live[(i + life) & 4095] = site(size)


rows = table()
run(work, best_of=int(sys.argv[2]) if len(sys.argv) > 2 else 3)
