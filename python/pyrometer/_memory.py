"""What a program allocates: `memory`, a region or decorator, and `memory.snapshot`.

The agent (src/agent/memory/api.c) writes allocations down; pyrometer, which reads them as they come, has the sums and
the recording. In a program that `pyrometer memory` started that is the command itself; else it is started here, beside
this process, and what is heard are Python's allocators, from the first use on.
"""
import _thread
import ctypes
import os
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple, Type, TypeVar, Union, cast

from pyrometer import _program, _through
from pyrometer._agent import Error, check

if TYPE_CHECKING:
    from os import PathLike

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

VERSION = 1  # of the agent's functions
WATCH, END, NUMBERS, FORGET, RESTART = 1, 2, 3, 4, 5  # enum stream_ask
ANSWER_WORDS = 8
PATIENCE = 10.0  # seconds, for an answer
KEYS = {"lineno": "line", "filename": "file"}  # tracemalloc's words


def _find_preloaded() -> Optional[ctypes.PyDLL]:
    library = ctypes.PyDLL(None)
    return library if hasattr(library, "pyrometer_memory_version") else None


def _name_package(library: ctypes.PyDLL) -> None:
    """What its code gets is nobody's."""
    library.pyrometer_memory_set_package(os.fsencode(os.path.join(os.path.dirname(os.path.abspath(__file__)), "")))


class _Agent:
    """The agent of memory in this process, and the questions to who reads what it writes."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()  # of questions, one at a time; and of whoever begins
        self._library: Optional[ctypes.PyDLL] = None
        self._process = 0  # in which the next ones are so
        self._listeners = 0  # regions that are open, and one for ever once a snapshot was taken
        self._listening = self._kept = False
        self._watches = 0
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self._lock = _thread.allocate_lock()
        self._listeners, self._listening, self._kept = 0, False, False

    def _load(self) -> ctypes.PyDLL:
        library = _find_preloaded()
        if library is None:
            path = _program.ask("help", "--memory-agent").decode("utf-8", "surrogateescape").rstrip("\n")
            try:
                library = ctypes.PyDLL(path)
            except OSError as error:
                raise Error("the agent cannot be loaded into this Python: %s" % error) from None
        if library.pyrometer_memory_version() != VERSION:
            raise Error("the program %s is of another version than this package" % _program.path())
        library.pyrometer_memory_begin.restype = library.pyrometer_memory_folder.restype = ctypes.c_char_p
        library.pyrometer_memory_begin.argtypes = [ctypes.c_char_p]
        _name_package(library)
        library.pyrometer_memory_ask.restype = ctypes.c_uint32
        library.pyrometer_memory_ask.argtypes = [ctypes.c_uint32, ctypes.c_uint32, ctypes.c_int]
        library.pyrometer_memory_mark.restype, library.pyrometer_memory_mark.argtypes = None, [ctypes.c_char_p, ctypes.c_size_t]
        library.pyrometer_memory_answer.argtypes = [ctypes.c_uint32, ctypes.c_uint64 * ANSWER_WORDS]
        return library

    def _begin(self) -> ctypes.PyDLL:
        library = self._library or self._load()
        self._library = library
        if not library.pyrometer_memory_is_on():
            folder = _program.Folder().__enter__().path  # pyrometer removes it
            why = library.pyrometer_memory_begin(os.fsencode("memory\nfolder=%s\n" % folder))
            if why is not None:
                os.rmdir(folder)
                check(why)
            _program.ask("memory", "--collect", folder, "-p", str(os.getpid()))
            self._listening = False
        return library

    def library(self) -> ctypes.PyDLL:
        """With a session that is on."""
        library = self._library
        if library is None or not library.pyrometer_memory_is_on():
            with self._lock:
                library = self._begin()
        return library

    @property
    def is_own(self) -> bool:
        return bool(self._library and self._library.pyrometer_memory_is_own())

    def listen(self, library: ctypes.PyDLL, more: int) -> None:
        """While anything is open, of a session of our own."""
        self._listeners += more
        wanted = self._listeners > 0
        if not library.pyrometer_memory_is_own() or wanted == self._listening:
            return
        self._listening = wanted
        library.pyrometer_memory_listen(wanted)
        if wanted:
            library.pyrometer_memory_ask(RESTART, 0, 0)

    def keep_listening(self, library: ctypes.PyDLL) -> None:
        if not self._kept:
            self._kept = True
            self.listen(library, 1)

    def new_watch(self) -> int:
        self._watches += 1
        return self._watches

    def ask(self, what: int, watch: int = 0) -> List[int]:
        """The answer's words (enum stream_answer)."""
        library, words = self.library(), (ctypes.c_uint64 * ANSWER_WORDS)()
        with self._lock:
            question = library.pyrometer_memory_ask(what, watch, 1)
            until, state = time.monotonic() + PATIENCE, 0
            while question and not state and time.monotonic() < until:
                state = library.pyrometer_memory_answer(question, words)
                if not state:
                    time.sleep(0.0002)
        if state != 1:
            raise Error("pyrometer, which reads what this process allocates, does not answer")
        return list(words)

    def recording(self) -> str:
        """Of all that was allocated so far."""
        folder = os.fsdecode(self.library().pyrometer_memory_folder())
        path = os.path.join(folder, "recording-0")
        if not os.path.exists(path):
            raise Error("`pyrometer memory` was told to write no recording (.pyro), from which this could be answered")
        return os.path.realpath(path)


