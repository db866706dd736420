"""The demo that everybody makes: a function that computes, then a sleep. Prints the wall split that it measured."""
import time


def crunch():
    return sum(number * number for number in range(10000000))  #@crunch


def nap():
    time.sleep(0.5)  #@nap


def main():
    spent, clock = {"crunch": 0.0, "nap": 0.0}, time.perf_counter
    for _ in range(2):
        for name, part in (("crunch", crunch), ("nap", nap)):
            begin = clock()
            part()
            spent[name] += clock() - begin
    print("truth", {name: seconds / sum(spent.values()) for name, seconds in spent.items()})


if __name__ == "__main__":
    main()
