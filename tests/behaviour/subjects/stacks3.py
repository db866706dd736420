"""The cases of stacks.py whose words only Python 3 knows. Coroutines are driven by hand, without asyncio."""


def cases(stop):
    def inner_part():
        yield 0
        stop()  #@inner_part

    def delegate():
        yield from inner_part()  #@delegate

    def delegation():
        list(delegate())  #@delegation

    async def leaf():
        stop()  #@leaf

    async def middle():
        await leaf()  #@middle

    def coroutine():
        try:
            middle().send(None)  #@coroutine
        except StopIteration:
            pass

    async def numbers():
        yield 1
        stop()  #@numbers

    async def consume():
        async for _ in numbers():  #@consume
            pass

    def async_generator():
        try:
            consume().send(None)  #@async_generator
        except StopIteration:
            pass

    class Manager:
        async def __aenter__(self):
            stop()  #@aenter

        async def __aexit__(self, *_):
            pass

    async def enter():
        async with Manager():  #@enter
            pass

    def async_with():
        try:
            enter().send(None)  #@async_with
        except StopIteration:
            pass

    async def gather():
        return [await leaf() for _ in range(1)]  #@gather

    def async_comprehension():
        try:
            gather().send(None)  #@async_comprehension
        except StopIteration:
            pass

    def größe():
        stop()  #@size

    def non_ascii_name():
        größe()  #@non_ascii_name

    return {name: value for name, value in locals().items() if callable(value)}
