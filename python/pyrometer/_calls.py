"""Calls, counted and timed exactly: the class Profile, which does what cProfile.Profile does, and `calls`."""
import sys
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple, TypeVar, Union, cast, overload

from pyrometer import _agent, _program, _region

if TYPE_CHECKING:
    from os import PathLike
    from typing_extensions import Literal

    from pyrometer._region import Decorated

    Threads = Literal["all", "current"]

Sort = Union[str, int]
Key = Tuple[str, int, str]
Callers = Dict[Key, Tuple[int, int, float, float]]
SORTS = {-1: "stdname", 0: "calls", 1: "time", 2: "cumulative"}  # numbers that cProfile and pstats take


class Row(NamedTuple):
    """A function: what a line of print_stats() says, and more. Times in seconds."""

    label: str  # as print_stats() names it
    name: str
    qualname: str  # empty before Python 3.11, and of builtins
    file: str  # the whole path; empty of builtins
    line: int
    builtin: bool
    ncalls: int
    primitive: int  # of these, calls that were no recursion
    resumed: int  # of generators and coroutines, besides ncalls
    tottime: float
    cumtime: float
    suspended: float
    unwound: int  # how often it was left by an exception


class Code(NamedTuple):
    """Stands for a code object in getstats()."""

    co_filename: str
    co_firstlineno: int
    co_name: str


class SubEntry(NamedTuple):
    code: Union[Code, str]
    callcount: int
    reccallcount: int
    totaltime: float
    inlinetime: float


class Entry(NamedTuple):
    code: Union[Code, str]
    callcount: int
    reccallcount: int
    totaltime: float
    inlinetime: float
    calls: Optional[List[SubEntry]]


class Statistics:
    """`profile.stats`: called, it gives rows. As a mapping it is what create_stats() makes of it for pstats."""

    def __init__(self, profile: "Profile") -> None:
        self._profile = profile

    def __call__(self, *, sort: "Optional[Sort]" = None) -> List[Row]:
        return self._profile._rows(sort)


def _code_of(key: Key) -> Union[Code, str]:
    return key[2] if key[:2] == ("~", 0) else Code(*key)


def _word_of(sort: "Sort") -> str:
    """As the program takes it."""
    value = getattr(sort, "value", sort)  # pstats.SortKey
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError("sort by one word, as in sort='cumtime', not %r" % (sort,))
    if isinstance(value, int) and value not in SORTS:
        raise ValueError("sort=%r is none of -1, 0, 1, 2" % (sort,))
    return SORTS[value] if isinstance(value, int) else value


