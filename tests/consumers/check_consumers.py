#!/usr/bin/env python3
"""usage: check_consumers.py SYNTHETIC_TOOL [TEST...]

Has the programs that people use read what we write, and compares totals, of all and of each function, never only exit
codes. tools/get-consumers.sh installs them; each that is missing is skipped with a line. Status 0: all that ran agreed;
1: one did not; 77: none was there.
"""
import collections
import gzip
import json
import marshal
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.dom.minidom

HERE = os.path.dirname(os.path.abspath(__file__))
CONSUMERS = os.environ.get("PYROMETER_CONSUMERS") or os.path.join(HERE, "..", "..", ".consumers")
SCENES = ["shop", "hostile", "one", "idle", "empty"]


class Skip(Exception):
    pass


def need(path, what):
    if not path or not os.path.exists(path):
        raise Skip(f"{what} is missing (tools/get-consumers.sh)")
    return path


def written(scene, format, *options):
    run = subprocess.run([TOOL, scene, format, *options], capture_output=True, check=True, env={**os.environ, "TZ": "UTC"})
    return run.stdout


def file_of(data, suffix):
    file = tempfile.NamedTemporaryFile(suffix=suffix, delete=False)
    with file:
        file.write(data)
    return file.name


def equal(what, ours, theirs):
    if ours != theirs:
        raise AssertionError(f"{what}: {ours!r} in our JSON, {theirs!r} there")


def report(scene, *options):
    return json.loads(written(scene, "json", *options))


def self_and_total(json_report, weight):
    """{(name, path): [self, total]} from the tree, recursion counted once; weight: a column of "stacks"."""
    tree, functions, stacks = json_report["tree"], json_report["functions"], json_report["stacks"]
    sums = collections.defaultdict(lambda: [0, 0])
    keys = [(functions[i]["name"], functions[i]["path"]) if i >= 0 else None for i in tree["function"]]
    for node, amount in zip(stacks["node"], stacks[weight]):
        sums[keys[node]][0] += amount
        seen = set()
        while node > 0:
            if keys[node]:  # not the root of a process or thread
                seen.add(keys[node])
            node = tree["parent"][node]
        for key in seen:
            sums[key][1] += amount
    return sums


def test_json():
    """The standard library's reader; shares and sums are consistent."""
    for scene in SCENES:
        got = report(scene)
        equal(f"{scene}: sum of stacks", got["view"]["total_samples"], sum(got["stacks"]["samples"]))
        equal(f"{scene}: sum of self", got["view"]["total_weight"], sum(f["self"]["weight"] for f in got["functions"]))
        sums = list(got["tree"]["self"])
        for node in range(len(sums) - 1, 0, -1):
            sums[got["tree"]["parent"][node]] += sums[node]
        equal(f"{scene}: totals of nodes", got["tree"]["total"], sums)
        equal(f"{scene}: the root's total", got["view"]["total_weight"], sums[0])
        for row in got["functions"] + got["lines"]:
            for part in (row["self"], row["total"]):
                assert part["low"] <= part["share"] + 1e-6 and part["share"] <= part["high"] + 1e-6, row
    return "strict JSON, sums agree"


def test_pprof():
    pprof = need(os.path.join(CONSUMERS, "bin", "pprof"), "pprof")
    for scene in SCENES:
        for options in ([], ["--idle"], ["--gil"], ["--by", "function"]):
            path = file_of(written(scene, "pprof", *options), ".pb.gz")
            try:
                check_pprof(pprof, path, scene, options)
            finally:
                os.unlink(path)
    return f"{len(SCENES) * 4} files, totals of each function"


