"""Two snapshots of some million live blocks, and their difference by line. Prints the seconds of: the first snapshot, the second one with
the difference, and all of it; the last word is what the measurement takes as this program's time.
usage: memory_snapshots.py tracemalloc|pyrometer"""
import sys
import time

if sys.argv[1] == "tracemalloc":
    import tracemalloc
    take = tracemalloc.take_snapshot
    tracemalloc.start()
else:
    import pyrometer
    take = pyrometer.memory.snapshot
    take()  # begins


def make(count):
    return [bytearray(8) for _ in range(count)]  # two blocks each


kept = make(500000)
time.sleep(0.5)  # whoever reads along has read
begin = time.perf_counter()
first = take()
middle = time.perf_counter()
more = make(1000)
second = take()
rows = second.compare_to(first, "lineno")
assert len(kept) == 500000 and 60000 < rows[0].size_diff < 90000, rows[0]
print(middle - begin, time.perf_counter() - middle, time.perf_counter() - begin)
