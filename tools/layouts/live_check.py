"""Compares a row of the table with the interpreter that runs this: 2.7 and 3.6 to 3.15, also free-threaded.

generate.py runs it as `python -c PROGRAM ROW`. It reads its own process with ctypes, through the offsets of the row
only, and says in one line of JSON which fields led to what Python itself answers, and which did not.
"""
import ctypes
import gc
import json
import struct
import sys
import sysconfig
import threading
import time

FACTS = json.loads(sys.argv[1])
ROW = FACTS["values"]
VERSION = sys.version_info[:2]
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
HAS_GIL = not FREE_THREADED or sys._is_gil_enabled()
checked, wrong = set(), []
api = ctypes.pythonapi


def has(*fields):
    return all(field in ROW for field in fields)


def number(address, size=8):
    return {1: ctypes.c_uint8, 4: ctypes.c_uint32, 8: ctypes.c_uint64}[size].from_address(address).value


def read(base, field, size=8):
    """What stands at `field` of the struct at `base`."""
    return number(base + ROW[field], size)


def same(fields, actual, expected):
    """`actual` was read through all of `fields`."""
    fields = [field for field in fields.split() if field in ROW]
    checked.update(fields)
    if actual != expected:
        wrong.append("%s: %r, expected %r" % (" ".join(fields), actual, expected))


def true(fields, condition):
    same(fields, bool(condition), True)


def chain(first, field):
    while first:
        yield first
        first = read(first, field)


class Thread(object):
    """A thread that waits in Python code until it is let go."""

    def __enter__(self):
        self.begun, self.end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        self.begun.wait()
        return self.thread

    def run(self):
        self.begun.set()
        self.end.wait()

    def __exit__(self, *error):
        self.end.set()
        self.thread.join()


def pointer_from(name, *arguments):
    function = getattr(api, name)
    function.restype = ctypes.c_void_p
    return function(*arguments)


TSTATE = pointer_from("PyThreadState_Get")
INTERP = pointer_from("PyInterpreterState_Head")
RUNTIME = ctypes.addressof(ctypes.c_char.in_dll(api, "_PyRuntime")) if VERSION >= (3, 7) else 0


# ---- the runtime, its interpreters and threads ----

def check_runtime():
    if not RUNTIME:
        return
    same("runtime.interpreters_head", read(RUNTIME, "runtime.interpreters_head"), INTERP)
    same("runtime.initialized", read(RUNTIME, "runtime.initialized", 4), 1)
    same("runtime.main_thread", read(RUNTIME, "runtime.main_thread"), threading.current_thread().ident)
    same("runtime.finalizing", read(RUNTIME, "runtime.finalizing"), 0)
    if has("runtime.tstate_current"):
        same("runtime.tstate_current", read(RUNTIME, "runtime.tstate_current"), TSTATE)
    if has("runtime.debug_offsets"):
        same("runtime.debug_offsets", ctypes.string_at(RUNTIME + ROW["runtime.debug_offsets"], 8), b"xdebugpy")


def check_gil():
    if not RUNTIME:
        return
    gil = RUNTIME + ROW["runtime.gil"] if has("runtime.gil") else read(INTERP, "interp.gil")
    if has("interp.own_gil"):
        same("interp.gil interp.own_gil", gil, INTERP + ROW["interp.own_gil"])
    sys.setswitchinterval(0.0123)
    same("runtime.gil interp.gil gil.interval", read(gil, "gil.interval"), 12300)
    sys.setswitchinterval(0.005)
    if has("gil.enabled"):
        same("gil.enabled", read(gil, "gil.enabled", 4) != 0, HAS_GIL)
    if not HAS_GIL:
        return
    same("gil.locked", read(gil, "gil.locked", 4), 1)
    same("gil.last_holder", read(gil, "gil.last_holder"), TSTATE)
    before = read(gil, "gil.switch_number")
    with Thread():
        pass
    true("gil.switch_number", 1 <= read(gil, "gil.switch_number") - before < 1000)


