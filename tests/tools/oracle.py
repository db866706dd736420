"""Holds src/bytecode, through tests/unit/bytecode_tool.c, against every interpreter found: those given, else those under
$PYENV_ROOT/versions, on PATH and in $PYROMETER_SID. A script runs in each and prints questions for the tool and its own
answers, in turn. Prints a row for each interpreter. Status 1 when one differs, or when one that
$PYROMETER_REQUIRE_PYTHONS names ("2.7 3.13") is not there; 77 (skipped) when no interpreter was found."""
import glob
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def interpreters():
    found = {}
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    candidates = glob.glob(os.path.join(root, "versions", "*", "bin", "python"))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if "shims" not in folder:
            candidates += glob.glob(os.path.join(folder, "python[23]")) + glob.glob(os.path.join(folder, "python[23].[0-9]*[0-9]"))
    for path in sorted(candidates) + [sys.executable]:
        found.setdefault(os.path.realpath(path), [path])
    sid = os.environ.get("PYROMETER_SID") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".sid")
    if os.geteuid() == 0:
        for name in sorted(glob.glob(os.path.join(sid, "usr/bin/python3.1[0-9]"))):
            found["sid:" + name] = ["chroot", os.path.realpath(sid), "/usr/bin/" + os.path.basename(name)]
    return list(found.values())


def check(tool, python, script, compare):
    """(label, number of questions, number of answers compared, list of differences), or None when it does not run."""
    label = subprocess.run(python + ["-c", "import sys; print(sys.version.split()[0])"], capture_output=True, text=True)
    if label.returncode:
        return None
    run = subprocess.run(python + ["-c", script], capture_output=True, text=True)
    if run.returncode:
        return label.stdout.strip(), 0, 0, run.stderr.splitlines()
    dump = run.stdout.splitlines()
    asked, truth = dump[0::2], dump[1::2]
    got = subprocess.run([tool], input="\n".join(asked) + "\n", capture_output=True, text=True, check=True).stdout.splitlines()
    different, compared = [], 0
    if len(got) != len(truth):
        different.append(f"{len(got)} answers for {len(truth)} questions")
    for question, ours, theirs in zip(asked, got, truth):
        for differs, words in compare(question, ours, theirs):
            compared += 1
            if differs:
                different.append(words)
    return label.stdout.strip(), len(truth), compared, different


def main(usage, script, compare):
    if len(sys.argv) < 2:
        return usage
    pythons = [[p] for p in sys.argv[2:]] or interpreters()
    with ThreadPoolExecutor(2) as pool:
        results = [r for r in pool.map(lambda p: check(sys.argv[1], p, script, compare), pythons) if r]
    if not results and not os.environ.get("PYROMETER_REQUIRE_PYTHONS"):
        print("no Python found; skipped")
        return 77
    for label, codes, compared, different in sorted(results):
        print(f"{label:10} {codes:4} code objects {compared:7} instructions  {'DIFFERS' if different else 'equal'}")
        for line in different[:5]:
            print("   ", line)
    required = os.environ.get("PYROMETER_REQUIRE_PYTHONS", "").replace(",", " ").split()
    missing = [v for v in required if not any(r[0] == v or r[0].startswith(v + ".") for r in results)]
    for version in missing:
        print(f"{version:10} MISSING, and required")
    return 1 if missing or any(r[3] or not r[2] for r in results) else 0