def check_pprof(pprof, path, scene, options):
    raw = subprocess.run([pprof, "-raw", path], capture_output=True)
    equal(f"{scene}: pprof's status and words", (0, b""), (raw.returncode, raw.stderr))
    samples = re.findall(rb"^ +(\d+) +(\d+) +(\d+): [\d ]*$", raw.stdout, re.M)
    ours = report(scene, *options)
    sums = [sum(int(s[i]) for s in samples) for i in range(3)]
    equal(f"{scene} {options}: all values", [sum(ours["stacks"][c]) for c in ("samples", "wall_ns", "cpu_ns")], sums)
    if scene == "hostile":  # names that pprof prints in its own way
        return
    top = subprocess.run([pprof, "-top", "-nodefraction=0", "-trim=false", "-sample_index=wall", "-unit=ns", path], capture_output=True, text=True)
    rows = re.findall(r"^ *(\d+)(?:ns)? +\S+% +\S+% +(\d+)(?:ns)? +\S+%  (.*)$", top.stdout, re.M)
    theirs = {name: [int(flat), int(cum)] for flat, cum, name in rows}
    expected = collections.defaultdict(lambda: [0, 0])
    for (name, _), (own, total) in self_and_total(ours, "wall_ns").items():
        if name not in ambiguous(ours):
            expected[name] = [own, total]
    if theirs or any(v[1] for v in expected.values()):
        equal(f"{scene} {options}: functions", dict(expected), {n: v for n, v in theirs.items() if n in expected})


def ambiguous(ours):
    """Names that two functions have: pprof -top adds those up."""
    names = collections.Counter(f["name"] for f in ours["functions"])
    return {name for name, count in names.items() if count > 1}


def test_pstats():
    """Python's own reader: of samples, how many saw each function and for how long."""
    for scene in ("shop", "hostile", "one", "empty"):
        theirs = {}
        for (path, line, name), (_, count, own, total, _) in marshal.loads(written(scene, "pstats")).items():
            theirs[name or "<unnamed>", path, line] = [count, round(total * 1e9)]
            assert own <= total, name
        ours = {(f["name"], f["path"], f["line"]): [f["total"]["samples"], f["total"]["weight"]]
                for f in report(scene, "--weight", "wall")["functions"] if f["name"] not in ("<no Python frame>", "<garbage collection>")}
        equal(f"{scene}: samples and nanoseconds", ours, theirs)
    return "samples and time of each function"


SNAKEVIZ = """
import json, pstats, sys
from snakeviz.stats import json_stats, table_rows
stats = pstats.Stats(sys.argv[1])
print(json.dumps([table_rows(stats), json_stats(stats)]))
"""


def test_snakeviz():
    """What SnakeViz puts into its table, to its four digits, and the callees that its picture is drawn of."""
    python = need(os.path.join(CONSUMERS, "snakeviz", "bin", "python"), "snakeviz")
    path = file_of(written("bakery", "pstats"), ".pstats")
    run = subprocess.run([python, "-c", SNAKEVIZ, path], capture_output=True, check=True)
    os.unlink(path)
    rows, pictured = json.loads(run.stdout)
    ours = json.loads(written("bakery", "json"))
    names = ["~:0(%s)" % f["name"] if f["builtin"] else "%s:%d%s" % (f["path"], f["line"], re.search(r"\(.*\)$", f["label"])[0])
             for f in ours["functions"]]
    expected = {name: [f["ncalls"] + f["resumed"], f["primitive"] + f["resumed_primitive"], *("%.4g" % (f[time] / 1e9) for time in (
        "tottime_ns", "cumtime_ns"))] for name, f in zip(names, ours["functions"])}
    equal("calls and times", expected, {name: [count, int(shown.split("/")[-1]), own, total]
                                        for (shown, count), own, _, total, _, _, name in rows})
    callees = {name: {} for name in names}
    for pair in ours["calls"]:
        callees[names[pair["caller"]]][names[pair["callee"]]] = pair["ncalls"] + pair["resumed"]
    equal("callees", callees, {name: {callee: of[0] for callee, of in row["children"].items()} for name, row in pictured.items()})
    return "calls, times and callees of each function"


# ---- line_profiler ----