def check_gil_condition():
    """Another thread that waits for the GIL sleeps on a futex in [cond, size). Asked by calls that keep the GIL."""
    if not RUNTIME or not HAS_GIL:
        return
    gil = RUNTIME + ROW["runtime.gil"] if has("runtime.gil") else read(INTERP, "interp.gil")
    libc, seen, text = ctypes.PyDLL(None), [], ctypes.create_string_buffer(200)

    def want_gil():
        seen.append(libc.syscall(186))  # gettid
        while len(seen) < 2:
            pass

    thread = threading.Thread(target=want_gil)
    thread.start()
    while not seen:
        pass
    sys.setswitchinterval(0.5)
    address = None
    for _ in range(100):
        libc.usleep(10000)
        file = libc.open(("/proc/self/task/%d/syscall" % seen[0]).encode(), 0)
        length = libc.read(file, text, 199)
        libc.close(file)
        words = text.raw[:max(length, 0)].split()  # "running" when it just looks whether the GIL is free
        if words and words[0] == b"202":  # futex
            address = int(words[1], 16)
            break
    seen.append(None)
    thread.join()
    sys.setswitchinterval(0.005)
    true("gil.cond gil.size", address and gil + ROW["gil.cond"] <= address < gil + ROW["gil.size"])


def check_interpreter():
    same("interp.next", read(INTERP, "interp.next"), 0)
    same("interp.modules", read(INTERP, "interp.modules"), id(sys.modules))
    if has("interp.threads_main"):
        same("interp.threads_main", read(INTERP, "interp.threads_main"), TSTATE)
    if not has("interp.id"):
        return
    same("interp.id", read(INTERP, "interp.id"), 0)
    try:
        import _interpreters as interpreters
    except ImportError:
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            return  # not installed by every build: one interpreter must do
    other = interpreters.create()
    newest = read(RUNTIME, "runtime.interpreters_head")
    same("interp.next", read(newest, "interp.next"), INTERP)
    same("interp.id", read(newest, "interp.id"), int(other))
    interpreters.destroy(other)


def check_thread():
    same("tstate.interp", read(TSTATE, "tstate.interp"), INTERP)
    same("interp.threads_head", read(INTERP, "interp.threads_head"), TSTATE)
    same("tstate.thread_id", read(TSTATE, "tstate.thread_id"), threading.current_thread().ident)
    with Thread() as other:
        newest = read(INTERP, "interp.threads_head")
        same("tstate.next", read(newest, "tstate.next"), TSTATE)
        same("tstate.thread_id", read(newest, "tstate.thread_id"), other.ident)
        if has("tstate.prev"):
            same("tstate.prev", read(TSTATE, "tstate.prev"), newest)
        if has("tstate.native_thread_id"):
            same("tstate.native_thread_id", read(newest, "tstate.native_thread_id"), other.native_id)
        for _ in range(1000):  # without a GIL it may still be on its way into end.wait()
            if not has("tstate.state") or read(newest, "tstate.state", 4) == 0:
                break
            time.sleep(0.001)
        if has("tstate.state"):
            same("tstate.state", [read(thread, "tstate.state", 4) for thread in (TSTATE, newest)], [1, 0])
        if has("tstate.holds_gil") and HAS_GIL:
            same("tstate.holds_gil", [read(thread, "tstate.holds_gil", 4) for thread in (TSTATE, newest)], [1, 0])
        if has("tstate.status"):  # bits: initialized, bound, unbound, bound_gilstate, active
            same("tstate.status", [read(thread, "tstate.status", 4) & 31 for thread in (TSTATE, newest)], [27, 11])
    try:
        raise KeyError
    except KeyError as error:
        if has("tstate.exc_info"):
            item = read(TSTATE, "tstate.exc_info")
            same("tstate.exc_info exc_item.value", read(item, "exc_item.value"), id(error))


