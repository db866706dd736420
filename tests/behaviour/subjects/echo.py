"""Says what a program can know of how it was started, copies stdin to stdout, ends with status 3. Runs on any Python."""
import json
import os
import signal
import sys

state = {
    "argv": sys.argv,
    "path": sys.path,
    "name": __name__,
    "file": globals().get("__file__"),
    "main": sorted(vars(sys.modules["__main__"])),
    "modules": sorted(sys.modules),
    "executable": sys.executable,
    "flags": list(sys.flags),
    "environment": sorted(os.environ.items()),
    "folder": os.getcwd(),
    "umask": os.umask(0o22),
    "session": os.getsid(0),
    "group is its own": os.getpgid(0) == os.getpid(),
    "descriptors": sorted(os.listdir("/proc/self/fd"), key=int),
    "signals": [str(signal.getsignal(number)) for number in range(1, 32) if number not in (9, 19)],
    "blocked and ignored": [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn", "SigCgt"))],
    "limits": open("/proc/self/limits").read(),
    "terminal": [os.isatty(number) for number in (0, 1, 2)],
    "nice": os.nice(0),
    "traced": [line for line in open("/proc/self/status") if line.startswith("TracerPid")],
}
json.dump(state, sys.stderr)
sys.stdout.write(sys.stdin.read())
sys.stdout.flush()
sys.exit(3)
