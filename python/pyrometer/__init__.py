"""Pyrometer: where the time of a Python program goes. The work is done by the program `pyrometer`, written in C.

    with pyrometer.calls() as p:      # counts and times every call, of all threads; also @pyrometer.calls
        work()
    p.print_stats(10, sort="cumtime")
    p.save("a.pyro")                  # or .pstats, .svg, .json ...: what `pyrometer report -o` writes

    with pyrometer.lines(functions=[work, "pkg.mod:*"]) as p:      # every line of these; also @pyrometer.lines
        main()
    p.print_stats()

    with pyrometer.memory() as m:     # what is allocated, of all threads; also @pyrometer.memory
        work()
    print(m.current, m.peak, m.top(10, by="line"))
    before = pyrometer.memory.snapshot(); work(); print(pyrometer.memory.snapshot() - before)

`Profile` has the methods of cProfile.Profile; `run`, `runctx` are those of cProfile.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from pyrometer._agent import Error
    from pyrometer._calls import Profile, Row, calls
    from pyrometer._lines import LineRow, Lines, lines
    from pyrometer._memory import Memory, MemoryCall, mark, memory
    from pyrometer._snapshots import MemoryRow, Snapshot
    from pyrometer._through import run, runcall, runctx

__all__ = ["Error", "LineRow", "Lines", "Memory", "MemoryCall", "MemoryRow", "Profile", "Row", "Snapshot", "calls", "find_program", "lines",
           "mark", "memory", "run", "runcall", "runctx"]

# Where names lie that are loaded when they are first used: to import this package costs next to nothing.
_MODULES = {"Error": "_agent", "Profile": "_calls", "Row": "_calls", "calls": "_calls",
            "LineRow": "_lines", "Lines": "_lines", "lines": "_lines",
            "Memory": "_memory", "MemoryCall": "_memory", "MemoryRow": "_snapshots", "Snapshot": "_snapshots", "mark": "_memory", "memory": "_memory",
            "run": "_through", "runcall": "_through", "runctx": "_through"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'pyrometer' has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module("pyrometer." + _MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> "List[str]":
    return sorted({*globals(), *__all__})


def find_program() -> str:
    """The path of the installed program: beside this package's interpreter, else on PATH.

    Raises FileNotFoundError, with what to do, when it is not there.
    """
    import os
    import shutil
    import sysconfig

    name = "pyrometer" + (sysconfig.get_config_var("EXE") or "")
    schemes = [sysconfig.get_path("scripts")]
    user_scheme = {"posix": "posix_user", "nt": "nt_user"}.get(os.name)
    if user_scheme in sysconfig.get_scheme_names():
        schemes.append(sysconfig.get_path("scripts", user_scheme))
    # `pip install --target FOLDER` puts programs into FOLDER/bin, where no scheme looks.
    schemes.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bin"))
    for folder in schemes:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError("the program 'pyrometer' is not beside this Python and not on PATH: pip install pyrometer")
    return found
