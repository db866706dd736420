"""What is live at a moment, and what that is more than at another: moments of the one recording, of which `pyrometer report`
tells."""
import os
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union, cast

from pyrometer import _program
from pyrometer._memory_agent import BYTES, COUNT, NOW, NUMBERS, agent, quiet

if TYPE_CHECKING:
    from os import PathLike

KEYS = {"lineno": "line", "filename": "file"}  # tracemalloc's words


class MemoryRow(NamedTuple):
    """Memory of a line, a function, ... Bytes are those asked for of the allocators."""

    label: str  # "file:line", a function's name, a file, an allocator, a thread
    size: int
    count: int  # type: ignore[assignment]  # blocks
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
        return _program.ask("report", *self._words, *words, "--", agent.recording(), warn=False)  # it is not ended

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
                    whole = path_of(stack) if by == "traceback" else _path_of_leaf(stack, frames, frame_of)
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


def _path_of_leaf(stack: int, frames: List[Tuple[str, int, str]], frame_of: List[int]) -> Tuple[Tuple[str, int, str], ...]:
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


class _Shown:
    """What a report tells of one moment, or of two."""

    def __init__(self, report: _Report) -> None:
        self._report = report

    def _text(self, rows: int, by: str) -> str:
        with quiet:
            return self._report.ask("-n", str(rows), "--by", _word(by)).decode("utf-8", "replace")

    def print_stats(self, rows: int = 10, *, by: str = "line") -> None:
        """Prints what `pyrometer report` prints, in tracemalloc's words."""
        print(self._text(rows, by), end="")

    def save(self, *paths: "Union[str, PathLike[str]]") -> None:
        """Writes files, whose names give the format: .svg, .json, .collapsed ...; .pyro is all that was measured so far."""
        if not paths:
            raise TypeError("save() needs the name of a file")
        with quiet:
            self._report.ask(*(word for path in paths for word in ("-o", os.fspath(path))))


class Difference(_Shown):
    """What there is at one moment, and how much more that is than at an earlier one."""

    def __init__(self, began: int, now: int) -> None:
        super().__init__(_Report(began, now))

    def top(self, rows: Optional[int] = 10, *, by: str = "line") -> List[MemoryRow]:
        """The greatest differences."""
        with quiet:
            return _sorted((row for row in self._report.rows(_word(by)) if row.size_diff or row.count_diff), True)[:rows]

    def text(self, rows: int = 10, *, by: str = "line") -> str:
        """What print_stats() prints."""
        return self._text(rows, by)

    __str__ = text


class Snapshot(_Shown):
    """All memory that is live at a moment, as far as it was seen: everything since the program's start under `pyrometer
    memory`, else what was got since this package first measured."""

    def __init__(self) -> None:
        with quiet:
            agent.keep_listening(agent.library())
            words = agent.ask(NUMBERS)
        self.time: int = words[NOW]  # nanoseconds of the recording
        self.size: int = words[BYTES]
        self.count: int = words[COUNT]
        super().__init__(_Report(0, self.time))

    def __sub__(self, other: "Snapshot") -> Difference:
        return Difference(other.time, self.time) if isinstance(other, Snapshot) else NotImplemented

    def top(self, rows: Optional[int] = 10, *, by: str = "line") -> List[MemoryRow]:
        """What has most."""
        with quiet:
            return _sorted((row for row in self._report.rows(_word(by)) if row.size or row.count), False)[:rows]

    def statistics(self, key_type: str) -> List[MemoryRow]:
        """As tracemalloc.Snapshot: by "lineno", "filename", "traceback"."""
        return self.top(None, by=key_type)

    def compare_to(self, old: "Snapshot", key_type: str) -> List[MemoryRow]:
        return (self - old).top(None, by=key_type)
