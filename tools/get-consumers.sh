#!/bin/sh
# The programs that read what we write, for tests/consumers: pprof (needs go), speedscope and playwright-core (need npm);
# for the pages also a Chromium (Debian's `chromium`). What is there already is left alone.
#
#   tools/get-consumers.sh
#
# PYROMETER_CONSUMERS: where they go; by default .consumers at the root of the checkout, which ignores itself in git.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
folder=${PYROMETER_CONSUMERS:-$here/.consumers}
mkdir -p "$folder"
echo '*' >"$folder/.gitignore"

if [ -x "$folder/bin/pprof" ]; then
	echo 'pprof: there'
elif command -v go >/dev/null; then
	GOBIN=$folder/bin go install github.com/google/pprof@latest
	echo 'pprof: installed'
else
	echo 'pprof: not installed, go is missing' >&2
fi

if [ -d "$folder/node_modules/speedscope" ] && [ -d "$folder/node_modules/playwright-core" ]; then
	echo 'speedscope and playwright-core: there'
elif command -v npm >/dev/null; then
	npm install --silent --no-audit --no-fund --prefix "$folder" speedscope@1.25.0 playwright-core@1.65.1
	echo 'speedscope and playwright-core: installed'
else
	echo 'speedscope and playwright-core: not installed, npm is missing' >&2
fi

if command -v chromium >/dev/null; then
	echo 'chromium: there'
else
	echo 'chromium: missing (apt-get install --no-install-recommends chromium)' >&2
fi
