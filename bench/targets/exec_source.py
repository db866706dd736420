"""Makes code objects of one and the same source for ever, runs them and forgets them, as a template engine or a
server of notebooks does."""
import sys

SOURCE = """
def first(n):
    x = 0
    for i in range(n):
        x += i
    return x

def second(n):
    return first(n) + sum(k for k in range(n))

for _ in range(20):
    second(50)
"""

print("ready")
sys.stdout.flush()
while True:
    exec(compile(SOURCE, "<generated>", "exec"), {})
