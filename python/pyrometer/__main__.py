"""`python -m pyrometer ...` is `pyrometer ...`: this process becomes the program.

A script that is to be profiled is run by this very interpreter, not by the first python3 on PATH.
"""

import os
import sys

from pyrometer import find_program


def main() -> None:
    try:
        program = find_program()
    except FileNotFoundError as error:
        sys.exit(f"python -m pyrometer: {error}")
    if sys.executable:
        os.environ["PYROMETER_PYTHON"] = sys.executable
    os.execv(program, ["pyrometer", *sys.argv[1:]])


if __name__ == "__main__":
    main()
