"""100,000 rounds of a loop that keeps nothing (tests/behaviour/subjects/m_many_lines.py): what a table of memory by line costs.
usage: memory_lines.py WAY (memory_profiler: of its busy(), once, for it takes seconds; else as measured.py)"""
import os
import sys

from measured import run


def busy(rounds=100000):
    kept = 0
    for number in range(rounds):
        kept += len(str(number))
    return kept


work = busy
if sys.argv[-1] == "memory_profiler":
    import memory_profiler
    work = memory_profiler.profile(busy, stream=open(os.devnull, "w"))
run(work, best_of=1 if work is not busy else 3)
