"""Raises and handles exceptions in every way; at its end the truth: type, line raised, line handled or None, how often.

A line is named by the #@ at its end."""
import contextlib
import re
import sys
import threading

truth = {}


def note(kind, raised, handled, count=1):
    truth[kind, raised, handled] = truth.get((kind, raised, handled), 0) + count


def plain(n):
    for _ in range(n):
        try:
            raise ValueError  #@plain
        except ValueError:  #@plain_end
            pass
    note("ValueError", "plain", "plain_end", n)


def deep(n):
    if n == 0:
        raise KeyError(n)  #@deep
    deep(n - 1)


def far():
    try:
        deep(30)
    except LookupError:  #@far_end
        pass
    note("KeyError", "deep", "far_end")


def from_c():
    try:
        int("x")  #@from_c
    except (TypeError, ValueError):  #@from_c_end
        pass
    note("ValueError", "from_c", "from_c_end")


def through():
    """Handlers that let it go on: finally, with, one of another type, a bare raise."""
    try:
        with contextlib.ExitStack(), open("/dev/null"):
            try:
                try:
                    try:
                        raise OSError  #@through
                    finally:
                        plain(300)
                except TypeError:
                    pass
            except OSError:
                raise
    except Exception:  #@through_end
        pass
    note("OSError", "through", "through_end")


def instead():
    try:
        try:
            raise ValueError  #@first
        except ValueError as error:  #@first_end
            raise RuntimeError from error  #@second
    except RuntimeError:  #@second_end
        pass
    note("ValueError", "first", "first_end")
    note("RuntimeError", "second", "second_end")


@contextlib.contextmanager
def guard(swallow):
    try:
        yield
    except IndexError:  #@guard_end
        if not swallow:
            raise


def guarded():
    with guard(True):
        [][1]  #@guarded
    note("IndexError", "guarded", "guard_end")
    try:
        with guard(False):
            [][2]  #@not_guarded
    except IndexError:  #@not_guarded_end
        pass
    note("IndexError", "not_guarded", "not_guarded_end")


def kept():
    """Raised again later, when others had been raised: the same one."""
    try:
        raise EOFError  #@kept
    except EOFError as error:
        saved = error
    far()
    try:
        raise saved
    except EOFError:  #@kept_end
        pass
    note("EOFError", "kept", "kept_end")


class Odd:
    @property
    def value(self):
        raise AttributeError("value")  #@odd


def left_to_c(n):
    for _ in range(n):
        hasattr(Odd(), "value")
    note("AttributeError", "odd", None, n)


def numbers():
    yield 1
    raise ArithmeticError  #@generator


def generators():
    try:
        list(x for x in numbers())
    except ArithmeticError:  #@generator_end
        pass
    note("ArithmeticError", "generator", "generator_end")
    try:
        next(iter(()))  #@stop
    except StopIteration:  #@stop_end
        pass
    note("StopIteration", "stop", "stop_end")


class Own(Exception):
    class Inner(Exception):
        pass


def names():
    for kind in (Own, Own.Inner, re.error):
        try:
            raise kind("x")  #@names
        except kind:  #@names_end
            pass
    for name in ("Own", "Own.Inner", re.error.__module__ + "." + re.error.__name__):
        note(name, "names", "names_end")


def in_threads():
    threads = [threading.Thread(target=plain, args=(1000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


for step in (far, from_c, through, instead, guarded, kept, generators, names):
    step()
plain(50)
left_to_c(40)
in_threads()
with open(__file__) as source:
    lines = {line.split("#@")[1].strip(): number for number, line in enumerate(source, 1) if line.rstrip()[-1:] != '"' and "  #@" in line}
print([[kind, lines[raised], lines.get(handled), count] for (kind, raised, handled), count in truth.items()])
try:
    sys.exit(0)
finally:
    pass