_agent = _Agent()
_preloaded = _find_preloaded()
if _preloaded is not None:  # before any of our code is seen
    _name_package(_preloaded)


class _Quiet:
    """What is allocated in here, by this thread, is the package's own and not measured; what it frees is."""

    def __enter__(self) -> None:
        library = _agent.library()
        library.pyrometer_memory_quiet(1)

    def __exit__(self, *words: object) -> None:
        library = _agent._library
        if library is not None:
            library.pyrometer_memory_quiet(0)


_quiet = _Quiet()


class MemoryRow(NamedTuple):
    """Memory of a line, a function, ... Bytes are those asked for of the allocators."""

    label: str  # "file:line", a function's name, a file, an allocator, a thread
    size: int
    count: int  # blocks
    size_diff: int  # since the beginning
    count_diff: int
    traceback: Tuple[Tuple[str, int, str], ...]  # (file, line, function), the innermost last; of rows by line or function only that

    @property
    def average(self) -> float:
        return self.size / self.count if self.count else 0.0


def _word(key: str) -> str:
    word = KEYS.get(key, key)
    if word not in ("line", "function", "file", "traceback", "allocator", "thread"):
        raise ValueError("by=%r is none of 'line', 'function', 'file', 'traceback', 'allocator', 'thread'" % (key,))
    return word


class _Report:
    """What the recording says of two moments: its rows and texts. `began` 0: of the later one alone."""

    def __init__(self, began: int, now: int) -> None:
        self._words = ["--between", "%.9f" % (began / 1e9), "%.9f" % (now / 1e9)] if began else ["--at", "%.9f" % (now / 1e9)]

    def ask(self, *words: str) -> bytes:
        return _program.ask("report", *self._words, *words, "--", _agent.recording(), warn=False)  # it is not ended

    def rows(self, by: str) -> List[MemoryRow]:
        import json

        report = json.loads(self.ask("--format", "json", "--full-paths").decode("utf-8", "replace"))
        parents, frame_of = report["stacks"]["parent"], report["stacks"]["frame"]
        frames = [(frame["file"], frame["line"], frame["function"]) for frame in report["frames"]]
        names = {thread["id"]: thread["name"] for thread in report["threads"]}

        def path_of(stack: int) -> Tuple[Tuple[str, int, str], ...]:
            path = []
            while stack:
                path.append(frames[frame_of[stack]])
                stack = parents[stack]
            return tuple(reversed(path))

        sums: Dict[Any, List[int]] = {}
        paths: Dict[Any, Tuple[Tuple[str, int, str], ...]] = {}
        known: Dict[int, Tuple[Any, Any]] = {}
        for row in report["rows"]:
            if row["allocator"].startswith("mmap of"):
                continue
            stack = row["stack"]
            if by in ("allocator", "thread"):
                key = row["allocator"] if by == "allocator" else names.get(row["thread"], "")
                path: Tuple[Tuple[str, int, str], ...] = ()
            else:
                if stack not in known:
                    whole = path_of(stack) if by == "traceback" else path_of_leaf(stack, frames, frame_of)
                    leaf = whole[-1] if whole else ("", 0, "")
                    known[stack] = ({"line": leaf[:2], "function": (leaf[0], leaf[2]), "file": leaf[0], "traceback": whole}[by], whole)
                key, path = known[stack]
            total = sums.setdefault(key, [0, 0, 0, 0])
            paths.setdefault(key, path)
            shown, difference = row["shown"], row.get("difference") or {"bytes": 0, "count": 0}
            for place, value in enumerate((shown["bytes"], shown["count"], difference["bytes"], difference["count"])):
                total[place] += value
        return [MemoryRow(_label(by, key, paths[key]), total[0], total[1], total[2], total[3], paths[key] if by in ("line", "function", "traceback") else ())
                for key, total in sums.items()]


