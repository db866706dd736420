"""Programs as people have them, each with some hundred thousand calls: usage: mix.py PROGRAM WAY (measured.py)

    json        records to JSON with an encoder of their own, and back with a hook
    regex       a log is taken apart, and rewritten by a function for each match
    nbody       planets, with vectors that are objects
    constraints values that follow from others through chains of small objects, as a user interface has them
    scheduler   tasks that send each other packets, by a queue of priorities
    template    pages of text from nested templates"""
import json
import re
import sys

from measured import run


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class Encoder(json.JSONEncoder):
    def default(self, value):
        return {"x": value.x, "y": value.y} if isinstance(value, Point) else super().default(value)


def from_json(value):
    return Point(value["x"], value["y"]) if "x" in value else value


def work_json():
    records = [{"id": i, "name": "record %d" % i, "at": Point(i, -i), "tags": ["a", "b", str(i)]} for i in range(1500)]
    for _ in range(2):
        text = "".join(Encoder().iterencode(records))
        records = json.loads(text, object_hook=from_json)
    assert records[7]["at"].y == -7


LINE = re.compile(r"(?P<host>\S+) \[(?P<day>\d+)/(?P<month>\w+)\] \"(?P<verb>[A-Z]+) (?P<path>\S+)\" (?P<status>\d{3}) (?P<size>\d+)")
NUMBER = re.compile(r"\d+")


def shorten(match):
    return "N" if len(match.group()) < 3 else "NNN"


def work_regex():
    lines = ['host%d [%d/Nov] "GET /page/%d?id=%d" 200 %d' % (i, i % 30, i, i * 7, i * 31) for i in range(3000)]
    sizes = {}
    for line in lines:
        found = LINE.match(line)
        verb, size = found.group("verb"), int(found.group("size"))
        sizes[verb] = sizes.get(verb, 0) + size
        NUMBER.sub(shorten, line)
    assert sizes["GET"] == 31 * sum(range(3000))


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def minus(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def add(self, other, factor):
        self.x += other.x * factor
        self.y += other.y * factor
        self.z += other.z * factor

    def square(self):
        return self.x * self.x + self.y * self.y + self.z * self.z


class Body:
    def __init__(self, mass, place, speed):
        self.mass, self.place, self.speed = mass, place, speed


def attract(one, other, step):
    between = one.place.minus(other.place)
    square = between.square()
    force = step / (square * square ** 0.5)
    one.speed.add(between, -other.mass * force)
    other.speed.add(between, one.mass * force)


def work_nbody():
    bodies = [Body(1.0 / (i + 1), Vector(i * 3.0, i * i * 0.5, -i * 0.25), Vector(0.1 * i, 0.2, -0.1 * i)) for i in range(5)]
    for _ in range(900):
        for i, one in enumerate(bodies):
            for other in bodies[i + 1:]:
                attract(one, other, 0.001)
        for body in bodies:
            body.place.add(body.speed, 0.001)
    assert bodies[0].place.square() < 100


class Variable:
    def __init__(self, value=0):
        self.value, self.followers, self.strength = value, [], 0

    def set(self, value):
        self.value = value
        for follower in self.followers:
            if follower.is_active():
                follower.execute()


class Constraint:
    def __init__(self, source, target):
        self.source, self.target, self.active = source, target, True
        source.followers.append(self)

    def is_active(self):
        return self.active

    def execute(self):
        self.target.set(self.compute(self.source.value))

    def compute(self, value):
        raise NotImplementedError


class Equal(Constraint):
    def compute(self, value):
        return value


class Scale(Constraint):
    def __init__(self, source, target, factor, offset):
        super().__init__(source, target)
        self.factor, self.offset = factor, offset

    def compute(self, value):
        return value * self.factor + self.offset


def work_constraints():
    chain = [Variable() for _ in range(100)]
    for i, (source, target) in enumerate(zip(chain, chain[1:])):
        Equal(source, target) if i % 2 else Scale(source, target, 1, 2)
    for value in range(250):
        chain[0].set(value)
        assert chain[-1].value == value + 100


class Packet:
    def __init__(self, kind, data):
        self.kind, self.data = kind, data


class Task:
    def __init__(self, name, priority, scheduler):
        self.name, self.priority, self.scheduler, self.inbox, self.held = name, priority, scheduler, [], False

    def put(self, packet):
        self.inbox.append(packet)
        self.held = False

    def is_ready(self):
        return bool(self.inbox) and not self.held

    def run(self):
        self.handle(self.inbox.pop(0))

    def handle(self, packet):
        raise NotImplementedError


class Device(Task):
    def handle(self, packet):
        packet.data += 1
        self.scheduler.send(self.name + 1, packet)


class Worker(Task):
    def handle(self, packet):
        self.held = packet.data % 3 == 0
        if packet.data < self.scheduler.last:
            self.scheduler.send(0, packet)
        if self.held:
            self.scheduler.release(self)


class Scheduler:
    def __init__(self, last):
        self.last, self.tasks, self.count = last, [], 0

    def add(self, kind):
        self.tasks.append(kind(len(self.tasks), len(self.tasks) % 4, self))

    def send(self, name, packet):
        self.tasks[name % len(self.tasks)].put(packet)

    def release(self, task):
        task.held = False

    def choose(self):
        best = None
        for task in self.tasks:
            if task.is_ready() and (best is None or task.priority > best.priority):
                best = task
        return best

    def run(self):
        task = self.choose()
        while task is not None:
            task.run()
            self.count += 1
            task = self.choose()


def work_scheduler():
    scheduler = Scheduler(1500)
    for kind in (Device, Device, Device, Device, Worker):
        scheduler.add(kind)
    for i in range(4):
        scheduler.send(0, Packet("k%d" % i, i))
    scheduler.run()
    assert scheduler.count > 5000


class Text:
    def __init__(self, text):
        self.text = text

    def render(self, values):
        return self.text


class Value:
    def __init__(self, name, filters):
        self.name, self.filters = name, filters

    def render(self, values):
        value = lookup(values, self.name)
        for one in self.filters:
            value = one(value)
        return escape(str(value))


class Loop:
    def __init__(self, name, over, body):
        self.name, self.over, self.body = name, over, body

    def render(self, values):
        return "".join(render(self.body, {**values, self.name: item}) for item in lookup(values, self.over))


def lookup(values, name):
    for part in name.split("."):
        values = values[part] if isinstance(values, dict) else getattr(values, part)
    return values


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def render(nodes, values):
    return "".join([node.render(values) for node in nodes])


def work_template():
    row = [Text("<tr><td>"), Value("row.name", [str.upper]), Text("</td>"), Loop("cell", "row.cells", [
        Text("<td>"), Value("cell", [abs]), Text("</td>")]), Text("</tr>\n")]
    page = [Text("<h1>"), Value("title", []), Text("</h1>"), Loop("row", "rows", row)]
    rows = [{"name": "row <%d>" % i, "cells": list(range(-8, 0))} for i in range(150)]
    for _ in range(6):
        assert render(page, {"title": "A & B", "rows": rows}).count("<td>") == 150 * 9


run(globals()["work_" + sys.argv[1]], times=5)
