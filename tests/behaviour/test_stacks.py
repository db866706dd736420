"""Every version shows the expected stack for every kind of code.

subjects/stacks.py stands still in each; `dump --json` must then show exactly the frames (name, file, line) that the
interpreter itself says it has. The interpreter's word is not all: what the frames are called and on which tagged lines
they stand is also written down here, `name@tag`, innermost first, between stop() and main()."""
import contextlib
import json
import re

import pytest

from harness import Subject, run, tag_line, wait_until

ANY = "..."  # frames of the import system, which differ by version

# Names are the qualified ones; before 3.11 there is only their last part. `<list>` stands for a comprehension's frame,
# which there is none of in 2.7 (lists) and from 3.12 on.
EXPECTED = {
    "function": ["plain@plain", "function@function"],
    "call_lambda": ["<lambda>@lambda"],
    "init": ["Shape.__init__@init", "init@make"],
    "method": ["Shape.side@side", "Shape.area@area", "method@method"],
    "class_method": ["Shape.of_class@of_class", "class_method@class_method"],
    "static_method": ["Shape.of_none@of_none", "static_method@static_method"],
    "property_get": ["Shape.width@width", "property_get@property_get"],
    "inner_class": ["Shape.Inner.deep@inner", "inner_class@inner_class"],
    "operator": ["Shape.__getitem__@getitem", "operator@operator"],
    "decorator": ["decorated@decorated", "decorate.<locals>.wrapper@wrapper", "decorator@decorator"],
    "closure": ["closure.<locals>.nested@nested", "closure@closure"],
    "list_comprehension": ["<list>list_comprehension.<locals>.<listcomp>@list", "list_comprehension@list"],
    "set_comprehension": ["<set>set_comprehension.<locals>.<setcomp>@set", "set_comprehension@set"],
    "dict_comprehension": ["<set>dict_comprehension.<locals>.<dictcomp>@dict", "dict_comprehension@dict"],
    "generator_expression": ["generator_expression.<locals>.<genexpr>@genexpr", "generator_expression@genexpr"],
    "generator": ["count_up@count_up", "generator@generator"],
    "recursion": ["recurse@bottom"] + ["recurse@recurse"] * 3000 + ["recursion@recursion"],
    "executed": ["made:2", "<module>:4", "executed@executed"],
    "evaluated": ["<module>:1", "evaluated@evaluated"],
    "sort_callback": ["sort_callback.<locals>.<lambda>@sorted", "sort_callback@sorted"],
    "map_callback": ["map_callback@map"],
    "reduce_callback": ["reduce_callback.<locals>.<lambda>@reduce", "reduce_callback@reduce"],
    "callable_object": ["Shape.__call__@call", "callable_object@callable_object"],
    "class_body": ["class_body.<locals>.Body@body", "class_body"],
    "module_body": ["<module>@imported", ANY, "module_body@import"],
    "non_ascii": ["run@accent", "non_ascii@non_ascii"],
    "multi_line": ["multi_line"],
    "multi_line_chain": ["Chain.end@chain_end", "multi_line_chain"],
    "handler": ["handler@handler"],
    "context_exit": ["context_exit.<locals>.Context.__exit__@exit", "context_exit"],
    "delegation": ["cases.<locals>.inner_part@inner_part", "cases.<locals>.delegate@delegate", "cases.<locals>.delegation@delegation"],
    "coroutine": ["cases.<locals>.leaf@leaf", "cases.<locals>.middle@middle", "cases.<locals>.coroutine@coroutine"],
    "async_generator": ["cases.<locals>.numbers@numbers", "cases.<locals>.consume@consume",
                        "cases.<locals>.async_generator@async_generator"],
    "async_with": ["cases.<locals>.Manager.__aenter__@aenter", "cases.<locals>.enter@enter", "cases.<locals>.async_with@async_with"],
    "async_comprehension": ["cases.<locals>.leaf@leaf", "<list>cases.<locals>.gather.<locals>.<listcomp>@gather",
                            "cases.<locals>.gather@gather", "cases.<locals>.async_comprehension@async_comprehension"],
    "non_ascii_name": ["cases.<locals>.größe@size", "cases.<locals>.non_ascii_name@non_ascii_name"],
}
PYTHON_3 = ["delegation", "coroutine", "async_generator", "async_with", "async_comprehension", "non_ascii_name"]


@pytest.fixture(scope="module")
def subject(interpreter, subjects):
    with Subject(interpreter.command(subjects / "stacks.py")) as running:
        yield running


def find_tags(subjects):
    tags = {}
    for path in subjects.glob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for tag in re.findall(r"#@(\w+)", line):
                tags[path.name, tag] = number
    return {tag: number for (name, tag), number in tags.items() if name in ("stacks.py", "stacks3.py", "imported.py", "modulé.py")}