LINE_PROFILERS = ["4.1.3", "4.2.0", "5.1.0"]
LOAD = """
import json, sys
from line_profiler.line_profiler import load_stats
stats = load_stats(sys.argv[1])
print(json.dumps([[[*key, timings] for key, timings in stats.timings.items()], stats.unit]))
"""
# Numbers of every size and things that are not there, as a LineStats of this version.
MAKE = """
import line_profiler, pickle, random, sys
LineStats = type(line_profiler.LineProfiler().get_stats())
out, seed, source = sys.argv[1], int(sys.argv[2]), sys.argv[3]
random.seed(seed)
def number(): return random.choice([random.randrange(1, 10), random.randrange(10 ** random.randrange(1, 14)) + 1])
def timings(first, last): return [(line, number(), number() * random.choice([0, 1, 1000])) for line in range(first, last) if random.random() < .6]
stats = LineStats({
    (source, 9, "fibonacci"): timings(11, 14),
    (source, 16, "squares"): [(20, 10 ** 12, 10 ** 15), (21, 99999999, 1), (22, 999999999, 2)],
    (source, 16, "beyond its block"): timings(17, 80),
    (source, 4000, "beyond the file"): timings(4000, 4003),
    ("/nowhere/made.py", 5, "lost"): timings(3, 12),
    ("/nowhere/made.py", 7, "lost and never called"): [],
    ("<string>", 1, "executed"): timings(1, 3),
    (source, 27, "twice"): [],
}, random.choice([1e-9, 1e-7, 1e-6]))
with open(out, "wb") as file:
    pickle.dump(stats, file, 2 + seed % 4)
"""
WRAP = r"""
import json, textwrap
for i in range(20):
    textwrap.fill("To be or not to be, that is the question. " * i, 40)
    textwrap.dedent("   a\n   b\n")
    json.loads(json.dumps({"a": [1, 2.5, None, {"b": "c" * i}]}, indent=2))
"""


