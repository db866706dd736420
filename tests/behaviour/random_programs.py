"""Programs of random control flow, for counting lines: `make(seed, version)` is the source of one. It ends soon, whatever the seed."""
import random

HEAD = '''
import contextlib
budget = [%d]


def spend():
    budget[0] -= 1
    return budget[0] > 0


@contextlib.contextmanager
def manager(fails):
    try:
        yield fails
    except KeyError:
        if fails:
            raise


def decorate(function):
    def wrapped(*arguments):
        return function(*arguments)
    return wrapped


class Waiter:
    def __await__(self):
        yield 1
        return 2


def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value
'''


class Maker:
    def __init__(self, seed, version):
        self.random, self.version = random.Random(seed), version
        self.lines, self.names, self.depth, self.kind, self.loops = [], [], 0, "def", 0

    def choose(self, *options):
        return self.random.choice(options)

    def put(self, text):
        self.lines.append("    " * self.depth + text)

    # ---- expressions ----

    def call(self):
        """Of a function that is there already, so that nothing recurses without end but by `down`."""
        if not self.names:
            return "spend()"
        name, kind = self.choose(*self.names)
        argument = self.choose("x", "1", "x + 1", "2")
        if kind == "def":
            return "%s(%s)" % (name, argument)
        if kind == "gen":
            return self.choose("sum(%s(%s))", "list(%s(%s))", "next(%s(%s), 0)") % (name, argument)
        return self.choose("drive(%s(%s))", "await %s(%s)" if self.kind == "async" else "drive(%s(%s))") % (name, argument)

    def expression(self):
        small = self.random.randrange(4)
        return self.choose(
            "x", "x + %d" % small, "len(str(x))", self.call(), self.call(), "[y for y in range(%d)]" % small, "{y: y for y in range(%d) if y %% 2}" % small,
            "sum(y for y in range(%d))" % small, "(lambda z: z + %d)(x)" % small, "[[a + b for a in range(2)] for b in range(%d)]" % small,
            "x if x else %d" % small, "(x and %d or spend())" % small, "max(x,\n        %s,\n        %d)" % (self.choose("1", "len(str(x))", self.call()), small))

    def condition(self):
        return self.choose("spend()", "x", "not x", "x and spend()", "str(x) > '1'", "x is None or spend()", "len(str(x)) < 2")

    # ---- statements ----

    def block(self, size):
        self.depth += 1
        for _ in range(self.random.randint(1, size)):
            self.statement()
        self.depth -= 1

    def statement(self):
        if self.depth > 6:
            self.put("x = %s" % self.expression())
            return
        kinds = ["assign"] * 6 + ["if", "if", "for", "for", "while", "try", "with", "one_line", "one_line", "leave", "multi", "nested", "assert"]
        if self.kind == "gen":
            kinds += ["yield"] * 4
        if self.kind == "async":
            kinds += ["await"] * 4
        if self.version >= (3, 10):
            kinds += ["match"]
        getattr(self, "make_" + self.choose(*kinds))()

    def make_assign(self):
        self.put("x = %s" % self.expression())

    def make_multi(self):
        self.put("x = (\n%s\n    + %d\n)" % (self.choose("    1", "    len(str(x))"), self.random.randrange(3)))

    def make_assert(self):
        self.put("assert x is not budget, (\n    x)")

    def make_if(self):
        self.put("if %s:" % self.condition())
        self.block(3)
        for _ in range(self.random.randrange(2)):
            self.put("elif %s:" % self.condition())
            self.block(2)
        if self.random.random() < 0.5:
            self.put("else:")
            self.block(2)

    def loop(self, head):
        self.put(head)
        self.loops += 1
        self.block(3)
        self.loops -= 1
        if self.random.random() < 0.3:
            self.put("else:")
            self.block(2)

    def make_for(self):
        self.loop("for x in range(%d):" % self.random.randrange(4))

    def make_while(self):
        self.loop("while spend()%s:" % self.choose("", " and x", " and len(str(x)) < 3"))

    def make_one_line(self):
        self.put(self.choose("for x in range(%d): x = x + 1", "for x in range(%d): len(str(x)); x = 2", "if x: x = %d", "while spend() and x: x = %d - 2 if x == 2 else 0",
                             "for x in range(%d): pass", "with manager(x): x = %d", "for x in [y for y in range(%d)]: x = [x for x in range(3)]") % self.random.randrange(4))

    def make_try(self):
        self.put("try:")
        self.block(2)
        if self.random.random() < 0.6:
            self.depth += 1
            self.put(self.choose("raise ValueError(x)", "{}[x]", "x = int('x')", "raise KeyError(\n        x)"))
            self.depth -= 1
        final = self.random.random() < 0.5
        if not final or self.random.random() < 0.7:
            self.put("except %s:" % self.choose("ValueError", "(KeyError, TypeError)", "Exception as error"))
            self.block(2)
            if self.random.random() < 0.7:
                self.put("except Exception:")
                self.block(1)
            if self.random.random() < 0.4:
                self.put("else:")
                self.block(1)
        if final:
            self.put("finally:")
            self.block(2)

    def make_with(self):
        self.put("with manager(%s)%s:" % (self.choose("True", "False", "x"), self.choose("", " as x", ", manager(0)")))
        self.block(3)

    def make_match(self):
        self.put("match x:")
        self.depth += 1
        for case in self.random.sample(["case 0:", "case [a, b]:", "case int() if spend():", "case {'k': x}:", "case None | 3:"], 3) + ["case _:"]:
            self.put(case)
            self.block(1)
        self.depth -= 1

    def make_leave(self):
        words = ["pass"]
        if self.loops:
            words += ["break", "continue"]
        if self.kind == "def":
            words += ["return x"]
        self.put("if %s: %s" % (self.condition(), self.choose(*words)) if self.random.random() < 0.5 else "pass")

    def make_yield(self):
        self.put(self.choose("yield %d", "x = yield %d", "yield (\n    %d)", "yield from range(%d)") % self.random.randrange(3))

    def make_await(self):
        self.put(self.choose("x = await Waiter()", "await Waiter()", "await (\n    Waiter())"))

    def make_nested(self):
        """A function within, which is called at once or left alone."""
        name, kind, loops = "f%d" % len(self.lines), self.kind, self.loops
        self.kind, self.loops = "def", 0
        if self.random.random() < 0.3:
            self.put("@decorate")
        self.put("def %s(x):" % name)
        self.block(2)
        self.kind, self.loops = kind, loops
        if self.random.random() < 0.7:
            self.put("x = %s(x)" % name)

    # ---- the whole ----

    def function(self, number):
        self.kind = self.choose("def", "def", "gen", "async")
        name = "top%d" % number
        if self.kind == "def" and self.random.random() < 0.3:
            self.put("@decorate")
        self.put("%s %s(x):" % ("async def" if self.kind == "async" else "def", name))
        self.depth += 1
        self.put("if not spend(): %s" % ("return 0" if self.kind != "gen" else "return"))
        if self.kind == "gen":
            self.put("yield 0")
        if self.kind == "def" and self.random.random() < 0.3:
            self.put("if len(str(x)) < 3 and spend(): %s(str(x) + '1')" % name)
        self.depth -= 1
        self.block(6)
        self.names.append((name, self.kind))
        self.put("")

    def source(self):
        for number in range(self.random.randint(2, 5)):
            self.function(number)
        self.kind = "def"
        for name, kind in list(self.names):
            call = {"def": "%s(2)", "gen": "list(%s(2))", "async": "drive(%s(2))"}[kind] % name
            self.put("try:\n    %s\nexcept Exception:\n    pass" % call)
        return HEAD % self.random.randint(50, 300) + "\n".join(self.lines) + "\n"


def make(seed, version):
    """That compiles on this version, and is of that seed."""
    for turn in range(100):
        source = Maker("%s %s" % (seed, turn), version).source()
        try:
            compile(source, "random", "exec")
            return source
        except SyntaxError:
            continue
    raise AssertionError("no program of seed %s compiles" % seed)