def expected_frames(feature, version, tags):
    """[(name, line or None) or ANY, ...], innermost first."""
    frames = []
    for word in ["stop@stop"] + EXPECTED[feature] + ["main@main", "<module>@module"]:
        kind = re.match(r"<(list|set)>(?=.)", word)
        if kind and (version >= (3, 12) or (kind.group(1) == "list" and version < (3,))):
            continue
        word = word[kind.end():] if kind else word
        if word == ANY:
            frames.append(ANY)
            continue
        name, _, tag = word.partition("@")
        name, _, number = name.partition(":")
        line = tags[tag] if tag else int(number) if number else None
        frames.append((name if version >= (3, 11) else name.split(".")[-1], line))
    return frames


def matches(frames, expected):
    if ANY in expected:
        at = expected.index(ANY)
        after = len(expected) - at - 1
        return matches(frames[:at], expected[:at]) and matches(frames[len(frames) - after:], expected[at + 1:])
    return len(frames) == len(expected) and all(
        name == wanted and line in (None, wanted_line) or (name == wanted and wanted_line is None)
        for (name, line), (wanted, wanted_line) in zip(frames, expected))


def dump_frames(pyrometer, pid, *words):
    answer = run(pyrometer, "dump", "--json", *(words + (pid,)))
    assert answer.status == 0, answer.err
    main = [thread for thread in answer.json()["threads"] if thread["tid"] == pid]
    assert len(main) == 1 and main[0]["quality"] == "exact"
    return main[0]["frames"]


@contextlib.contextmanager
def standing_in(subject, feature):
    """The subject stands in that case; what is yielded is its own word on its stack."""
    subject.tell(feature + "\n")
    truth = json.loads(subject.await_ready())
    syscall = "/proc/%d/syscall" % subject.pid
    wait_until(lambda: open(syscall).read().startswith("0 0x0 "), "the read that follows READY")
    try:
        yield truth
    finally:
        subject.tell("x")


@pytest.mark.parametrize("feature", list(EXPECTED))
def test_stack(pyrometer, interpreter, subjects, subject, feature):
    if feature in PYTHON_3 and interpreter.version < (3,):
        pytest.skip("no such syntax in Python %s" % interpreter.name)
    with standing_in(subject, feature) as truth:
        frames = dump_frames(pyrometer, subject.pid, "--full-paths")
    truth[0][2] = tag_line(subjects / "stacks.py", "stop")
    assert [[frame["name"], frame["file"], frame["line"]] for frame in frames] == truth
    expected = expected_frames(feature, interpreter.version, find_tags(subjects))
    assert matches([(frame["name"], frame["line"]) for frame in frames], expected)


@pytest.mark.feature("multi-line calls")
def test_line_of_a_multi_line_call(pyrometer, interpreter, subjects, subject):
    """From 3.8 on a call stands on the line where it begins, however many lines its arguments take."""
    if interpreter.version < (3, 8):
        pytest.skip("Python %s keeps the line of the last argument" % interpreter.name)
    with standing_in(subject, "multi_line"):
        frames = dump_frames(pyrometer, subject.pid)
    assert frames[1]["line"] == tag_line(subjects / "stacks.py", "multi_line")


@pytest.mark.feature("paths are shortened by sys.path")
def test_paths(pyrometer, interpreter, subject):
    with standing_in(subject, "non_ascii"):
        frames = dump_frames(pyrometer, subject.pid)
    assert [frame["file"] for frame in frames] == ["stacks.py", "modulé.py", "stacks.py", "stacks.py", "stacks.py"]


@pytest.mark.feature("threads by name")
def test_threads(pyrometer, interpreter, subjects, subject):
    with standing_in(subject, "threads"):
        answer = run(pyrometer, "dump", "--json", subject.pid).json()
    path = subjects / "stacks.py"
    tops = {thread["name"]: (thread["frames"][0]["name"], thread["frames"][0]["line"]) for thread in answer["threads"]}
    assert tops == {"MainThread": ("stop", tag_line(path, "stop")),
                    "first": ("wait_in_thread", tag_line(path, "wait_in_thread")),
                    "second": ("wait_in_thread", tag_line(path, "wait_in_thread"))}
    assert answer["python"] == interpreter.version_text
    assert {thread["state"] for thread in answer["threads"]} == {"idle"}


@pytest.mark.feature("text of dump")
def test_text(pyrometer, interpreter, subjects, subject):
    with standing_in(subject, "function"):
        answer = run(pyrometer, "dump", "-p", subject.pid)
    path = subjects / "stacks.py"
    assert answer.status == 0 and answer.err == ""
    lines = answer.out.splitlines()
    assert lines[0].startswith("process %d, Python %s" % (subject.pid, interpreter.version_text))
    assert "    plain (stacks.py:%d)" % tag_line(path, "plain") in lines
    if not interpreter.tree:  # the source is not where the target sees it
        assert lines[lines.index("    plain (stacks.py:%d)" % tag_line(path, "plain")) + 1].strip() == "stop()  #@plain"
