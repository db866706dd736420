"""What feed_mill() measured the lines of."""
import functools


@functools.lru_cache
def grind(grain):
    total = 0
    for kernel in grain:
        total += crush(kernel)

    return (total,
            "flour")  # a tab:	here


def crush(kernel):
    if kernel < 2:
        return kernel
    return crush(kernel - 1) + crush(kernel - 2)


class Mill:
    def idle(self):
        while True:
            pass