def check_collector():
    base, place = (RUNTIME, "runtime") if has("runtime.gc_collecting") else (INTERP, "interp")
    if not has(place + ".gc_collecting"):
        return
    flag, stats_field = place + ".gc_collecting", place + ".gc_generation_stats"
    seen = []

    def callback(phase, info):
        frame = number(base + ROW["interp.gc_frame"]) if has("interp.gc_frame") else 0
        seen.append((read(base, flag, 4), frame))

    gc.callbacks.append(callback)
    gc.collect()
    gc.callbacks.remove(callback)
    same(flag, [value for value, _ in seen] + [read(base, flag, 4)], [1, 1, 0])
    gc.collect(0)
    gc.collect(1)
    gc.disable()
    expected = [generation["collections"] for generation in gc.get_stats()]
    if VERSION >= (3, 15):
        stats = read(base, stats_field)
        old, stride = stats + ROW["gc_stats.old"], ROW["gc_stats.old_stride"]
        rings = [(stats, "gc_stats.young_index"), (old, "gc_stats.old_index"), (old + stride, "gc_stats.old_index")]
        items = [ring + read(ring, index, 1) * ROW["gc_stats.stride"] for ring, index in rings]
        now = time.monotonic_ns()
        true("gc_stats.start gc_stats.stop", all(
            now - 60 * 10**9 < read(item, "gc_stats.start") <= read(item, "gc_stats.stop") <= now for item in items))
        sizes = ROW["gc_stats.young_index"], ROW["gc_stats.old_index"]
        same("gc_stats.young_index gc_stats.old_index gc_stats.stride",
             [size % ROW["gc_stats.stride"] for size in sizes], [0, 0])
        from_frame = seen[0][1]
        code = read(from_frame, "iframe.executable") & ~3 if from_frame else 0
        same("interp.gc_frame", code, id(check_collector.__code__))
    else:
        items = [base + ROW[stats_field] + i * ROW["gc_stats.stride"] for i in range(3)]
    same(stats_field + " gc_stats.collections gc_stats.stride gc_stats.young_index gc_stats.old gc_stats.old_index"
         " gc_stats.old_stride", [read(item, "gc_stats.collections") for item in items], expected)
    gc.enable()


def check_code_generation():
    if not has("interp.code_object_generation"):
        return
    before = read(INTERP, "interp.code_object_generation")
    namespace = {}
    exec("def f(): pass", namespace)
    del namespace
    gc.collect()
    true("interp.code_object_generation", 0 < read(INTERP, "interp.code_object_generation") - before < 100000)


# ---- frames ----

def check_hooks():
    """3.8 to 3.11: the places of those who want to be told of calls."""
    seen = []

    def read_places(frame=None, event=None, argument=None):
        base, field = (read(TSTATE, "tstate.cframe"), "cframe.use_tracing") if has("tstate.cframe") else (TSTATE, "tstate.use_tracing")
        seen.append([read(TSTATE, "tstate.tracing", 4), bool(read(TSTATE, "tstate.profile_function")),
                     bool(read(TSTATE, "tstate.trace_function")), read(base, field, 1)])
        return read(TSTATE, "tstate.profile_object")
    if not has("tstate.profile_function"):
        return
    if has("interp.eval_frame"):
        same("interp.eval_frame", read(INTERP, "interp.eval_frame"), ctypes.cast(api._PyEval_EvalFrameDefault, ctypes.c_void_p).value)
    before = read(INTERP, "interp.threads_made")
    with Thread():
        same("interp.threads_made", read(INTERP, "interp.threads_made"), before + 1)
        same("tstate.number", read(read(INTERP, "interp.threads_head"), "tstate.number"), before + 1)
    same("tstate.profile_object", read_places(), 0)
    sys.setprofile(read_places)  # hears of the next two calls
    profile = read(TSTATE, "tstate.profile_object")
    sys.setprofile(None)
    same("tstate.profile_object", profile, id(read_places))
    sys.settrace(lambda *_: None)
    read_places()
    sys.settrace(None)
    places = "tstate.tracing tstate.profile_function tstate.trace_function cframe.use_tracing tstate.cframe tstate.use_tracing"
    on = 255 if VERSION == (3, 11) else 1
    same(places, [seen[0], seen[-1], (seen[1] + [0])[:3]], [[0, False, False, 0], [0, False, True, on], [1, True, False]])
    api.PyThreadState_GetDict.restype = ctypes.c_void_p
    same("tstate.dict", api.PyThreadState_GetDict(), read(TSTATE, "tstate.dict"))
    if has("pyframe.iframe"):
        same("pyframe.iframe", read(read(id(sys._getframe()), "pyframe.iframe"), "iframe.executable"), id(check_hooks.__code__))
        traceable = [2 * read(id(code), "code.first_traceable", 4) for code in (check_hooks.__code__, generator_of.__code__)]
        same("code.first_traceable", traceable, [first_resume(check_hooks.__code__), first_resume(generator_of.__code__)])


