# -*- coding: utf-8 -*-
"""What the frozen images show: a stack of many kinds of frames, and a second thread."""
import functools
import sys
import threading
import time


class Outer(object):
    def method(self, depth):
        if depth:
            return self.method(depth - 1)
        return [item for item in map(lambda value: through_generator(value), [1])]


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(
            *args)
    return wrapper


def through_generator(value):
    return next(numbers(value))


def numbers(value):
    yield stop(value)


@decorated
def stop(value):
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    time.sleep(1000)
    return value


def wait():
    time.sleep(1000)


namespace = {"Outer": Outer}
thread = threading.Thread(target=wait, name="second")
thread.daemon = True
thread.start()
time.sleep(0.2)
exec(compile("def made():\n    return sorted([3], key=lambda x: Outer().method(5))\nmade()\n", "<made>", "exec"), namespace)
