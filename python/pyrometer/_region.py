"""Regions: what `with`, decorators and enable()/disable() have in common, whatever is measured.

A process has one recording, from the first region that begins to the last one that ends; a region is the difference of
what was counted at its end and at its beginning (src/agent/calls/region.c). So regions may lie in one another, overlap, and be
used by several threads and tasks at once; each is right by itself. docs/python.md has the rules.
"""
import os
import types
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Type, TypeVar, Union, cast

from pyrometer import _agent, _through

if TYPE_CHECKING:
    from typing_extensions import Self

    Decorated = TypeVar("Decorated", bound=Union[Callable[..., Any], "staticmethod[..., Any]", "classmethod[Any, ..., Any]"])
else:
    Decorated = TypeVar("Decorated")

NO_BUILTINS, THIS_THREAD = 1, 2  # enum region_flag
THREADS = {"all": 0, "current": THIS_THREAD}
GENERATOR, COROUTINE, ITERABLE_COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200  # of code.co_flags


class Region(_through.Runs):
    """Measures while it is entered. Entering it again only counts how often, wherever that happens."""

    orders = "calls\nbuiltins=\n"  # of a recording that this region is the first of

    def __init__(self, flags: int) -> None:
        self._agent = _agent.get()
        self._region = self._agent.region_create(flags)
        self._enabled_in = 0  # the process in which enable() was called
        if not self._region:
            raise MemoryError

    def __del__(self) -> None:
        region, self._region = getattr(self, "_region", None), None
        if region:
            self._agent.region_destroy(region)

    def _enter(self) -> None:
        self._agent.begin_session(self.orders)
        _agent.check(self._agent.region_enter(self._region))

    def _leave(self) -> None:
        _agent.check(self._agent.region_leave(self._region))

    def __enter__(self) -> "Self":
        self._enter()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self._leave()

    def enable(self) -> None:
        """Measures from now on, until disable(). What was measured before stays, and is added to."""
        process, before = os.getpid(), self._enabled_in
        self._enabled_in = process  # nothing may be called here once it is entered: this call was not seen to begin
        if before != process:
            self._enter()

    def disable(self) -> None:
        if self._enabled_in == os.getpid():
            self._leave()
        self._enabled_in = 0

    def clear(self) -> None:
        """Forgets what was measured so far."""
        _agent.check(self._agent.region_clear(self._region))

    def __call__(self, function: Decorated) -> Decorated:
        """The function, measured whenever it runs; a generator or coroutine, while it is not suspended."""
        return cast(Decorated, self._decorate(function))

    def _decorate(self, function: Any) -> Any:
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(self._decorate(function.__func__))
        if isinstance(function, type) or not callable(function):
            raise TypeError("%r is no function: decorate functions and methods" % (function,))
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & ASYNC_GENERATOR:
            return _through.wrap_async_generator(self, function)
        if flags & COROUTINE:
            return _through.wrap_coroutine(self, function)
        if flags & GENERATOR:
            wrapper = _through.wrap_generator(self, function)
            return types.coroutine(wrapper) if flags & ITERABLE_COROUTINE else wrapper
        return _through.wrap_function(self, function)

    def _write(self, path: str) -> None:
        """What was measured up to now, for the program to read."""
        _agent.check(self._agent.region_write(self._region, os.fsencode(path)))