def path_of_leaf(stack: int, frames: List[Tuple[str, int, str]], frame_of: List[int]) -> Tuple[Tuple[str, int, str], ...]:
    return (frames[frame_of[stack]],) if stack else ()


def _label(by: str, key: Any, path: Tuple[Tuple[str, int, str], ...]) -> str:
    if by in ("file", "allocator", "thread"):
        return cast(str, key) or "<no Python>"
    if not path:
        return "<no Python>"
    return "%s (%s)" % (path[-1][2], path[-1][0]) if by == "function" else "%s:%d" % path[-1][:2]


def _sorted(rows: Iterable[MemoryRow], differences: bool) -> List[MemoryRow]:
    """As tracemalloc does."""
    if differences:
        return sorted(rows, key=lambda row: (abs(row.size_diff), row.size, abs(row.count_diff), row.count, row.label), reverse=True)
    return sorted(rows, key=lambda row: (row.size, row.count, row.label), reverse=True)


class Difference:
    """What there is at one moment, and how much more that is than at an earlier one."""

    def __init__(self, began: int, now: int) -> None:
        self._report = _Report(began, now)

    def top(self, rows: Optional[int] = 10, *, by: str = "line") -> List[MemoryRow]:
        """The greatest differences."""
        with _quiet:
            return _sorted((row for row in self._report.rows(_word(by)) if row.size_diff or row.count_diff), True)[:rows]

    def text(self, rows: int = 10, *, by: str = "line") -> str:
        """What `pyrometer report --between` prints, in tracemalloc's words."""
        with _quiet:
            return self._report.ask("-n", str(rows), "--by", _word(by)).decode("utf-8", "replace")

    __str__ = text

    def print_stats(self, rows: int = 10, *, by: str = "line") -> None:
        print(self.text(rows, by=by), end="")

    def save(self, *paths: "Union[str, PathLike[str]]") -> None:
        """Writes files, whose names give the format: .svg, .json, .collapsed ...; .pyro is all that was measured so far."""
        if not paths:
            raise TypeError("save() needs the name of a file")
        with _quiet:
            self._report.ask(*(word for path in paths for word in ("-o", os.fspath(path))))


