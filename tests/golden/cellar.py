"""What feed_cellar() measured the memory of lines of."""


@store
def fill(barrels):
    """Wine."""
    wine = [1] * barrels
    for barrel in wine:
        label = str(barrel)

    del wine
    return (label,
            barrels)


class Cellar:
    def empty(self):
        pass


press = lambda grapes: grapes * 1000


def taste(depth):
    if depth:
        taste(depth - 1)
