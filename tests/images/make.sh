#!/bin/sh
# Makes tests/images/VERSION.image and .txt: usage: make.sh FROZEN VERSION COMMAND... (COMMAND runs a Python, subject.py is
# added). Look at the .txt before it is committed: it is what every machine will expect.
set -e
frozen=$1 version=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp)
"$@" "${SUBJECT:-$here/subject.py}" >"$out" &
pid=$!
trap 'kill $pid; rm -f "$out"' EXIT
until grep -q READY "$out"; do sleep 0.1; done
sleep 0.2
"$frozen" save "$pid" "$here/$version.image" >"$here/$version.txt"
