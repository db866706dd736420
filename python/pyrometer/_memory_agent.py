"""The agent of memory in this process (src/agent/memory/api.c), by ctypes, and questions to pyrometer, which reads what it
writes: in a program that `pyrometer memory` started that is the command itself; else it is started here, beside this
process, and what is heard are Python's allocators.
"""
import _thread
import ctypes
import os
import time
from typing import List, Optional

from pyrometer import _program
from pyrometer._agent import Error, check

VERSION = 1  # of the agent's functions
WATCH, END, NUMBERS, FORGET, RESTART = 1, 2, 3, 4, 5  # enum stream_ask
BEGAN, NOW, BEGIN_BYTES, BYTES, BEGIN_COUNT, COUNT, PEAK_BYTES, GOT_BYTES = range(8)  # enum stream_answer
ANSWER_WORDS, AGAIN = 8, -2
PATIENCE = 10.0  # seconds, for an answer


def _find_preloaded() -> Optional[ctypes.PyDLL]:
    library = ctypes.PyDLL(None)
    return library if hasattr(library, "pyrometer_memory_version") else None


def _name_package(library: ctypes.PyDLL) -> None:
    """What its code gets is nobody's."""
    library.pyrometer_memory_set_package(os.fsencode(os.path.join(os.path.dirname(os.path.abspath(__file__)), "")))


class Agent:
    """The agent of memory in this process, and the questions to who reads what it writes."""

    def __init__(self) -> None:
        self.lock = _thread.RLock()  # of questions, and of what is counted; a finalizer may come amid one
        self.loaded: Optional[ctypes.PyDLL] = None
        self._listeners = 0  # regions that are open, and one for ever once a snapshot was taken
        self._listening = self._kept = False
        self._watches = 0
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self.lock = _thread.RLock()
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
        library = self.loaded or self._load()
        self.loaded = library
        if not library.pyrometer_memory_is_on():
            folder = _program.Folder().__enter__().path  # pyrometer removes it
            why = library.pyrometer_memory_begin(os.fsencode("memory\nfolder=%s\n" % folder))
            if why is not None:
                os.rmdir(folder)
                check(why)
            self._listening = False
            try:
                _program.ask("memory", "--collect", folder, "-p", str(os.getpid()))
            except BaseException:
                library.pyrometer_memory_end()
                _program.remove_folder(folder)
                raise
        return library

    def library(self) -> ctypes.PyDLL:
        """With a session that is on."""
        library = self.loaded
        if library is None or not library.pyrometer_memory_is_on():
            with self.lock:
                library = self._begin()
        return library

    def listen(self, library: ctypes.PyDLL, more: int) -> None:
        """While anything is open, of a session of our own."""
        with self.lock:
            self._listeners += more
            wanted = self._listeners > 0
            if not library.pyrometer_memory_is_own() or wanted == self._listening:
                return
            self._listening = wanted
            library.pyrometer_memory_listen(wanted)
            if wanted:
                library.pyrometer_memory_ask(RESTART, 0, 0)

    def keep_listening(self, library: ctypes.PyDLL) -> None:
        with self.lock:
            if not self._kept:
                self._kept = True
                self.listen(library, 1)

    def new_watch(self) -> int:
        with self.lock:
            self._watches += 1
            return self._watches

    def ask(self, what: int, watch: int = 0) -> List[int]:
        """The answer's words (enum stream_answer)."""
        library, words = self.library(), (ctypes.c_uint64 * ANSWER_WORDS)()
        with self.lock:
            until, state = time.monotonic() + PATIENCE, AGAIN
            while state in (0, AGAIN) and time.monotonic() < until:
                if state == AGAIN:
                    question = library.pyrometer_memory_ask(what, watch, 1)
                else:
                    time.sleep(0.0002)
                state = library.pyrometer_memory_answer(question, words) if question else -1
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


agent = Agent()
preloaded = _find_preloaded()
if preloaded is not None:  # before any of our code is seen
    _name_package(preloaded)


class Quiet:
    """What is allocated in here, by this thread, is the package's own and not measured; what it frees is."""

    def __enter__(self) -> None:
        library = agent.library()
        library.pyrometer_memory_quiet(1)

    def __exit__(self, *words: object) -> None:
        library = agent.loaded
        if library is not None:
            library.pyrometer_memory_quiet(0)


quiet = Quiet()
