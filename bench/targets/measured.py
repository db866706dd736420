"""What the targets of calls.py, lines.py and memory.py share: runs the work so many times, the best of three (of best_of), and prints the
seconds that it took, under the profiler that the last word of the command line names:

    plain | cprofile | cprofile-builtins | viztracer | viztracer-builtins | yappi | line_profiler | nothing"""
import inspect
import sys
import time


def _cprofile(builtins):
    import cProfile
    profile = cProfile.Profile(builtins=builtins)
    return profile.enable, profile.disable


def _viztracer(builtins):
    import viztracer
    tracer = viztracer.VizTracer(verbose=0, ignore_c_function=not builtins)
    return tracer.start, tracer.stop


def _yappi(builtins):
    import yappi
    yappi.set_clock_type("wall")
    return (lambda: yappi.start(builtins=builtins)), yappi.stop


def _line_profiler(_):
    """Of all functions of the program."""
    import line_profiler
    profiler = line_profiler.LineProfiler()
    main = sys.modules["__main__"]
    holders = [main] + [value for value in vars(main).values() if inspect.isclass(value)]
    for function in {value for holder in holders for value in vars(holder).values() if inspect.isfunction(value)}:
        if function.__module__ == "__main__":
            profiler.add_function(function)
    return profiler.enable, profiler.disable


def _nothing(_):
    import trace_nothing  # lines.py compiles it
    return trace_nothing.on, trace_nothing.off


def run(work, times=1, best_of=3):
    tool, _, builtins = sys.argv[-1].partition("-")
    start, stop = {"cprofile": _cprofile, "viztracer": _viztracer, "yappi": _yappi, "line_profiler": _line_profiler, "nothing": _nothing}.get(
        tool, lambda _: (lambda: None, lambda: None))(builtins == "builtins")
    best = float("inf")
    for _ in range(best_of):
        start()
        begun = time.perf_counter()
        for _ in range(times):
            work()
        took = time.perf_counter() - begun
        stop()
        best = min(best, took)
    print(best)
