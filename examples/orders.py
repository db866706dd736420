"""The day of a small shop, for a first look at a profile: some five seconds.

It reads orders, finds each order's customer, prices them, and waits now and then for a slow service. One line of it costs
most of the time, and it is not the one that people guess.
"""

import json
import random
import time


def make_orders(count):
    rng = random.Random(1)
    for number in range(count):
        yield json.dumps({"number": number, "customer": rng.randrange(4000), "items": [rng.randrange(1, 90) for _ in range(8)]})


class Customers:
    def __init__(self):
        self.known = []

    def find(self, customer):
        if customer not in self.known:  # a list: this looks at every customer, every time
            self.known.append(customer)
        return customer


def price(items):
    total = 0
    for item in items:
        total += item * 3 // 2 + item % 7
    return total


def ask_for_rates():
    time.sleep(0.05)
    return 1.19


def main():
    customers = Customers()
    revenue = 0
    rate = 1
    for line in make_orders(150_000):
        order = json.loads(line)
        customers.find(order["customer"])
        if order["number"] % 15000 == 0:
            rate = ask_for_rates()
        revenue += price(order["items"]) * rate
    print(f"{len(customers.known)} customers, revenue {revenue:,.0f}")


if __name__ == "__main__":
    main()