def first_resume(code):
    import dis
    return next(instruction.offset for instruction in dis.get_instructions(code) if instruction.opname == "RESUME")


def check_heap_frames(marker):
    """2.7 to 3.10: PyFrameObject."""
    frame = sys._getframe()
    current = ctypes.c_uint64.from_address(TSTATE + ROW["tstate.frame"]).value  # read without a call, that is: a frame
    same("tstate.frame", current, id(frame))
    back, address = frame.f_back, id(frame.f_back)
    same("pyframe.back", read(id(frame), "pyframe.back"), address)
    same("pyframe.code", read(address, "pyframe.code"), id(back.f_code))
    same("pyframe.lasti", read(address, "pyframe.lasti", 4) * (2 if VERSION == (3, 10) else 1), back.f_lasti)
    same("pyframe.localsplus", read(id(frame), "pyframe.localsplus"), id(marker))
    code = frame.f_code
    slots = code.co_nlocals + len(code.co_cellvars) + len(code.co_freevars)
    same("pyframe.valuestack pyframe.localsplus", read(id(frame), "pyframe.valuestack"),
         id(frame) + ROW["pyframe.localsplus"] + slots * 8)
    suspended = generator_of(marker)
    next(suspended)
    address = id(suspended.gi_frame)
    same("generator.frame", read(id(suspended), "generator.frame"), address)
    if has("pyframe.stacktop"):
        same("pyframe.stacktop", read(id(frame), "pyframe.stacktop"), 0)
        depth = (read(address, "pyframe.stacktop") - read(address, "pyframe.valuestack")) // 8
    else:
        same("pyframe.state", [read(id(frame), "pyframe.state", 1), read(address, "pyframe.state", 1)], [0, 255])
        depth = read(address, "pyframe.stackdepth", 4)
    same("pyframe.stacktop pyframe.stackdepth pyframe.valuestack", depth, 1)  # the iterator of the loop


def generator_of(marker):
    for _ in (1, 2):
        yield marker


def untag(reference):
    return reference & ~3 if VERSION >= (3, 14) else reference


