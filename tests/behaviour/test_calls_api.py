"""`import pyrometer`: regions, decorators and what cProfile.Profile has, each counting exactly what ran in it."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import ROOT, clean_environment, run, truth_of

PYTHONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "sid-3.13", "sid-3.14", "sid-3.15"]

pytestmark = [pytest.mark.parametrize("interpreter", PYTHONS, indirect=True)]

START = """
import os, pyrometer
os.chdir(os.path.dirname(os.path.abspath(__file__)))
def leaf(): pass
def inner(n):
    for _ in range(n): leaf()
def counts(p): return {row.name: row.ncalls for row in p.stats() if not row.builtin}
"""


class Api:
    """A folder with the package and the program, which a tree of its own sees, too."""

    def __init__(self, interpreter, pyrometer):
        self.interpreter, self.pyrometer = interpreter, pyrometer
        self.folder = tempfile.TemporaryDirectory(prefix="pyrometer-", dir="/dev/shm")
        self.path = Path(self.folder.name)
        shutil.copytree(str(ROOT / "python" / "pyrometer"), str(self.path / "lib" / "pyrometer"),
                        ignore=shutil.ignore_patterns("__pycache__"))
        (self.path / "lib" / "bin").mkdir()
        shutil.copy(str(pyrometer), str(self.path / "lib" / "bin" / "pyrometer"))
        self.env = clean_environment(PYTHONPATH=str(self.path / "lib"), XDG_CACHE_HOME=str(self.path),
                                     PATH="%s:%s" % (self.path / "lib" / "bin", os.environ["PATH"]))

    def write(self, source, start=START):
        script = self.path / "app.py"
        script.write_text(start + source)
        return script

    def start(self, source, *words, start=START):
        return subprocess.run([*self.interpreter.argv, *words, str(self.write(source, start))], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, env=self.env, cwd=str(self.path), timeout=120)

    def run(self, source, start=START):
        answer = self.start(source, start=start)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def truth(self, source):
        return truth_of(self.run(source))


@pytest.fixture
def bare(interpreter, pyrometer):
    api = Api(interpreter, pyrometer)
    yield api
    api.folder.cleanup()


@pytest.fixture
def api(bare):
    answer = bare.start("with pyrometer.calls() as p: pass\n")
    assert answer.returncode == 0, answer.stderr
    return bare


def test_one_exception_where_it_cannot_be(bare):
    answer = bare.start("try:\n    with pyrometer.calls(): pass\nexcept pyrometer.Error as error: print('truth', [str(error)])\n"
                        "else: print('truth', [])\n")
    assert answer.returncode == 0, answer.stderr
    assert len(truth_of(answer.stdout)) == 0 or "Python 3.12" in truth_of(answer.stdout)[0]


def test_importing_it_costs_nothing(bare):
    answer = bare.start("", "-X", "importtime", start="import pyrometer\n")
    lines = [line.split("|") for line in answer.stderr.splitlines() if line.rstrip().endswith(" pyrometer")]
    assert int(lines[0][1]) < 15000 and "ctypes" not in answer.stderr


# ---- S-C4, S-C5: as cProfile ----

def test_run(api):
    text = api.run("pyrometer.run('inner(3)')\npyrometer.run('inner(4)', 'out.pstats')\n"
                   "import pstats\npstats.Stats('out.pstats').print_stats()\n"
                   "pyrometer.runctx('f(x)', {'f': inner}, {'x': 5}, sort='calls')\n"
                   "print(pyrometer.runcall(len, 'abc'))\npyrometer.run('raise SystemExit(3)')\nprint('here')\n")
    first, second, third, rest = text.split("function calls", 4)[:4]
    assert first.split()[-1] == "6" and "Ordered by: standard name" in second and "<string>:1(<module>)" in second
    assert "leaf" in third and "Ordered by: call count" in rest and "disable" not in text and text.rstrip().endswith("here")


def test_profile_as_pstats_wants_it(api):
    text = api.run("""
import pstats
def a(): leaf()
def b(): a()
def c(): b()
p = pyrometer.Profile()
p.enable()
c(); inner(2); len('')
p.disable()
c()
pstats.Stats(p).sort_stats('cumulative').print_stats(4)
p.dump_stats('x')
pstats.Stats(p).dump_stats('y')
print('truth', [sorted(pstats.Stats('x').stats) == sorted(pstats.Stats('y').stats),
                sum(e.callcount for e in p.getstats()), p.stats()[0]._fields[:2]])
