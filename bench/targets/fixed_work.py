"""Does the same work each time it is told to by a line, and says in nanoseconds how long it took: `WALL CPU`, by its own
clocks. usage: fixed_work.py ROUNDS, some milliseconds each; 0: as many as take a second here."""
import sys
import time


class Order(object):
    def __init__(self, number):
        self.items = [(number * 7 + i * 13) % 90 for i in range(12)]

    def price(self):
        return sum(item * 3 // 2 + item % 7 for item in self.items)


def parse(text):
    return [int(word) for word in text.split(",")]


def one_round():
    total = 0
    for number in range(400):
        order = Order(number)
        total += order.price() + len(parse(",".join(map(str, order.items))))
    return total


def work(rounds):
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(rounds):
        one_round()
    return time.perf_counter_ns() - wall, time.process_time_ns() - cpu


rounds = int(sys.argv[1])
work(50)  # warm
if not rounds:
    rounds = max(1, int(50 * 1e9 / work(50)[0]))
print("ready")
sys.stdout.flush()
for line in sys.stdin:
    print("%d %d" % work(rounds))
    sys.stdout.flush()
