"""What a program allocates: `memory`, a region or decorator, with `memory.snapshot`; and `mark`."""
import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Tuple, Type, TypeVar, Union, cast

from pyrometer import _through
from pyrometer._agent import Error
from pyrometer._memory_agent import BEGAN, BEGIN_BYTES, BYTES, END, FORGET, GOT_BYTES, NOW, NUMBERS, PEAK_BYTES, WATCH, agent, preloaded, quiet
from pyrometer._snapshots import Difference, MemoryRow, Snapshot

if TYPE_CHECKING:
    from os import PathLike

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class MemoryCall(NamedTuple):
    """A call of a function that is decorated with @pyrometer.memory. Bytes."""

    kept: int  # live at its end, less what was live at its beginning
    peak: int  # the most in between, less the same
    got: int  # in all


class Memory(_through.Runs):
    """What the process allocates while it is entered: of all threads. Entering it again only counts how often."""

    def __init__(self) -> None:
        self._watch, self._depth, self._process = 0, 0, 0
        self.calls: List[MemoryCall] = []  # of a function that is decorated
        self._seen = False

    def _count(self, more: int) -> int:
        with agent.lock:
            self._depth += more
            return self._depth

    def _enter(self) -> None:
        if self._process != os.getpid():  # the first time, or in the child of a fork
            self._watch, self._depth, self._process = 0, 0, os.getpid()
        if self._count(1) > 1:
            return
        with quiet:
            library = agent.library()
            agent.listen(library, 1)
            if self._watch:
                library.pyrometer_memory_ask(FORGET, self._watch, 0)
            self._watch = agent.new_watch()
        library.pyrometer_memory_ask(WATCH, self._watch, 0)

    def _leave(self) -> None:
        if self._process != os.getpid() or not self._depth:
            return
        library = agent.loaded
        if self._count(-1) or library is None:
            return
        library.pyrometer_memory_ask(END, self._watch, 0)
        with quiet:
            agent.listen(library, -1)

    def __enter__(self) -> "Memory":
        self._enter()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self._leave()

    def __del__(self) -> None:
        library = agent.loaded if agent is not None else None
        if library is not None and getattr(self, "_watch", False) and self._process == os.getpid():
            library.pyrometer_memory_ask(FORGET, self._watch, 0)

    # ---- what was measured ----

    def _numbers(self) -> List[int]:
        if not self._watch or self._process != os.getpid():
            raise Error("nothing was measured: `with pyrometer.memory() as m:` comes first")
        with quiet:
            return agent.ask(NUMBERS, self._watch)

    @property
    def current(self) -> int:
        """Bytes that are live now, or were at the end, less what was live at the beginning."""
        words = self._numbers()
        return words[BYTES] - words[BEGIN_BYTES]

    leaked = current

    @property
    def peak(self) -> int:
        """The most that was live in between, less what was live at the beginning."""
        words = self._numbers()
        return words[PEAK_BYTES] - words[BEGIN_BYTES]

    @property
    def got(self) -> int:
        """Bytes of all that was allocated in between."""
        return self._numbers()[GOT_BYTES]

    @property
    def before(self) -> int:
        """Bytes that were live at the beginning, as far as they had been seen."""
        return self._numbers()[BEGIN_BYTES]

    def difference(self) -> Difference:
        words = self._numbers()
        return Difference(words[BEGAN], words[NOW])

    def top(self, rows: Optional[int] = 10, *, by: str = "line") -> List[MemoryRow]:
        """What has most more than at the beginning."""
        return self.difference().top(rows, by=by)

    def print_stats(self, rows: int = 10, *, by: str = "line") -> None:
        self._seen = True
        self.difference().print_stats(rows, by=by)

    def save(self, *paths: "Union[str, PathLike[str]]") -> None:
        self.difference().save(*paths)

    # ---- a decorator ----

    def __call__(self, function: "Decorated") -> "Decorated":
        import atexit
        from functools import wraps

        if not callable(function) or isinstance(function, type):
            raise TypeError("%r is no function: decorate functions" % (function,))
        calls, name = self.calls, getattr(function, "__qualname__", repr(function))

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            region = Memory()
            region._enter()
            try:
                return function(*args, **kwargs)
            finally:
                region._leave()
                with quiet:
                    words = region._numbers()
                    calls.append(MemoryCall(words[BYTES] - words[BEGIN_BYTES], words[PEAK_BYTES] - words[BEGIN_BYTES], words[GOT_BYTES]))

        wrapper.memory = self  # type: ignore[attr-defined]
        atexit.register(_print_at_exit, self, name)
        return cast("Decorated", wrapper)


def _print_at_exit(region: Memory, name: str) -> None:
    import sys

    if region._seen or not region.calls or sys.stderr is None:
        return
    lines = ["pyrometer: memory of %s: %d call%s" % (name, len(region.calls), "" if len(region.calls) == 1 else "s"),
             "    call            kept            peak             got"]
    lines += ["%8d" % number + "".join("%16s" % "{:,} B".format(value) for value in call) for number, call in _chosen(region.calls)]
    sys.stderr.write("\n".join(lines) + "\n")


def _chosen(calls: List[MemoryCall], most: int = 20) -> "List[Tuple[int, MemoryCall]]":
    """The first and the last ones of many."""
    numbered = list(enumerate(calls, 1))
    return numbered if len(numbered) <= most else numbered[:most // 2] + numbered[-most // 2:]


class _MemoryFunction:
    """`pyrometer.memory`: called, a region or a decorator; and what belongs to it."""

    def __call__(self, function: Any = None) -> Any:
        """Measures memory: `with pyrometer.memory() as m:`, `@pyrometer.memory`."""
        region = Memory()
        return region if function is None else region(function)

    def snapshot(self) -> Snapshot:
        """What is live now."""
        return Snapshot()


memory = _MemoryFunction()


def mark(name: str) -> None:
    """A phase of the program begins: `pyrometer memory` tells the peak of each. Elsewhere nothing happens."""
    if not isinstance(name, str):
        raise TypeError("mark() needs the name of a phase, not %r" % (name,))
    if preloaded is None:
        return
    with quiet:
        text = name.encode("utf-8", "surrogateescape")
        agent.library().pyrometer_memory_mark(text, len(text))
