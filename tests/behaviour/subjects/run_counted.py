"""Runs programs, one after the other, each as a main program of its own. With `count` before their names it prints, as JSON, how
often sys.settrace saw each line: {file: {"function:first line": {line: hits}}}; with `entries`, how often behind another line."""
import json
import sys

counts, last = {}, {}


def trace(frame, event, argument):
    code = frame.f_code
    if code.co_filename not in counts:
        return None
    if event == "line":
        lines = counts[code.co_filename].setdefault("%s:%d" % (code.co_name, code.co_firstlineno), {})
        if counting == "count" or last.get(frame) != frame.f_lineno:
            lines[frame.f_lineno] = lines.get(frame.f_lineno, 0) + 1
        if counting == "entries":
            last[frame] = frame.f_lineno
    return trace


paths = sys.argv[1:]
counting = paths[0] if paths[0] in ("count", "entries") else ""
for path in paths[bool(counting):]:
    with open(path) as file:
        code = compile(file.read(), path, "exec")
    if counting:
        counts[path] = {}
        sys.settrace(trace)
    try:
        exec(code, {"__name__": "__main__"})
    finally:
        sys.settrace(None) if counting else None
if counting:
    print(json.dumps(counts))
