#!/bin/sh
# usage: compare.sh FROZEN IMAGE EXPECTED: the stacks that the image holds are those that are expected.
"$1" show "$2" | diff -u "$3" -
