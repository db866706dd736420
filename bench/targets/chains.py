"""Two chains of 20 calls in turn, a0 to a19 and b0 to b19, for ever. A stack that mixes a and b, or skips an index,
never existed."""
import sys

LENGTH = 20
for chain in "ab":
    for i in range(LENGTH):
        if i < LENGTH - 1:
            body = "return %s%d(n)" % (chain, i + 1)
        else:
            body = "x = 0\n    for i in range(n):\n        x += i\n    return x"
        exec("def %s%d(n):\n    %s\n" % (chain, i, body))

print("ready")
sys.stdout.flush()
while True:
    a0(20)
    b0(20)