def check_frames(marker):
    """3.11+: _PyInterpreterFrame."""
    frame = sys._getframe()
    has_cframe = has("cframe.current_frame")
    top = ctypes.c_uint64.from_address(TSTATE + ROW["tstate.frame"]).value  # read without a call, that is: a frame
    if has_cframe:
        top = ctypes.c_uint64.from_address(top + ROW["cframe.current_frame"]).value
    frames = list(chain(top, "iframe.previous"))
    codes, python = [untag(read(address, "iframe.executable")) for address in frames], frame
    same("tstate.frame cframe.current_frame iframe.executable", codes[0], id(frame.f_code))
    expected = []
    while python:
        expected.append(id(python.f_code))
        python = python.f_back
    same("iframe.previous iframe.executable", [code for code in codes if code in expected], expected)
    if has("tstate.base_frame"):
        same("tstate.base_frame", read(TSTATE, "tstate.base_frame"), frames[-1])
    caller = frames[1]
    instruction = read(caller, "iframe.instruction") - id(frame.f_back.f_code) - ROW["code.code_adaptive"]
    same("iframe.instruction code.code_adaptive", instruction, frame.f_back.f_lasti)
    same("iframe.localsplus", untag(read(top, "iframe.localsplus")), id(marker))
    same("iframe.owner", read(top, "iframe.owner", 1), 0)
    code = frame.f_back.f_code
    if VERSION <= (3, 13):
        depth = read(caller, "iframe.stacktop", 4)
    else:
        depth = (read(caller, "iframe.stacktop") - caller - ROW["iframe.localsplus"]) // 8
    slots = read(id(code), "code.nlocalsplus", 4)
    true("iframe.stacktop", slots <= depth <= slots + code.co_stacksize)
    suspended = generator_of(marker)
    next(suspended)
    inside = id(suspended) + ROW["generator.frame"]
    same("generator.frame", untag(read(inside, "iframe.executable")), id(suspended.gi_code))
    same("generator.frame iframe.owner", read(inside, "iframe.owner", 1), 1)
    state = ctypes.c_int8(read(id(suspended), "generator.state", 1)).value
    same("generator.state", state, {(3, 11): -1, (3, 12): -1, (3, 13): -2, (3, 14): -2}.get(VERSION, 1))
    check_data_stack(top)


def check_data_stack(frame):
    chunk = read(TSTATE, "tstate.datastack_chunk")
    size, top = read(chunk, "stack_chunk.size"), read(TSTATE, "tstate.datastack_top")
    same("tstate.datastack_chunk stack_chunk.size", size, 16384)
    true("tstate.datastack_top stack_chunk.data", chunk + ROW["stack_chunk.data"] <= frame < top <= chunk + size)

    def check_older_chunks(levels):
        if levels:
            return check_older_chunks(levels - 1)
        chunks = list(chain(read(TSTATE, "tstate.datastack_chunk"), "stack_chunk.previous"))
        true("stack_chunk.previous", len(chunks) > 1 and chunk in chunks)
        room = size - ROW["stack_chunk.data"]
        true("stack_chunk.top", all(room * 0.9 < read(older, "stack_chunk.top") * 8 <= room for older in chunks[1:]))

    check_older_chunks(150)


def check_entry(marker):
    """3.11: the frame that C called, through map(), is an entry; its own callee is not."""
    if not has("iframe.is_entry"):
        return

    def entries():
        top = number(number(TSTATE + ROW["tstate.frame"]) + ROW["cframe.current_frame"])
        return [(untag(read(address, "iframe.executable")), read(address, "iframe.is_entry", 1))
                for address in chain(top, "iframe.previous")]

    def called_by_c(_):
        return entries()

    found = dict(next(map(called_by_c, [0])))
    same("iframe.is_entry", [found[id(entries.__code__)], found[id(called_by_c.__code__)]], [0, 1])


# ---- code and objects ----

def sample(a, b=2, **rest):
    "text"
    return a + b + len(rest) + 12345