class Snapshot:
    """All memory that is live at a moment, as far as it was seen: everything since the program's start under `pyrometer
    memory`, else what was got since this package first measured."""

    def __init__(self) -> None:
        with _quiet:
            _agent.keep_listening(_agent.library())
            words = _agent.ask(NUMBERS)
        self.time: int = words[1]  # nanoseconds of the recording
        self.size: int = words[3]
        self.count: int = words[5]

    def __sub__(self, other: "Snapshot") -> Difference:
        return Difference(other.time, self.time) if isinstance(other, Snapshot) else NotImplemented

    def top(self, rows: Optional[int] = 10, *, by: str = "line") -> List[MemoryRow]:
        """What has most."""
        with _quiet:
            return _sorted((row for row in _Report(0, self.time).rows(_word(by)) if row.size or row.count), False)[:rows]

    def statistics(self, key_type: str) -> List[MemoryRow]:
        """As tracemalloc.Snapshot: by "lineno", "filename", "traceback"."""
        return self.top(None, by=key_type)

    def compare_to(self, old: "Snapshot", key_type: str) -> List[MemoryRow]:
        return (self - old).top(None, by=key_type)

    def print_stats(self, rows: int = 10, *, by: str = "line") -> None:
        with _quiet:
            text = _Report(0, self.time).ask("-n", str(rows), "--by", _word(by)).decode("utf-8", "replace")
        print(text, end="")

    def save(self, *paths: "Union[str, PathLike[str]]") -> None:
        """As Difference.save()."""
        if not paths:
            raise TypeError("save() needs the name of a file")
        with _quiet:
            _Report(0, self.time).ask(*(word for path in paths for word in ("-o", os.fspath(path))))


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

    def _enter(self) -> None:
        if self._process != os.getpid():  # the first time, or in the child of a fork
            self._watch, self._depth, self._process = 0, 0, os.getpid()
        self._depth += 1
        if self._depth > 1:
            return
        with _quiet:
            library = _agent.library()
            _agent.listen(library, 1)
            if self._watch:
                library.pyrometer_memory_ask(FORGET, self._watch, 0)
            self._watch = _agent.new_watch()
        library.pyrometer_memory_ask(WATCH, self._watch, 0)

    def _leave(self) -> None:
        if self._process != os.getpid() or not self._depth:
            return
        self._depth -= 1
        if self._depth:
            return
        library = _agent.library()
        library.pyrometer_memory_ask(END, self._watch, 0)
        with _quiet:
            _agent.listen(library, -1)

    def __enter__(self) -> "Memory":
        self._enter()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self._leave()

    def __del__(self) -> None:
        if getattr(self, "_watch", 0) and self._process == os.getpid() and _agent._library is not None:
            _agent._library.pyrometer_memory_ask(FORGET, self._watch, 0)

    # ---- what was measured ----

    def _numbers(self) -> List[int]:
        if not self._watch or self._process != os.getpid():
            raise Error("nothing was measured: `with pyrometer.memory() as m:` comes first")
        with _quiet:
            return _agent.ask(NUMBERS, self._watch)

    @property
    def current(self) -> int:
        """Bytes that are live now, or were at the end, less what was live at the beginning."""
        words = self._numbers()
        return words[3] - words[2]

    leaked = current

    @property
    def peak(self) -> int:
        """The most that was live in between, less what was live at the beginning."""
        words = self._numbers()
        return words[6] - words[2]

    @property
    def got(self) -> int:
        """Bytes of all that was allocated in between."""
        return self._numbers()[7]

    @property
    def before(self) -> int:
        """Bytes that were live at the beginning, as far as they had been seen."""
        return self._numbers()[2]

    def difference(self) -> Difference:
        words = self._numbers()
        return Difference(words[0], words[1])

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
                with _quiet:
                    words = region._numbers()
                    calls.append(MemoryCall(words[3] - words[2], words[6] - words[2], words[7]))

        wrapper.memory = self  # type: ignore[attr-defined]
        atexit.register(_print_at_exit, self, name)
        return cast("Decorated", wrapper)


def _print_at_exit(region: Memory, name: str) -> None:
    import sys

    if region._seen or not region.calls or sys.stderr is None:
        return
    lines = ["pyrometer: memory of %s: %d call%s" % (name, len(region.calls), "" if len(region.calls) == 1 else "s"),
             "    call            kept            peak             got"]
    lines += ["%8d %15s %15s %15s" % (number, *("{:,} B".format(value) for value in call)) for number, call in _chosen(region.calls)]
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
    if _preloaded is None:
        return
    with _quiet:
        text = name.encode("utf-8", "surrogateescape")
        _agent.library().pyrometer_memory_mark(text, len(text))