def run_python(python, *words, folder=None):
    run = subprocess.run([python, *words], capture_output=True, cwd=folder, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    if run.returncode:
        raise AssertionError(f"{words[:3]}: {run.stderr.decode()[-500:]}")
    return run.stdout


def reported(path, format, *options, folder=None):
    with open(path, "rb") as file:
        return subprocess.run([os.path.abspath(TOOL), "lprof", format, *options], stdin=file, capture_output=True, check=True, cwd=folder).stdout


def check_lprof_text(version, python, path, folder):
    """What line_profiler prints of a file, with each of its options, and what we do. Its version 4 sorts functions by their keys, and has
    one digit less where a time is wider than its column, which we leave alone."""
    old = version.startswith("4.")
    kept = ["--sort", "filename"] if old else []
    options = [([], kept), (["-z"], ["--skip-zero", *kept]), (["-t"], ["--sort", "time"]), (["-m", "-z"], ["--summarize", "--skip-zero", *kept])]
    if not old:
        options += [(["-u", "1e-3"], ["--unit", "1e-3"]), (["-u", "1e-9"], ["--unit", "1e-9"])]
    for theirs, ours in options:
        expected = run_python(python, "-m", "line_profiler", *theirs, path, folder=folder).decode().split("\n")
        got = reported(path, "text", *ours, folder=folder).decode().split("\n")
        for number, (one, other) in enumerate(zip(expected, got), 1):
            assert one == other, f"{version} {theirs} {os.path.basename(path)} line {number}: theirs\n{one}\nours\n{other}"
        equal(f"{version} {theirs} {os.path.basename(path)}: number of lines", len(got), len(expected))
    return len(expected)


def check_lprof_numbers(version, python, folder):
    """Ours as they load it, and theirs, read and written by us."""
    path = os.path.join(folder, "mill.lprof")
    for options in ([], ["--measured"]):
        with open(path, "wb") as file:
            file.write(written("mill", "lprof", *options))
        timings, unit = json.loads(run_python(python, "-c", LOAD, path))
        time = "measured_time_ns" if options else "time_ns"
        expected = [[f["path"], f["line"], f["qualname"] or f["name"], [[line["line"], line["hits"], line[time]] for line in f["lines"]]]
                    for f in json.loads(written("mill", "json"))["functions"]]
        equal(f"{version}: unit", 1e-9, unit)
        equal(f"{version} {options}: timings", expected, timings)
    for theirs in ("subject.lprof", "made-0.lprof", "made-1.lprof", "made-2.lprof", "made-3.lprof"):
        theirs = os.path.join(folder, theirs)
        with open(path, "wb") as file:
            file.write(reported(theirs, "lprof"))
        equal(f"{version}: a file read and written", *(json.loads(run_python(python, "-c", LOAD, each)) for each in (path, theirs)))


def check_line_profiler(version, bin, newest, folder):
    python, printer = os.path.join(bin, "python"), os.path.join(newest[1], "python")

    def kernprof(name, *words):
        run_python(python, "-W", "ignore", "-m", "kernprof", "-l", "-o", name, *words, folder=folder)
        return os.path.join(folder, name)
    shutil.copy(os.path.join(HERE, "lprof_subject.py"), folder)
    with open(os.path.join(folder, "wrap.py"), "w") as file:
        file.write(WRAP)
    paths = [kernprof("subject.lprof", "lprof_subject.py"), kernprof("whole.lprof", "-p", "lprof_subject.py", "lprof_subject.py", "10"),
             kernprof("wrap.lprof", "-p", "textwrap,json.decoder,json.encoder", "wrap.py")]
    for seed in range(6):
        paths.append(os.path.join(folder, f"made-{seed}.lprof"))
        run_python(python, "-c", MAKE, paths[-1], str(seed), "lprof_subject.py")
    lines = sum(check_lprof_text(newest[0], printer, path, folder) for path in paths)
    if newest[0] != version:
        lines += sum(check_lprof_text(version, python, path, folder) for path in paths[:3])
    check_lprof_numbers(version, python, folder)
    return lines


def test_lprof():
    """line_profiler reads our files with equal numbers, and its own files look here as they do there, byte for byte."""
    there, lines = [], 0
    for version in LINE_PROFILERS:
        folder = os.path.abspath(os.path.join(CONSUMERS, f"line_profiler-{version}", "bin"))
        if os.path.exists(os.path.join(folder, "kernprof")):
            there.append((version, folder))
    if not there or there[-1][0] != LINE_PROFILERS[-1]:
        raise Skip(f"line_profiler {LINE_PROFILERS[-1]} is missing (tools/get-consumers.sh)")
    for version, folder in there:
        with tempfile.TemporaryDirectory() as scratch:
            lines += check_line_profiler(version, folder, there[-1], scratch)
    return f"{', '.join(version for version, _ in there)}: numbers both ways, {lines} lines of text"


# ---- memory_profiler ----

SHOW_RESULTS = """
import inspect, json, linecache, sys, types
from memory_profiler import show_results

def rows(function):
    block = inspect.getblock(linecache.getlines(function["file"])[function["line"] - 1:])
    mib = 1 << 20
    measured = {line["line"]: (line["increment_bytes"] / mib, line["usage_bytes"] / mib, line["occurrences"]) for line in function["lines"]}
    measured[function["line"]] = (function["baseline_bytes"] / mib, function["baseline_bytes"] / mib, function["calls"])
    return function["file"], [(number, measured.get(number)) for number in range(function["line"], function["line"] + len(block))]

functions = [rows(function) for function in json.load(sys.stdin)]
show_results(types.SimpleNamespace(code_map=dict(functions)))
"""


def test_memory_lines():
    """The table of lines is memory_profiler's, byte for byte, but for the finer units."""
    python = need(os.path.join(CONSUMERS, "memory_profiler", "bin", "python"), "memory_profiler")
    golden = os.path.abspath(os.path.join(HERE, "..", "golden"))
    tool = os.path.abspath(TOOL)

    def cellar(format):
        return subprocess.run([tool, "cellar", format, "--root", golden], cwd=golden, capture_output=True, check=True).stdout.decode()
    text, count = cellar("text"), 0
    for function in json.loads(cellar("json"))["lines"]:
        if function["name"] not in ("fill", "taste"):
            continue  # it shows no function that was not called, and in one row what a lambda has in two
        theirs = subprocess.run([python, "-c", SHOW_RESULTS], input=json.dumps([function]).encode(), cwd=golden, capture_output=True, check=True).stdout.decode()
        start = text.index(f"\n{function['line']:6} ") + 1
        head, table = theirs.split("=\n", 1)
        assert head + "=\n" in text, head
        ours = re.sub(r" *-?[0-9.]+ (KiB|B) ", "      0.0 MiB ", text[start:start + 2 * len(table)])
        equal(function["name"], ours[:len(table)], table.replace("-0.0 MiB", " 0.0 MiB"))
        count += table.count("\n")
    return f"{count} lines of text"


def test_callgrind():
    """callgrind_annotate's own and inclusive times of each function."""
    annotate = shutil.which("callgrind_annotate")
    if not annotate:
        raise Skip("callgrind_annotate is missing (Debian's valgrind)")
    for options in ([], ["--measured"]):
        path = file_of(written("bakery", "callgrind", *options), ".callgrind")
        ours = json.loads(written("bakery", "json"))["functions"]
        kind = "measured_" if options else ""
        for inclusive, column in (("no", "tottime_ns"), ("yes", "cumtime_ns")):
            run = subprocess.run([annotate, "--threshold=100", "--auto=no", f"--inclusive={inclusive}", path],
                                 capture_output=True, text=True)
            rows = re.findall(r"^ *([\d,]+) \([ \d.]+%\)  (\S.*:\S.*)$", run.stdout, re.M)
            theirs = {name: int(time.replace(",", "")) for time, name in rows}
            expected = {callgrind_name(function): function[kind + column] for function in ours}
            equal(f"callgrind {options} {column}", expected, theirs)
        os.unlink(path)
    return "own and inclusive times of each function"


def callgrind_name(function):
    if function["builtin"]:
        return "~:" + function["name"]
    name = re.search(r"\((.*)\)$", function["label"])[1]
    return f"{function['path']}:{name}:{function['line']}"


def test_speedscope():
    need(os.path.join(CONSUMERS, "node_modules", "speedscope"), "speedscope")
    need(os.path.join(CONSUMERS, "node_modules", "playwright-core"), "playwright-core")
    node, chromium = need(shutil.which("node"), "node"), need(shutil.which("chromium"), "chromium")
    for scene in ("shop", "one", "hostile"):
        path = file_of(written(scene, "speedscope", "--full-paths"), ".speedscope.json")
        try:
            run = subprocess.run([node, os.path.join(HERE, "speedscope_totals.mjs"), os.path.abspath(CONSUMERS), chromium, path],
                                 capture_output=True, text=True)
        finally:
            os.unlink(path)
        if run.returncode:
            raise AssertionError(f"{scene}: speedscope: {run.stdout[:500]} {run.stderr[:500]}")
        check_speedscope(scene, json.loads(run.stdout)["profiles"])
    return "3 files in Chromium, totals of each function"


def check_speedscope(scene, profiles):
    ours = report(scene)
    equal(f"{scene}: units", {"nanoseconds"}, {p["unit"] for p in profiles})
    equal(f"{scene}: all", sum(ours["stacks"]["wall_ns"]), sum(p["total"] for p in profiles))
    theirs = collections.defaultdict(lambda: [0, 0])
    for profile in profiles:
        for name, sums in profile["functions"].items():
            theirs[name][0] += sums["self"]
            theirs[name][1] += sums["total"]
    expected = collections.defaultdict(lambda: [0, 0])
    for (name, path), (own, total) in self_and_total(ours, "wall_ns").items():
        key = f"{name} ({path})" if path else name
        expected[key][0] += own
        expected[key][1] += total
    gap = theirs.pop("<frames left out>", None)  # of stacks too deep for speedscope
    equal(f"{scene}: frames left out", [0, 50_000_000] if scene == "hostile" else None, gap)
    equal(f"{scene}: functions", dict(expected), dict(theirs))


# ---- single calls ----

def trace_slices():
    """(pid, tid, begin, length, name, category) of our trace events, in the order of their begin, callers first; and names by thread."""
    events = json.loads(written("moments", "chrome"))["traceEvents"]
    slices = [(e["pid"], e["tid"], round(e["ts"] * 1000), round(e["dur"] * 1000), e["name"], e["cat"]) for e in events if e["ph"] == "X"]
    names = {(e["name"], e["pid"] if e["name"] == "process_name" else e["tid"]): e["args"]["name"] for e in events if e["ph"] == "M" and "name" in e["args"]}
    return sorted(slices, key=lambda s: (s[0], s[1], s[2], -s[3])), names


def depths(slices):
    """How many calls of its thread each one is in."""
    found, stack = [], []
    for pid, tid, begin, length, *_ in slices:
        while stack and (stack[-1][:2] != (pid, tid) or stack[-1][2] <= begin):
            stack.pop()
        assert not stack or begin + length <= stack[-1][2], "slices cross"
        found.append(len(stack))
        stack.append((pid, tid, begin + length))
    return found


def test_perfetto():
    need(os.path.join(CONSUMERS, "perfetto", "web_dist"), "perfetto")
    need(os.path.join(CONSUMERS, "node_modules", "playwright-core"), "playwright-core")
    node, chromium = need(shutil.which("node"), "node"), need(shutil.which("chromium"), "chromium")
    ours, names = trace_slices()
    for format, suffix in (("chrome", ".trace.json"), ("perfetto", ".pftrace")):
        path = file_of(written("moments", format), suffix)
        try:
            run = subprocess.run([node, os.path.join(HERE, "perfetto_slices.mjs"), os.path.abspath(CONSUMERS), chromium, path], capture_output=True, text=True)
        finally:
            os.unlink(path)
        answer = json.loads(run.stdout or '{"errors": ["%s"]}' % run.stderr[:500])
        equal(f"{format}: what Perfetto complains of", [], answer["errors"])
        theirs = sorted(answer["slices"], key=lambda s: (int(s["pid"]), int(s["tid"]), int(s["ts"]), -int(s["dur"])))
        equal(f"{format}: slices", len(ours), len(theirs))
        for mine, depth, s in zip(ours, depths(ours), theirs):
            pid, tid, begin, length, name, category = mine
            equal(f"{format}: a slice", (pid, tid, begin, length, depth), tuple(int(s[key]) for key in ("pid", "tid", "ts", "dur", "depth")))
            if format == "chrome":
                # Its reader of JSON leaves both of two backslashes.
                equal(f"{format}: its name", (name, category), (s["name"].replace("\\\\", "\\"), s["category"].replace("\\\\", "\\")))
            else:
                place = s["file"] and f" ({'/'.join(s['file'].split('/')[-2:])}:{s['line']})"
                equal(f"{format}: its name", name.replace("(back\\", "(back/"), s["name"] + (place or ""))  # it takes both for a separator
            equal(f"{format}: its thread", names["thread_name", tid], s["thread"])
            equal(f"{format}: its process", names["process_name", pid], s["process"])
    return f"2 files in Chromium, {len(ours)} slices each, by nanosecond and depth"


def test_speedscope_trace():
    need(os.path.join(CONSUMERS, "node_modules", "speedscope"), "speedscope")
    node, chromium = need(shutil.which("node"), "node"), need(shutil.which("chromium"), "chromium")
    ours, _ = trace_slices()
    path = file_of(written("moments", "chrome"), ".trace.json")
    try:
        run = subprocess.run([node, os.path.join(HERE, "speedscope_totals.mjs"), os.path.abspath(CONSUMERS), chromium, path], capture_output=True, text=True)
    finally:
        os.unlink(path)
    if run.returncode:
        raise AssertionError(f"speedscope: {run.stdout[:500]} {run.stderr[:500]}")
    own = collections.Counter()
    stack = []
    for pid, tid, begin, length, name, _ in ours:
        while stack and (stack[-1][0] != (pid, tid) or stack[-1][1] <= begin):
            stack.pop()
        own[name] += length
        if stack:
            own[stack[-1][2]] -= length
        stack.append(((pid, tid), begin + length, name))
    theirs = collections.Counter()
    for profile in json.loads(run.stdout)["profiles"]:
        equal("unit", "microseconds", profile["unit"])
        for name, sums in profile["functions"].items():
            theirs[name] += sums["self"]
    equal("functions", dict(own), {name: round(time * 1000) for name, time in theirs.items() if name in own})
    return "own time of each function"


def test_collapsed():
    """The expression that readers of folded stacks use."""
    for scene in SCENES:
        lines = written(scene, "collapsed").decode().splitlines()
        found = [re.fullmatch(r"([^;]*(?:;[^;]*)*) (\d+)", line) for line in lines]
        ours = report(scene)
        equal(f"{scene}: sum of lines", ours["view"]["total_samples"], sum(int(m.group(2)) for m in found))
        depths = [-1]
        for parent in ours["tree"]["parent"][1:]:
            depths.append(depths[parent] + 1)
        equal(f"{scene}: depths and weights of stacks", sorted((d, w) for d, w in zip(depths, ours["tree"]["self"]) if w),
              sorted((m.group(1).count(";"), int(m.group(2))) for m in found))
    return "every line reads, sums agree"


def test_page():
    need(os.path.join(CONSUMERS, "node_modules", "playwright-core"), "playwright-core")
    node, chromium = need(shutil.which("node"), "node"), need(shutil.which("chromium"), "chromium")
    for scene in SCENES:
        svg = written(scene, "svg")
        xml.dom.minidom.parseString(svg)
        path = file_of(svg, ".svg")
        try:
            run = subprocess.run([node, os.path.join(HERE, "flame_page.mjs"), os.path.abspath(CONSUMERS), chromium, path, "decode|^down"],
                                 capture_output=True, text=True)
        finally:
            os.unlink(path)
        if run.returncode:
            raise AssertionError(f"{scene}: {run.stdout[:800]} {run.stderr[:500]}")
        check_page(scene, json.loads(run.stdout))
    return "well-formed, used in Chromium without a network"


def check_page(scene, seen):
    equal(f"{scene}: frames shown at first", seen["frames"], seen["shown"])
    assert 1080 <= seen["rightEdge"] <= 1100, seen
    assert seen["narrowEdge"] <= 400 and seen["searchBelow"] >= 0 and seen["searchAbove"] >= 0, seen
    if scene == "shop":
        assert seen["tip"].splitlines()[0] == 'process 4242 "/usr/bin/python3 app.py --port 8000"', seen
        assert "91.0 % of 6,226 busy samples (95 %: 90.3 to 91.7 %)" in seen["tip"], seen
        assert "5,666 samples in all, of it its own 0 samples" in seen["tip"], seen
        equal("shop: search", ("found in 31.9 %", 2), (seen["found"], seen["hits"]))
        assert seen["entered"] < seen["shown"] and 1080 <= seen["enteredEdge"] <= 1100, seen
    if scene in ("shop", "hostile"):
        equal(f"{scene}: after Escape", seen["shown"], seen["left"])
        equal(f"{scene}: a bad expression", "bad", seen["bad"])
    if scene == "hostile":
        equal("hostile: search", ("found in 17.4 %", 1999), (seen["found"], seen["hits"]))


def test_gzip():
    data = written("shop", "pprof")
    equal("time stamp in the gzip head", b"\0\0\0\0", data[4:8])
    gzip.decompress(data)
    return "one whole member, the same bytes each time"


def main():
    global TOOL
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    TOOL = sys.argv[1]
    tests = {name[5:]: test for name, test in globals().items() if name.startswith("test_")}
    ran = failed = 0
    for name in sys.argv[2:] or tests:
        try:
            print(f"{name:11} ok      {tests[name]()}")
            ran += 1
        except Skip as reason:
            print(f"{name:11} skipped {reason}")
        except AssertionError as reason:
            print(f"{name:11} FAILED  {str(reason)[:2000]}")
            failed += 1
        sys.stdout.flush()
    return 1 if failed else 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main())
