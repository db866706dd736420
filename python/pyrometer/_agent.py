"""The agent in this process (src/agent/api.c), by ctypes: nothing here is compiled for one Python.

In a program that `pyrometer calls` started it is there; otherwise the program `pyrometer`, which holds it, says where
its file lies. Its functions are called with the GIL held.
"""
import _thread
import ctypes
import os
from typing import Any, Optional

from pyrometer import _program

VERSION = 2  # of these functions


class Error(RuntimeError):
    """Something cannot be measured here; the message says why."""


class Agent:
    """Its functions; those that can fail raise Error."""

    def __init__(self, library: ctypes.PyDLL) -> None:
        region, text = ctypes.c_void_p, ctypes.c_char_p
        for name, result, arguments in (
            ("begin", text, [text]), ("is_on", ctypes.c_int, []), ("is_of_lines", ctypes.c_int, []), ("set_package", None, [text]),
            ("region_choose", text, [region, ctypes.py_object]),
            ("region_create", region, [ctypes.c_uint]), ("region_enter", text, [region]), ("region_leave", text, [region]),
            ("region_clear", text, [region]), ("region_write", text, [region, text]), ("region_destroy", None, [region]),
        ):
            function = getattr(library, "pyrometer_" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.set_package(os.fsencode(os.path.join(os.path.dirname(os.path.abspath(__file__)), "")))

    def __getattr__(self, name: str) -> Any:  # only for who reads types: __init__ has set them
        raise AttributeError(name)

    def begin_session(self, orders: str) -> None:
        """Begins to measure in this process, unless that is so already. The file lives as long as its memory is mapped."""
        if not self.is_on():
            with _lock:
                if not self.is_on():
                    with _program.Folder() as folder:
                        check(self.begin(os.fsencode(orders + "folder=%s\n" % folder.path)))
        if bool(self.is_of_lines()) != orders.startswith("lines"):
            raise Error("a process can have its calls counted or its lines, not both: this one has its %s"
                        % ("lines" if self.is_of_lines() else "calls"))


def check(sentence: Optional[bytes]) -> None:
    if sentence is not None:
        raise Error(sentence.decode("utf-8", "replace"))


_agent: Optional[Agent] = None
_lock = _thread.allocate_lock()  # whoever begins; others wait until it has begun


def _renew_lock() -> None:
    global _lock
    _lock = _thread.allocate_lock()


os.register_at_fork(after_in_child=_renew_lock)  # another thread of the parent may have held it


def _is_ours(library: ctypes.PyDLL) -> bool:
    try:
        return bool(library.pyrometer_version() == VERSION)
    except AttributeError:
        return False


def _load() -> Agent:
    library = ctypes.PyDLL(None)
    if not _is_ours(library):
        path = _program.ask("help", "--agent").decode("utf-8", "surrogateescape").rstrip("\n")
        try:
            library = ctypes.PyDLL(path)
        except OSError as error:
            raise Error("the agent cannot be loaded into this Python: %s" % error) from None
    if not _is_ours(library):
        raise Error("the program %s is of another version than this package" % _program.path())
    return Agent(library)


def get() -> Agent:
    global _agent
    if _agent is None:
        with _lock:  # sysconfig, which says where the program is, fails in threads that ask it first together (until 3.11)
            if _agent is None:
                _agent = _load()
    return _agent