p.print_stats(4, sort='cumtime')
""")
    assert truth_of(text) == [True, 8, ("label", "name")]
    assert text.count("List reduced from 6 to 4 due to restriction <4>") == 2 and "disable" not in text


def test_our_text_is_that_of_pstats(api):
    text = api.run("""
import pstats
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
with pyrometer.calls() as p: fib(12); sorted([2, 1], key=abs)
pstats.Stats(p).strip_dirs().sort_stats('stdname').print_stats()
print('=====')
p.print_stats(sort='stdname')
""")
    def table(part):
        return part[part.index("   ncalls"):].split("\n\n")[0]
    theirs, ours = text.split("=====")  # sorted() calls abs() without a word to anybody
    assert table(theirs) == table(ours) and len(table(ours).splitlines()) == 3


def test_counts_are_those_of_cprofile(api):
    truth = api.truth("""
import cProfile, json
class Tree:
    def __init__(self, depth): self.children = [Tree(depth - 1) for _ in range(2)] if depth else []
    def walk(self):
        yield self
        for child in self.children: yield from child.walk()
def work():
    t = Tree(4)
    json.dumps([len(list(t.walk())) for _ in range(3)])
    try: json.loads('{')
    except ValueError: pass
    sorted(range(20), key=lambda x: -x)
work()
theirs, ours = cProfile.Profile(), pyrometer.Profile()
theirs.enable(); work(); theirs.disable(); theirs.create_stats()
ours.enable(); work(); ours.disable(); ours.create_stats()
a = {k: v[:2] for k, v in theirs.stats.items() if 'disable' not in k[2]}
b = {(k[0], k[1], k[2] if k[0] == '~' else k[2].split('.')[-1]): v[:2] for k, v in ours.stats.items()}
print('truth', [sorted(set(a.items()) - set(b.items())), sorted(set(b.items()) - set(a.items()))])
""")
    assert truth == [[], []]


def test_saved_and_reported(api):
    api.run("with pyrometer.calls() as p: inner(7)\np.save('a.pyro', 'a.json')\np.print_stats()\n")
    text = run(api.pyrometer, "report", api.path / "a.pyro")
    assert text.status == 0 and "8 function calls" in text.out and "leaf" in text.out and (api.path / "a.json").exists()


# ---- regions ----

def test_regions_in_one_another(api):
    assert api.truth("""
with pyrometer.calls() as a:
    inner(2)
    with pyrometer.calls() as b: inner(3)
    with b: inner(10)
    during = counts(b)
    inner(4)
c = pyrometer.Profile()
for _ in range(5):
    c.enable(); inner(1); c.disable(); inner(100)
print('truth', [counts(b), during, {k: counts(a)[k] for k in ('inner', 'leaf')}, counts(c), sorted(set(counts(a)) - {'<dictcomp>'})])
""") == [{"inner": 2, "leaf": 13}] * 2 + [{"inner": 4, "leaf": 19}, {"inner": 5, "leaf": 5}, ["counts", "inner", "leaf"]]


def test_a_region_inside_a_call_is_of_what_is_called_there(api):
    """The way to where it began is no part of it, whether another region has seen it or not."""
    assert api.truth("""
def deep(n):
    if n: return deep(n - 1)
    with pyrometer.calls() as p: inner(2)
    return [(e.code.co_name, e.callcount, e.calls and [s.callcount for s in e.calls]) for e in p.getstats()]
alone = deep(3)
with pyrometer.calls(): nested = deep(3)
print('truth', [sorted(alone) == sorted(nested), [(n, c) for n, c, _ in sorted(nested)]])
""") == [True, [("inner", 1), ("leaf", 2)]]


def test_exceptions_through_a_region(api):
    assert api.truth("""
def fails(): raise KeyError
p = pyrometer.Profile()
for _ in range(3):
    try:
        with p: fails()
    except KeyError: inner(1)
print('truth', [counts(p), p.stats()[0].unwound])
""") == [{"fails": 3}, 3]


def test_threads(api):
    assert api.truth("""
