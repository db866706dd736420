"""Lines, counted and timed exactly: `lines`, for a region, or as a decorator."""
import os
import sys
import types
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, NamedTuple, Optional, Union, overload

from pyrometer import _agent, _program, _region

if TYPE_CHECKING:
    from os import PathLike
    from typing_extensions import Literal

    from pyrometer._region import Decorated

    Threads = Literal["all", "current"]

COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class LineRow(NamedTuple):
    """A line that was hit. Times in seconds."""

    file: str
    function: str
    line: int
    hits: int
    time: float  # with what it called
    own: float  # without calls of functions that were measured, too


def _with_comprehensions(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType) and each.co_name in COMPREHENSIONS:
            yield from _with_comprehensions(each)


def _of_class(kind: type) -> Iterator[types.CodeType]:
    for each in list(vars(kind).values()):
        if not isinstance(each, type):
            yield from _codes_of(each)


def _codes_of(what: Any) -> Iterator[types.CodeType]:
    """Of a function, method, property, class, or whatever leads to one; nothing of what does not."""
    if isinstance(what, types.CodeType):
        yield from _with_comprehensions(what)
    elif isinstance(what, type):
        yield from _of_class(what)
    elif isinstance(what, property):
        for accessor in (what.fget, what.fset, what.fdel):
            yield from _codes_of(accessor)
    else:
        for name in ("__wrapped__", "__func__", "func"):
            inner = getattr(what, name, None)
            if inner is not None and inner is not what:
                yield from _codes_of(inner)
        code = getattr(what, "__code__", None)
        if isinstance(code, types.CodeType):
            yield from _with_comprehensions(code)


def _of_module(module: types.ModuleType, pattern: str) -> Iterator[types.CodeType]:
    """Functions and methods that are the module's own and whose qualified names match."""
    import fnmatch

    waiting: List[Any] = list(vars(module).values())
    seen = set()
    while waiting:
        what = waiting.pop()
        if id(what) in seen or getattr(what, "__module__", None) != module.__name__:
            continue
        seen.add(id(what))
        if isinstance(what, type):
            waiting += [getattr(each, "__func__", each) for each in vars(what).values()]
        elif fnmatch.fnmatchcase(getattr(what, "__qualname__", ""), pattern):
            yield from _codes_of(what)


def _find(pattern: str) -> List[types.CodeType]:
    import importlib

    name, colon, names = pattern.partition(":")
    if not colon:
        raise ValueError("%r names no module: write 'package.module:function', 'package.module:Class.*' or 'package.module:*'" % pattern)
    codes = list(_of_module(importlib.import_module(name), names or "*"))
    if not codes:
        raise ValueError("no function of the module %s matches %r" % (name, names))
    return codes


class Lines(_region.Region):
    """Measures lines of what was added to it, while it is entered."""

    orders = "lines\nmarked=\n"

    def __init__(self, functions: Iterable[Any] = (), *, threads: "Threads" = "all") -> None:
        if threads not in _region.THREADS:
            raise ValueError("threads=%r is neither 'all' nor 'current'" % (threads,))
        super().__init__(_region.THREADS[threads])
        self._codes: List[types.CodeType] = []
        self._chosen = 0  # how many of them the agent knows, in this process
        self._chosen_in = 0
        self._seen = False
        for each in functions:
            self.add(each)

    def add(self, what: Any) -> None:
        """A function, class or module, or a pattern: 'package.module:Class.*'. What is under way already is not measured."""
        if isinstance(what, str):
            codes = _find(what)
        elif isinstance(what, types.ModuleType):
            codes = list(_of_module(what, "*"))
        else:
            codes = list(_codes_of(what))
        if not codes:
            raise TypeError("%r has no lines that could be measured: give functions, classes or modules" % (what,))
        self._codes += [code for code in codes if not any(code is known for known in self._codes)]
        if self._chosen_in == os.getpid():
            self._choose()

    def _choose(self) -> None:
        if self._chosen_in != os.getpid():
            self._chosen, self._chosen_in = 0, os.getpid()
        for code in self._codes[self._chosen:]:
            _agent.check(self._agent.region_choose(self._region, code))
        self._chosen = len(self._codes)

    def _enter(self) -> None:
        if not self._codes:
            raise _agent.Error("no function was chosen: pyrometer.lines(functions=[...])")
        self._agent.begin_session(self.orders)
        self._choose()
        super()._enter()

    # ---- what was measured ----

    def _report(self, *words: str) -> bytes:
        self._seen = True
        with _program.Folder() as folder:
            path = folder.file("lines")
            self._write(path)
            return _program.ask("report", *words, "--", path)

    def print_stats(self, *, unit: Optional[float] = None, skip_zero: bool = False, summarize: bool = False,
                    sort: Optional[str] = None, own: bool = False) -> None:
        """Prints what `pyrometer report` prints, which is what line_profiler prints. `own`: a column for the time without
        what was called and measured, too."""
        words = [word for word, asked in (("--skip-zero", skip_zero), ("--summarize", summarize), ("--self", own)) if asked]
        words += ["--unit", repr(unit)] if unit is not None else []
        words += ["--sort", sort] if sort is not None else []
        print(self._report(*words).decode("utf-8", "replace"), end="")

    def save(self, *paths: "Union[str, PathLike[str]]") -> None:
        """Writes files, whose names give the format: .pyro keeps everything; .lprof, .json, .svg ..."""
        if not paths:
            raise TypeError("save() needs the name of a file")
        self._report(*(word for path in paths for word in ("-o", os.fspath(path))))

    def stats(self) -> List[LineRow]:
        """A row for each line that was hit."""
        import json

        report = json.loads(self._report("--format", "json"))
        return [LineRow(function["path"], function["name"], line["line"], line["hits"], line["time_ns"] / 1e9, line["self_ns"] / 1e9)
                for function in report["functions"] for line in function["lines"] if line["hits"]]

    def _decorate(self, function: Any) -> Any:
        """Measured whenever it runs, from now on: it stays what it is. Reported on stderr at the program's end, unless it was asked
        for before."""
        import atexit

        self.add(function)
        self.enable()
        inner = getattr(function, "__func__", function)
        atexit.register(_print_at_exit, self, getattr(inner, "__qualname__", repr(function)))
        if isinstance(inner, types.FunctionType):
            inner.lines = self  # type: ignore[attr-defined]
        return function


def _print_at_exit(region: Lines, name: str) -> None:
    if region._seen:
        return
    try:
        text = region._report().decode("utf-8", "replace")
    except _agent.Error as error:
        text = "%s\n" % error
    if sys.stderr is not None:
        sys.stderr.write("pyrometer: lines of %s\n%s" % (name, text))


@overload
def lines(function: "Decorated", /) -> "Decorated": ...
@overload
def lines(*, functions: Iterable[Any] = (), threads: "Threads" = "all") -> Lines: ...


def lines(function: Any = None, /, *, functions: Iterable[Any] = (), threads: "Threads" = "all") -> Any:
    """Measures lines: `with pyrometer.lines(functions=[work, "pkg.mod:*"]) as p:`, `@pyrometer.lines`.

    What was decorated has what was measured as its attribute `lines`.
    """
    region = Lines(functions, threads=threads)
    return region if function is None else region(function)
