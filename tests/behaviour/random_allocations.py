"""Programs of random control flow whose lines get and give back memory of known sizes: `make(seed)` is the source of one, and the lines
at which an exception's own objects come and go.

    PROGRAM count LIBRARY ROUNDS    prints, as JSON, what each line of its functions got less gave back: {"function:line": bytes}
    PROGRAM run LIBRARY ROUNDS      only does it; LIBRARY is that of subjects/memory_slots.c

All rounds are the same, so that two runs of different length differ by what the account says, whatever the interpreter keeps for
itself the first times. No line leaves an object behind but those of the account, and the exceptions; `list(...)` stands nowhere, since the
list goes to a store from which it did not come. The code stands below line 400, and
its places are above 256: numbers for which an interpreter that tells of a line, or of a resumption, makes an object."""
import random

HEAD = "\n" * 400 + '''
import ctypes, gc, json, sys
gc.disable()
library = ctypes.CDLL(sys.argv[2])
BLOCK, SLOTS = bytes(5000), 64
kept, state = [None] * SLOTS, [0, 0]
get, give = library.get, library.give
get.argtypes, give.argtypes = (ctypes.c_int, ctypes.c_size_t), (ctypes.c_int,)
get.restype = give.restype = None


def draw(below):
    state[0] = (state[0] * 37 + 11) % 251
    return state[0] % below


def spend():
    state[1] = max(state[1] - 1, 0)
    return state[1] > 0


sums, sizes = {}, {}


def note(key, size):
    """Each line that some frame is at has it, once."""
    size, sizes[key] = size - sizes.get(key, 0), size
    lines, frame = set(), sys._getframe(1)
    while frame:
        name = frame.f_code.co_name
        if name[0] == "f" and name[1:].isdigit():
            lines.add("%s:%d" % (name, frame.f_lineno))
        frame = frame.f_back
    for line in lines:
        sums[line] = sums.get(line, 0) + size


class Counted(list):
    def __setitem__(self, slot, value):
        note(slot, 0 if value is None else sys.getsizeof(value))
        list.__setitem__(self, slot, value)


if sys.argv[1] == "count":
    kept = Counted(kept)

    def get(slot, size):
        note(-1 - slot, size)

    def give(slot):
        note(-1 - slot, 0)

'''
TAIL = '''

for round in range(int(sys.argv[3])):
    state[:] = %d, 200
    f%d(2)
    for slot in range(SLOTS):
        kept[slot] = None
        give(slot)
if sys.argv[1] == "count":
    print(json.dumps(sums))
'''


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = HEAD.splitlines()
        self.functions, self.noisy, self.depth, self.trying = [], set(), 0, 0
        self.kind = "def"

    def put(self, text):
        self.lines.append("    " * self.depth + text)
        if self.trying:
            self.noisy.add(len(self.lines))

    def slot(self):
        return self.random.randrange(60)

    def size(self):
        return self.random.choice([self.random.randrange(1, 500), self.random.randrange(500, 5000), self.random.randrange(5000, 300000)])

    def allocation(self):
        return self.random.choice([
            "get(%d, %d)" % (self.slot(), self.size()), "get(%d, %d)" % (self.slot(), self.size()), "give(%d)" % self.slot(),
            "kept[%d] = bytearray(%d)" % (self.slot(), self.size()), "kept[%d] = bytearray(%d)" % (self.slot(), self.size()), "kept[%d] = None" % self.slot(),
            "len(bytearray(%d))" % self.size(), "[get(y, %d) for y in (%d, %d, %d)]" % (self.size(), self.slot(), self.slot(), self.slot()),
            "[give(y) for y in range(%d)]" % self.random.randrange(5)])

    def expression(self):
        if not self.functions or self.random.random() < 0.3:
            return self.allocation()
        name, kind = self.random.choice(self.functions)
        if kind == "gen":
            return self.random.choice(["set(%s(2))", "sum(%s(1))", "[get(%d, y + %d) for y in %%s(2)]" % (self.slot(), self.size())]) % name
        return self.random.choice(["%s(1)", "%s(2)", "[%s(y) for y in (0, 1)]"]) % name

    def block(self, most):
        self.depth += 1
        for _ in range(self.random.randint(1, most)):
            self.statement()
        self.depth -= 1

    def statement(self):
        kinds = ["one"] * 8 + ["call"] * 4 + ["several"] * 2
        if self.depth < 4:
            kinds += ["if", "for", "while", "generated", "try", "finally"]
        if self.kind == "gen":
            kinds += ["yield"] * 4
        getattr(self, "make_" + self.random.choice(kinds))()

    def make_one(self):
        self.put(self.allocation())

    def make_call(self):
        self.put(self.expression())

    def make_several(self):
        self.put("; ".join([self.allocation(), self.expression(), self.allocation()]))

    def make_yield(self):
        self.put(self.random.choice(["yield %d", "x = (yield %d) or x", "get(%d, 3000); yield 1; give(2)", "yield from range(%d)"]).replace("%d", str(self.random.randrange(4))))

    def make_if(self):
        self.put("if draw(2):")
        self.block(3)
        self.put("else:")
        self.block(2)

    def make_for(self):
        self.put("for x in (%s):" % self.random.choice(["0, 1, 2", "2, 1", "1,"]))
        self.block(3)

    def make_while(self):
        self.put("while spend() and draw(3):")
        self.block(3)

    def make_generated(self):
        found = [name for name, kind in self.functions if kind == "gen"]
        if not found:
            self.make_one()
            return
        self.put("for x in %s(2):" % self.random.choice(found))
        self.block(3)

    def make_finally(self):
        self.put("try:")
        self.block(2)
        self.put("finally:")
        self.block(2)

    def make_try(self):
        self.trying += 1
        self.put("try:")
        self.block(2)
        self.depth += 1
        self.put(self.random.choice(["if draw(2): raise KeyError(x)", "raise KeyError(x)", "{}[x]", "raises(%d, %d)" % (self.slot(), self.size())]))
        self.depth -= 1
        self.put("except KeyError:")
        self.block(2)
        self.trying -= 1

    def function(self, number):
        self.kind = self.random.choice(["def", "def", "gen"])
        self.put("def f%d(x):" % number)
        self.depth += 1
        self.put("if x < 0: x = %s" % " + ".join(["x"] * 80))
        self.put("if not spend(): return")
        if self.kind == "gen":
            self.put("yield 0")
        elif self.random.random() < 0.5:
            self.put("if x and spend(): get(%d, %d); f%d(x - 1)" % (self.slot(), self.size(), number))
        self.depth -= 1
        self.block(8)
        self.functions.append(("f%d" % number, self.kind))
        self.lines += ["", ""]

    def make(self):
        self.lines += ["", "def raises(slot, size):", "    get(slot, size)", "    raise KeyError", "", ""]
        for number in range(self.random.randint(3, 6)):
            self.function(number)
        self.kind, last = "def", len(self.functions)
        self.put("def f%d(x):" % last)
        for name, kind in self.functions:
            self.depth += 1
            self.put("%s(2)" % name if kind == "def" else "sum(%s(2))" % name)
            self.depth -= 1
        return "\n".join(self.lines) + TAIL % (self.random.randrange(250), last), self.noisy


def make(seed):
    return Maker(seed).make()
