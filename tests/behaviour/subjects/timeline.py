"""Calls of two threads that know when they were: prints, as a dict, how often each function was entered (a generator: resumed, too), and
for the naps, in the order in which they ended, the thread and the begin and end in nanoseconds of CLOCK_MONOTONIC."""
import threading
import time

naps = []
entered = {}


def count(name):
    who = threading.current_thread().name, name
    entered[who] = entered.get(who, 0) + 1


def nap(seconds):
    count("nap")
    begun = time.monotonic_ns()
    time.sleep(seconds)
    naps.append((threading.get_native_id(), begun, time.monotonic_ns()))


def rest():
    count("rest")
    for seconds in (0.02, 0.01):
        nap(seconds)


def numbers(upto):
    count("numbers")
    for number in range(upto):
        yield number
        count("numbers")


def down(level):
    count("down")
    return down(level - 1) if level else 0


def fail():
    count("fail")
    raise ValueError("on purpose")


def work():
    rest()
    for _ in range(5):
        for number in numbers(3):
            down(number)
        try:
            fail()
        except ValueError:
            pass


thread = threading.Thread(target=work, name="other")
thread.start()
work()
thread.join()
totals = {}
for (_, name), times in entered.items():
    totals[name] = totals.get(name, 0) + times
print(repr({"entered": totals, "naps": naps}))
