"""What stands between a program and its own functions: decorators, run(), runcall().

The agent knows this file by its name: calls of what is here do not count, those that are made from here do, as calls of
whoever called this. Only functions of the program may be called here, and methods of the region; a builtin, where one
is needed, by way of `partial`, which no Python reports as a call.
"""
import types
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, AsyncGenerator, Callable, Dict, Generator, Optional

if TYPE_CHECKING:
    from typing import TypeVar

    from pyrometer._calls import Profile, Sort
    from pyrometer._region import Region
    from typing_extensions import ParamSpec

    P = ParamSpec("P")
    R = TypeVar("R")

AnyFunction = Callable[..., Any]


# ---- a function that is decorated: it counts while it runs, not while it is suspended ----

def wrap_function(region: "Region", function: AnyFunction) -> AnyFunction:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        region._enter()
        try:
            return function(*args, **kwargs)
        finally:
            region._leave()
    return wrapper


def drive(region: "Region", iterator: Any) -> Generator[Any, Any, Any]:
    """Runs a generator, a coroutine or an awaitable of an async generator, in the region step by step."""
    send, throw = partial(iterator.send), partial(iterator.throw)
    step: AnyFunction = send
    value: Any = None
    while True:
        region._enter()
        try:
            item = step(value)
        except StopIteration as stop:
            return stop.value
        finally:
            region._leave()
        try:
            value, step = (yield item), send
        except BaseException as error:
            value, step = error, throw


await_driven = types.coroutine(drive)


def wrap_generator(region: "Region", function: AnyFunction) -> AnyFunction:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return (yield from drive(region, function(*args, **kwargs)))
    return wrapper


def wrap_coroutine(region: "Region", function: AnyFunction) -> AnyFunction:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await await_driven(region, function(*args, **kwargs))
    return wrapper


def wrap_async_generator(region: "Region", function: AnyFunction) -> AnyFunction:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        send, throw, close = partial(generator.asend), partial(generator.athrow), partial(generator.aclose)
        step: AnyFunction = send
        value: Any = None
        while True:
            try:
                item = await await_driven(region, step(value))
            except StopAsyncIteration:
                return
            try:
                value, step = (yield item), send
            except GeneratorExit:
                await await_driven(region, close())
                raise
            except BaseException as error:
                value, step = error, throw
    return wrapper


# ---- running something in a region ----

class Runs:
    """The methods of cProfile.Profile that run something."""

    if TYPE_CHECKING:
        def _enter(self) -> None: ...
        def _leave(self) -> None: ...

    def runcall(self, func: "Callable[P, R]", /, *args: "P.args", **kwargs: "P.kwargs") -> "R":
        """Calls it, in the region; what it returns."""
        self._enter()
        try:
            return func(*args, **kwargs)
        finally:
            self._leave()

    def runctx(self, cmd: str, globals: Dict[str, Any], locals: Dict[str, Any]) -> "Runs":
        """Runs the code in the region."""
        self._enter()
        try:
            exec(cmd, globals, locals)
        finally:
            self._leave()
        return self

    def run(self, cmd: str) -> "Runs":
        """Runs the code in the region, amid the names of the main program."""
        import __main__

        return self.runctx(cmd, __main__.__dict__, __main__.__dict__)


def _new() -> "Profile":
    from pyrometer._calls import Profile

    return Profile()


def run(statement: str, filename: Optional[str] = None, sort: "Sort" = -1) -> None:
    """Runs the code amid the names of the main program and prints its calls, or writes them to the file as cProfile does."""
    import __main__

    runctx(statement, __main__.__dict__, __main__.__dict__, filename, sort)


def runctx(statement: str, globals: Dict[str, Any], locals: Dict[str, Any], filename: Optional[str] = None,
           sort: "Sort" = -1) -> None:
    """As run(), amid these names."""
    profile = _new()
    try:
        profile.runctx(statement, globals, locals)
    except SystemExit:
        pass
    finally:
        profile._show(filename, sort)


def runcall(func: "Callable[P, R]", /, *args: "P.args", **kwargs: "P.kwargs") -> "R":
    """Calls the function, prints its calls as run() does, and gives what it returns."""
    profile = _new()
    try:
        return profile.runcall(func, *args, **kwargs)
    finally:
        profile._show(None, -1)
