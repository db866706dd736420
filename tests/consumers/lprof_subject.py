"""What line_profiler is to measure for check_consumers.py: blocks of source of many shapes, and counts of every size. Run by kernprof
-l, whose `profile` is a builtin."""
import functools
import sys


@profile
def fibonacci(n):
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


@profile
def squares(n):
    """A generator, with a docstring
that leaves the indentation."""
    for i in range(n):
        yield i * i   # a comment at its end

        # a comment of the body
    # one of the function

# one of nobody


def twice(
    function,
):
    @functools.wraps(function)
    def wrapper(*arguments):
        function(*arguments)
        return function(*arguments)
    return wrapper


@profile
@twice
@functools.lru_cache(
    maxsize=None,
)
def decorated(x):
    return x + 1


@twice
@profile
def decorated_inside(x):
    return x + 1


@profile
def many_lines(a, b=(1,
                     2)):
    total = (a +
             b[0] +
             b[1])
    text = '''
def not_a_function():
    pass
''' "and \
more"
    if total and \
            text:
        total += len([
            x
            for x in range(3)
            if x
        ])
    return {
        "total": total,
    }


@profile
def outer(n):
    def inner(x):
        return x * 2

    class Local:
        attribute = inner(1)

        def method(self):
            return 1

    return sum(inner(i) for i in range(n)) + Local().method()


class Shop:
    @profile
    def price(self, n): return n * 2

    @staticmethod
    @profile
    def tax(n):
        try:
            return 1 // n
        except ZeroDivisionError:
            return 0
        finally:
            n += 1

	
    @property
    @profile
    def name(self):
        return "ünïcode → 中文"


@profile
def never_called(x):
    for y in x:
        yield y


@profile
async def coroutine(n):
    if True:
	    return [i async for i in asynchronous(n)]


async def asynchronous(n):
    for i in range(n):
        yield i


short = profile(lambda x: x + 1); longer = profile(lambda x:
    x + 2)
in_brackets = [
    profile(lambda x: (x +
                       3)),
]


@profile
def one_line_loops(n):
    for i in range(n): x = i
    while n: n -= 1
    return x


@profile
def last(n):
    for i in range(n):
        i += 1
    return n
# the end without an end of line


def run():
    fibonacci(12)
    sum(squares(1000))
    decorated(1)
    decorated_inside(2)
    many_lines(1)
    outer(30)
    shop = Shop()
    shop.price(2), shop.tax(0), shop.tax(1), shop.name
    try:
        coroutine(3).send(None)
    except StopIteration:
        pass
    short(1), longer(1), in_brackets[0](1)
    one_line_loops(100)
    last(200000 if len(sys.argv) < 2 else int(sys.argv[1]))


run()