class Profile(_region.Region):
    """Counts calls while it is entered: as `with profile:`, as a decorator, by enable() and disable(), by runcall().

    `threads`: "all", or "current": only those of the thread that enters it.
    """

    def __init__(self, *, builtins: bool = True, threads: "Threads" = "all") -> None:
        if threads not in _region.THREADS:
            raise ValueError("threads=%r is neither 'all' nor 'current'" % (threads,))
        super().__init__((0 if builtins else _region.NO_BUILTINS) | _region.THREADS[threads])
        self._created: Optional[Dict[Key, Any]] = None
        self._seen = False  # somebody has asked for what it counted

    # ---- what was counted ----

    def _report(self, *words: str) -> bytes:
        self._seen = True
        with _program.Folder() as folder:
            path = folder.file("calls")
            self._write(path)
            return _program.ask("report", *words, "--", path)

    def _text(self, rows: Optional[int], sort: "Optional[Sort]", *words: str) -> str:
        more = ["-n", str(rows)] if rows is not None else []
        more += ["--sort", _word_of(sort)] if sort is not None else []
        return self._report(*more, *words).decode("utf-8", "replace")

    def print_stats(self, *restrictions: Union[int, str], sort: "Optional[Sort]" = None) -> None:
        """Prints what `pyrometer report` prints: a number limits the rows, a word says by what they are sorted."""
        rows: Optional[int] = None
        for each in restrictions:
            if isinstance(each, str):
                sort = each
            elif isinstance(each, int) and each > 0:
                rows = each if rows is None else min(rows, each)
            else:
                raise ValueError("%r is neither a number of rows, from 1, nor a word to sort by" % (each,))
        print(self._text(rows, sort), end="")

    def print_callers(self, pattern: str = "", *, sort: "Optional[Sort]" = None) -> None:
        """Who called the functions whose file:line(name) matches."""
        print(self._text(None, sort, "--callers", pattern or "."), end="")

    def print_callees(self, pattern: str = "", *, sort: "Optional[Sort]" = None) -> None:
        """What they called."""
        print(self._text(None, sort, "--callees", pattern or "."), end="")

    def save(self, *paths: "Union[str, PathLike[str]]") -> None:
        """Writes files, whose names give the format: .pyro keeps everything; .pstats, .callgrind, .svg, .json ..."""
        import os

        if not paths:
            raise TypeError("save() needs the name of a file")
        self._report(*(word for path in paths for word in ("-o", os.fspath(path))))

    def _rows(self, sort: "Optional[Sort]") -> List[Row]:
        import json

        report = json.loads(self._report("--format", "json", *(["--sort", _word_of(sort)] if sort is not None else [])))
        return [Row(each["label"], each["name"], each["qualname"], "" if each["builtin"] else each["path"], each["line"],
                    each["builtin"], each["ncalls"], each["primitive"], each["resumed"], each["tottime_ns"] / 1e9,
                    each["cumtime_ns"] / 1e9, each["suspended_ns"] / 1e9, each["unwound"]) for each in report["functions"]]

    # ---- as cProfile.Profile has it ----

    @property
    def stats(self) -> Statistics:
        """Called, rows. After create_stats() the dictionary of pstats, as cProfile's, until counting begins again."""
        return cast(Statistics, self._created) if self._created is not None else Statistics(self)

    @stats.setter
    def stats(self, value: Dict[Key, Any]) -> None:
        self._created = value or None  # pstats.Stats(profile) takes the dictionary and leaves an empty one

    def _pstats(self) -> Dict[Key, Any]:
        import marshal

        return cast(Dict[Key, Any], marshal.loads(self._report("--format", "pstats")))

    def _enter(self) -> None:
        self._created = None
        super()._enter()

    def snapshot_stats(self) -> None:
        self._created = self._pstats()

    def create_stats(self) -> None:
        self.disable()
        self.snapshot_stats()

    def dump_stats(self, file: "Union[str, PathLike[str]]") -> None:
        """Writes a file as cProfile does, whatever its name."""
        self.disable()
        with open(file, "wb") as opened:
            opened.write(self._report("--format", "pstats"))

    def getstats(self) -> List[Entry]:
        rows = self._pstats()
        callees: Dict[Key, List[SubEntry]] = {}
        for key, (_, _, _, _, callers) in rows.items():
            for caller, (count, primitive, own, total) in cast(Callers, callers).items():
                callees.setdefault(caller, []).append(SubEntry(_code_of(key), count, count - primitive, total, own))
        return [Entry(_code_of(key), count, count - primitive, total, own, callees.get(key))
                for key, (primitive, count, own, total, _) in rows.items()]

    def _show(self, filename: Optional[str], sort: "Sort") -> None:
        """The end of run()."""
        if filename is not None:
            self.dump_stats(filename)
        else:
            self.print_stats(sort=sort)


def _print_at_exit(profile: Profile, name: str) -> None:
    if profile._seen:
        return
    try:
        text = profile._text(None, None)
    except _agent.Error as error:
        text = "%s\n" % error
    if sys.stderr is not None:
        sys.stderr.write("pyrometer: calls of %s\n%s" % (name, text))


class Calls(Profile):
    """What calls() gives. What it decorates is reported on stderr at the program's end, unless it was asked for before."""

    def _decorate(self, function: Any) -> Any:
        import atexit

        wrapper = super()._decorate(function)
        inner = getattr(wrapper, "__func__", wrapper)
        inner.calls = self
        atexit.register(_print_at_exit, self, getattr(inner, "__qualname__", repr(function)))
        return wrapper


@overload
def calls(function: "Decorated", /) -> "Decorated": ...
@overload
def calls(*, builtins: bool = True, threads: "Threads" = "all") -> Calls: ...


def calls(function: Any = None, /, *, builtins: bool = True, threads: "Threads" = "all") -> Any:
    """Counts calls: `with pyrometer.calls() as p:`, `@pyrometer.calls`, `@pyrometer.calls(builtins=False)`.

    What was decorated has what was counted as its attribute `calls`.
    """
    profile = Calls(builtins=builtins, threads=threads)
    return profile if function is None else profile(function)
