# -*- coding: utf-8 -*-
"""Stands still in a known place of each kind of code, on any Python from 2.7 on.

Reads the name of a case from stdin, goes there, prints READY and the stack that it has, as the interpreter itself knows it,
then waits for one byte. `#@tags` name lines for the test."""
from __future__ import print_function

import functools
import importlib
import json
import os
import sys
import threading


def describe(frame):
    code = frame.f_code
    return [getattr(code, "co_qualname", code.co_name), code.co_filename, frame.f_lineno]


def stack_of(frame):
    frames = []
    while frame is not None:
        frames.append(describe(frame))
        frame = frame.f_back
    return frames


def stop(*_):
    print("READY", json.dumps(stack_of(sys._getframe())))
    sys.stdout.flush()
    os.read(0, 1)  #@stop
    return 0


def plain():
    stop()  #@plain


def function():
    plain()  #@function


call_lambda = lambda: stop()  #@lambda


class Shape(object):
    def __init__(self, where=None):
        if where == "init":
            stop()  #@init

    def area(self):
        return self.side()  #@area

    def side(self):
        return stop()  #@side

    @classmethod
    def of_class(cls):
        return stop()  #@of_class

    @staticmethod
    def of_none():
        return stop()  #@of_none

    @property
    def width(self):
        return stop()  #@width

    def __call__(self, value):
        return stop()  #@call

    def __getitem__(self, key):
        return stop()  #@getitem

    class Inner(object):
        def deep(self):
            return stop()  #@inner


def init():
    Shape("init")  #@make


def method():
    Shape().area()  #@method


def class_method():
    Shape.of_class()  #@class_method


def static_method():
    Shape.of_none()  #@static_method


def property_get():
    Shape().width  #@property_get


def inner_class():
    Shape.Inner().deep()  #@inner_class


def operator():
    Shape()[1]  #@operator


def decorate(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)  #@wrapper
    return wrapper


@decorate
def decorated():
    stop()  #@decorated


def decorator():
    decorated()  #@decorator


def closure():
    def nested():
        stop()  #@nested
    nested()  #@closure


def list_comprehension():
    [stop() for _ in range(1)]  #@list


def set_comprehension():
    {stop() for _ in range(1)}  #@set


def dict_comprehension():
    {_: stop() for _ in range(1)}  #@dict


def generator_expression():
    list(stop() for _ in range(1))  #@genexpr


def count_up():
    yield 0
    stop()  #@count_up
    yield 1


def generator():
    waits = count_up()
    next(waits)
    for _ in waits:  #@generator
        pass


def recurse(depth):
    if depth:
        return recurse(depth - 1)  #@recurse
    return stop()  #@bottom


def recursion():
    sys.setrecursionlimit(10000)
    recurse(3000)  #@recursion


def executed():
    code = compile("def made():\n    stop()\n\nmade()\n", "<generated>", "exec")
    exec(code, {"stop": stop})  #@executed


def evaluated():
    eval(compile("stop()", "<expression>", "eval"))  #@evaluated


def sort_callback():
    sorted([1], key=lambda _: stop())  #@sorted


def map_callback():
    list(map(stop, [1]))  #@map


def reduce_callback():
    functools.reduce(lambda first, _: stop(), [1, 2])  #@reduce


def callable_object():
    list(map(Shape(), [1]))  #@callable_object


def class_body():
    class Body(object):
        stop()  #@body
    return Body  #@after_body


def module_body():
    sys.modules.pop("imported", None)
    import imported  #@import
    return imported


def non_ascii():
    importlib.import_module("modul\xc3\xa9" if sys.version_info[0] == 2 else u"modul\xe9").run(stop)  #@non_ascii


def multi_line():
    return max(
        0,
        stop(  #@multi_line
            1,
            2,
        ),
        3,
    )


class Chain(object):
    def link(self):
        return self

    def end(self):
        stop()  #@chain_end


def multi_line_chain():
    (Chain()
     .link()
     .end())


def handler():
    try:
        raise ValueError
    except ValueError:
        stop()  #@handler


def context_exit():
    class Context(object):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            stop()  #@exit
    with Context():  #@with
        pass


def wait_in_thread(pipe):
    os.read(pipe, 1)  #@wait_in_thread


def threads():
    reader, writer = os.pipe()
    started = [threading.Thread(target=wait_in_thread, args=(reader,), name=name) for name in ("first", "second")]
    for thread in started:
        thread.start()
    stop()  #@threads
    os.write(writer, b"xx")
    for thread in started:
        thread.join()


CASES = {name: value for name, value in globals().items() if callable(value)}
if sys.version_info[0] >= 3:
    import stacks3
    CASES.update(stacks3.cases(stop))


def read_word():
    word = b""
    while not word.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return None
        word += byte
    return word.decode().strip()


def main():
    word = read_word()
    while word:
        CASES[word]()  #@main
        word = read_word()


if __name__ == "__main__":
    main()  #@module
