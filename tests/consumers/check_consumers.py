#!/usr/bin/env python3
"""usage: check_consumers.py SYNTHETIC_TOOL [TEST...]

Has the programs that people use read what we write, and compares totals, of all and of each function, never only exit
codes. tools/get-consumers.sh installs them; each that is missing is skipped with a line. Status 0: all that ran agreed;
1: one did not; 77: none was there.
"""
import collections
import gzip
import json
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
