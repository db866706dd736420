"""Prints when its first line ran, by the clock that all processes share."""
import time
print("first line at", time.perf_counter())