def check_code():
    sample(1)
    code = sample.__code__
    for field in ("argcount", "kwonlyargcount", "flags", "firstlineno", "stacksize"):
        if has("code." + field):
            same("code." + field, read(id(code), "code." + field, 4), getattr(code, "co_" + field))
    for field, name in (("consts", "consts"), ("names", "names"), ("filename", "filename"), ("name", "name"),
                        ("qualname", "qualname"), ("code", "code")):
        if has("code." + field):
            same("code." + field, read(id(code), "code." + field), id(getattr(code, "co_" + name)))
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    same("code.linetable", read(id(code), "code.linetable"), id(table))
    if not has("code.code_adaptive"):
        same("code.size", ROW["code.size"], type(code).__basicsize__)
        return
    size = len(code.co_code)
    same("code.nlocalsplus", read(id(code), "code.nlocalsplus", 4), code.co_nlocals)
    same("code.code_adaptive", ROW["code.code_adaptive"], type(code).__basicsize__)
    same("var_object.size code.code_adaptive", read(id(code), "var_object.size"), size // 2)
    instructions = ctypes.string_at(id(code) + ROW["code.code_adaptive"], size)
    same("code.code_adaptive", instructions[-1:], code.co_code[-1:])  # the last argument; others may be specialized
    true("code.size", 0 < ROW["code.size"] - ROW["code.code_adaptive"] <= 8)
    if has("code.framesize"):
        same("code.framesize iframe.localsplus", read(id(code), "code.framesize", 4) * 8,
             ROW["iframe.localsplus"] + (code.co_nlocals + code.co_stacksize) * 8)


def check_code_version():
    """From 3.12 on each new code object has the next version."""
    if not has("code.version"):
        return
    codes = [compile("x = %d" % i, "x", "exec") for i in range(2)]
    first, second = (read(id(code), "code.version", 4) for code in codes)
    true("code.version", first and (VERSION >= (3, 13) or second - first == 1))


def check_types():
    same("object.type", read(id(sample), "object.type"), id(type(sample)))
    same("object.size", ROW["object.size"], object.__basicsize__)
    for kind in (int, type(sample), threading.Thread):
        address = id(kind)
        same("type.name", ctypes.string_at(read(address, "type.name")).decode().split(".")[-1], kind.__name__)
        same("type.basicsize", read(address, "type.basicsize"), kind.__basicsize__)
        same("type.dictoffset", ctypes.c_int64(read(address, "type.dictoffset")).value, kind.__dictoffset__)
        same("type.flags", read(address, "type.flags"), kind.__flags__)
    same("module.dict", read(id(threading), "module.dict"), id(threading.__dict__))


MEMBERS = [
    (type(sample.__code__), "co_", "code", "argcount kwonlyargcount flags firstlineno stacksize consts names filename"
     " name qualname linetable lnotab code"),
    (type(sys._getframe()), "f_", "pyframe", "back code lasti"),
    (type(generator_of(0)), "gi_", "generator", "frame"),
]


def check_members():
    """The types' own tables of members. Returns how many were there to compare with."""
    count = 0
    expected = {(type(sys), "__dict__"): "module.dict", (type, "__basicsize__"): "type.basicsize",
                (type, "__dictoffset__"): "type.dictoffset", (type, "__flags__"): "type.flags"}
    for kind, prefix, group, names in MEMBERS:
        expected.update({(kind, prefix + name): "%s.%s" % (group, name.replace("lnotab", "linetable"))
                         for name in names.split()})
    for kind in {kind for kind, _ in expected}:
        member = read(id(kind), "type.members")
        while member and read(member, "member.name"):
            name = ctypes.string_at(read(member, "member.name")).decode()
            field = expected.get((kind, name))
            if field in ROW:
                count += 1
                same("type.members member.name member.offset member.size " + field,
                     read(member, "member.offset"), ROW[field])
            member += ROW["member.size"]
    return count


def check_numbers():
    value = 5 + (7 << 30) + (9 << 60)
    value = value if VERSION >= (3, 0) else value + (1 << 80)
    digits = [number(id(value) + ROW["long_object.digits"] + 4 * i, 4) for i in range(3)]
    same("long_object.digits", sum(digit << 30 * i for i, digit in enumerate(digits)), value)
    if has("long_object.lv_tag"):
        same("long_object.lv_tag", read(id(value), "long_object.lv_tag") >> 3, 3)
    else:
        same("var_object.size", read(id(value), "var_object.size"), 3)
    if has("int_object.value"):
        small = 123456
        same("int_object.value", read(id(small), "int_object.value"), small)


def check_text():
    data = b"0123456789"
    same("var_object.size", read(id(data), "var_object.size"), 10)
    same("bytes.data", ctypes.string_at(id(data) + ROW["bytes.data"], 10), data)
    text = u"0123\u20ac"
    same("unicode.length", read(id(text), "unicode.length"), 5)
    if VERSION < (3, 0):
        unit = ROW["unicode.unit"]
        same("unicode.unit", unit, 4 if sys.maxunicode > 0xFFFF else 2)
        raw = ctypes.string_at(read(id(text), "unicode.any_data"), 5 * unit)
        same("unicode.any_data", raw.decode("utf-16-le" if unit == 2 else "utf-32-le"), text)
        return
    utf16 = text.encode("utf-16-le")
    same("unicode.compact_data", ctypes.string_at(id(text) + ROW["unicode.compact_data"], 10), utf16)
    ascii_text = "".join(["plain", " text"])
    same("unicode.ascii_data", ctypes.string_at(id(ascii_text) + ROW["unicode.ascii_data"], 10), b"plain text")
    subclass = type("subclass", (str,), {})
    legacy = subclass(text)
    same("unicode.any_data", ctypes.string_at(read(id(legacy), "unicode.any_data"), 10), utf16)
    states = [read(id(string), "unicode.state", 4) >> ROW["unicode.kind_bit"] & 31
              for string in (ascii_text, text, legacy)]
    same("unicode.state unicode.kind_bit", states, [1 | 8 | 16, 2 | 8, 2])
    api.PyUnicode_AsUTF8.argtypes = [ctypes.py_object]
    utf8 = pointer_from("PyUnicode_AsUTF8", text)
    same("unicode.utf8", read(id(text), "unicode.utf8"), utf8)


# ---- dictionaries and attributes ----

def entries_of_keys(keys):
    """(key, value address) of a keys object of 3.6+."""
    if has("dict_keys.log2_index_bytes"):
        index_bytes = 1 << read(keys, "dict_keys.log2_index_bytes", 1)
        slots = 1 << read(keys, "dict_keys.size", 1)
    else:
        slots = read(keys, "dict_keys.size")
        index_bytes = slots * (1 if slots <= 0xFF else 2 if slots <= 0xFFFF else 4)
    true("dict_keys.size dict_keys.log2_index_bytes", 8 <= slots <= index_bytes or slots < 8)
    entry = "dict_unicode_entry" if has("dict_keys.kind") and read(keys, "dict_keys.kind", 1) else "dict_entry"
    for i in range(read(keys, "dict_keys.nentries")):
        address = keys + ROW["dict_keys.indices"] + index_bytes + i * ROW[entry + ".size"]
        yield address, read(address, entry + ".key"), read(address, entry + ".value")


def check_general_dict():
    dictionary = {i * 1000003: "%d" % i for i in range(200)}
    expected = {(hash(key), id(key), id(value)) for key, value in dictionary.items()}
    address = id(dictionary)
    same("dict.used", read(address, "dict.used"), 200)
    if has("dict.mask"):
        table = read(address, "dict.keys")
        places = [table + i * ROW["dict_entry.size"] for i in range(read(address, "dict.mask") + 1)]
        found = [(place, read(place, "dict_entry.key"), read(place, "dict_entry.value")) for place in places]
        found = [entry for entry in found if entry[2]]
    else:
        same("dict.values", read(address, "dict.values"), 0)
        found = list(entries_of_keys(read(address, "dict.keys")))
    found = {(ctypes.c_int64(read(place, "dict_entry.hash")).value, key, value) for place, key, value in found}
    same("dict.keys dict.mask dict_keys.size dict_keys.kind dict_keys.log2_index_bytes dict_keys.nentries"
         " dict_keys.indices dict_entry.key dict_entry.value dict_entry.size dict_entry.hash", found, expected)


def check_text_dict():
    if not has("dict_unicode_entry.size"):
        return
    dictionary = {"key%d" % i: "value%d" % i for i in range(200)}
    found = {(key, value) for _, key, value in entries_of_keys(read(id(dictionary), "dict.keys"))}
    same("dict_keys.kind dict_unicode_entry.key dict_unicode_entry.value dict_unicode_entry.size", found,
         {(id(key), id(value)) for key, value in dictionary.items()})


def check_split_values():
    """Instances of a class with the same attributes share the keys, and each has an array of values somewhere."""
    if VERSION < (3, 0):
        class Old:
            pass
        old = Old()
        same("instance.dict", read(id(old), "instance.dict"), id(old.__dict__))
        return

    class New(object):
        def __init__(self):
            self.first, self.second = "the first one", "the second one"

    # The first instance of a class makes its keys, in 3.6 to 3.10 a dictionary that is split before it is asked for.
    instance = [New() for _ in range(3)][-1]
    address, keys = id(instance), read(id(New), "heap_type.cached_keys")
    names = [key for _, key, _ in entries_of_keys(keys)]
    same("heap_type.cached_keys", names[:2], [id(sys.intern("first")), id(sys.intern("second"))])
    if VERSION <= (3, 10):
        dictionary = id(instance.__dict__)
        same("dict.keys heap_type.cached_keys", read(dictionary, "dict.keys"), keys)
        values = read(dictionary, "dict.values")
    elif VERSION == (3, 11):
        values = number(address - ROW["object.managed_values"])
        checked.add("object.managed_values")
    elif VERSION == (3, 12):
        values = number(address - ROW["object.managed_dict"])
        same("object.managed_dict", values & 1, 1)
        values += 1  # what is kept is one byte less than the address
    else:
        values = address + New.__basicsize__
        same("dict_values.valid", read(values, "dict_values.valid", 1), 1)
    found = [number(values + ROW["dict_values.values"] + 8 * i) for i in range(2)]
    same("dict.values dict_values.values object.managed_values", found, [id(instance.first), id(instance.second)])
    if VERSION >= (3, 11):
        dictionary = instance.__dict__
        same("object.managed_dict", number(address - ROW["object.managed_dict"]), id(dictionary))
    if has("dict_values.valid"):
        instance.__dict__ = {}
        same("dict_values.valid", read(values, "dict_values.valid", 1), 0)


# ---- what 3.13+ publishes ----

def check_published():
    """Returns how many fields were compared with _Py_DebugOffsets."""
    if not FACTS["head"]:
        return 0
    head = FACTS["head"]
    published = ctypes.string_at(RUNTIME, head["size"])
    fields = struct.unpack("<%dQ" % (len(published) // 8), published)

    def u64(offset):
        return fields[offset // 8] if offset >= 0 else 0

    same("runtime.debug_offsets", published[head["cookie"]:head["cookie"] + 8], b"xdebugpy")
    same("", u64(head["version"]), sys.hexversion)
    same("", u64(head["free_threaded"]), int(FREE_THREADED))
    count = 0
    for field, (source, plus, minus) in FACTS["published"].items():
        value = u64(source) + u64(plus) - u64(minus)
        if field in ROW:
            count += 1
            same(field, ROW[field], value)
        elif value:
            wrong.append("%s is published as %d, and the headers have no such field" % (field, value))
    return count


def main():
    published = check_published()
    members = check_members()
    check_runtime()
    check_gil()
    check_gil_condition()
    check_thread()
    check_hooks()
    check_collector()
    check_code_generation()
    if VERSION <= (3, 10):
        check_heap_frames(object())
    else:
        check_frames(object())
    check_entry(object())
    check_code()
    check_code_version()
    check_types()
    check_numbers()
    check_text()
    check_general_dict()
    check_text_dict()
    check_split_values()
    check_interpreter()
    print(json.dumps({"wrong": wrong, "checked": sorted(checked), "published": published, "members": members}))


main()