import threading
def many(p, n=0):
    def worker(n):
        with p: inner(n)
    threads = [threading.Thread(target=worker, args=(n,)) for n in range(1, 41)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return counts(p)
own = many(pyrometer.Profile(threads='current'))
with pyrometer.calls() as p: many(pyrometer.Profile())
print('truth', [own, counts(p)['leaf'], counts(p)['inner']])
""") == [{"inner": 40, "leaf": 820}, 820, 40]


def test_threads_that_begin_together(api):
    """The first region of a process begins the recording, and measures what that costs: nobody counts before it has."""
    assert api.truth("""
import threading
import sys
sys.setswitchinterval(1e-6)
ready, found = threading.Barrier(16), []
def worker(n):
    p = pyrometer.Profile(threads='current')
    ready.wait()
    with p: inner(n)
    found.append((n, p))
threads = [threading.Thread(target=worker, args=(n,)) for n in range(1, 17)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print('truth', [n for n, p in found if counts(p).get('leaf') != n])
""") == []


def test_after_fork(api):
    assert api.truth("""
import os, sys
with pyrometer.calls() as p:
    inner(1)
    child = os.fork()
    if not child:
        inner(2)
        with pyrometer.calls() as q: inner(3)
        os._exit(counts(q)['leaf'])
    status = os.waitpid(child, 0)[1] >> 8
    inner(4)
print('truth', [status, counts(p)['leaf']])
""") == [3, 5]


# ---- decorators ----

def test_decorators(api):
    assert api.truth("""
import asyncio, inspect
@pyrometer.calls
def plain(n: int = 1) -> int: inner(n); return n
@pyrometer.calls(builtins=False)
def generator(n):
    for i in range(n):
        leaf()
        try: got = yield i
        except KeyError: yield 'caught'
    return 'end'
@pyrometer.calls
async def coroutine(n):
    for _ in range(n):
        leaf(); await asyncio.sleep(0)
    return n
@pyrometer.calls
async def stream(n):
    for i in range(n):
        leaf(); await asyncio.sleep(0); yield i
class Thing:
    @pyrometer.calls
    def method(self): leaf()
    @pyrometer.calls
    @classmethod
    def of_class(cls): leaf(); return cls
    @pyrometer.calls
    @staticmethod
    def of_none(): leaf()
async def other():
    for _ in range(20): inner(1); await asyncio.sleep(0)
async def collect(): return [i async for i in stream(4)]
async def main(): return await asyncio.gather(coroutine(3), other(), coroutine(4), collect())
plain(2); plain(3)
g = generator(3)
said = [next(g), g.throw(KeyError), next(g), list(g)]
answers = asyncio.run(main())
Thing().method(); Thing.of_class(); Thing.of_none()
calls = [counts(f.calls)['leaf'] for f in (plain, generator, coroutine, stream, Thing.method, Thing.of_class, Thing.of_none)]
kinds = [inspect.isgeneratorfunction(generator), inspect.iscoroutinefunction(coroutine), inspect.isasyncgenfunction(stream)]
print('truth', [calls, kinds, str(inspect.signature(plain)), plain.__name__, said, answers[0], answers[2:],
                'other' in counts(coroutine.calls), Thing.of_class() is Thing])
""") == [[5, 3, 7, 4, 1, 1, 1], [True] * 3, "(n: int = 1) -> int", "plain", [0, "caught", 1, [2]], 3, [4, [0, 1, 2, 3]], False, True]


def test_what_is_decorated_is_reported_at_the_end(api):
    answer = api.start("@pyrometer.calls\ndef f(): leaf()\n@pyrometer.calls\ndef g(): leaf()\nf(); g()\nf.calls.stats()\n")
    assert answer.returncode == 0 and "calls of g" in answer.stderr and "calls of f" not in answer.stderr
    assert "2 function calls" in answer.stderr


def test_tasks(api):
    assert api.truth("""
import asyncio
async def one(n, p):
    with p:
        for _ in range(n): leaf(); await asyncio.sleep(0)
async def main():
    ps = [pyrometer.Profile() for _ in range(20)]
    with pyrometer.calls() as whole:
        await asyncio.gather(*(one(i, p) for i, p in enumerate(ps)))
    return counts(whole)['leaf'], all(counts(p).get('leaf', 0) >= i for i, p in enumerate(ps))
print('truth', list(asyncio.run(main())))
""") == [190, True]


# ---- beside `pyrometer calls` ----

def test_under_pyrometer_calls(api):
    """The region has its own part, the command all; of the package neither shows anything but its import."""
    import marshal

    script = api.write("inner(1)\nwith pyrometer.calls() as p: inner(2)\nwith p: inner(3)\ninner(4)\nprint('truth', counts(p))\n")
    out = api.path / "out.pstats"
    answer = run(api.pyrometer, "calls", "-q", "-o", out, "--", *api.interpreter.argv, script, env=api.env)
    assert answer.status == 0, answer.err
    assert truth_of(answer.out) == {"inner": 2, "leaf": 5}
    rows = {key[2]: row[1] for key, row in marshal.loads(out.read_bytes()).items() if key[0] in (str(script), '~')}
    assert rows["leaf"] == 10 and rows["inner"] == 4 and "<built-in method posix.posix_spawn>" not in rows
