#!/bin/sh
# The profilers that the benchmarks compare with: viztracer, yappi, line_profiler, memray and memory_profiler (below); py-spy and austin
# (with austin-python, which reads what austin writes), by plain pip, in a virtual environment of their own. Python 3.15's profiling.sampling is part of the sid
# tree (tools/make-sid.sh). austin's binary needs a newer glibc than Debian 12 has, so where it does not start by
# itself it is started with the sid tree's loader and libraries: `bin/austin` is a wrapper that does so. What is there
# is left alone.
#
#   tools/get-peers.sh
#
# PEERS_DIR: where they go; by default .peers at the root of the checkout, which git ignores.
# PYROMETER_SID: the sid tree; by default .sid at the root of the checkout.
# PEERS_PYTHON: the Python that pip and mojo2austin run on, 3.9 or newer; by default python3.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
peers=${PEERS_DIR:-$here/.peers}
sid=${PYROMETER_SID:-$here/.sid}
packages='py-spy==0.4.3 austin-dist==4.0.0 austin-python==2.4.0'

fail() {
	echo "get-peers: $*" >&2
	exit 1
}

complete=$peers/.complete # holds the packages that are installed, once all are
if [ ! -e "$complete" ] || [ "$(cat "$complete")" != "$packages" ]; then
	"${PEERS_PYTHON:-python3}" -m venv "$peers/venv" || fail "no virtual environment could be made in $peers/venv"
	# shellcheck disable=SC2086 # a list of words
	"$peers/venv/bin/python" -m pip install -q --disable-pip-version-check $packages
	echo "$packages" >"$complete"
fi

mkdir -p "$peers/bin"
ln -sf ../venv/bin/py-spy ../venv/bin/mojo2austin "$peers/bin/"
if "$peers/venv/bin/austin" --version >/dev/null 2>&1; then
	ln -sf ../venv/bin/austin "$peers/bin/austin"
else
	loader=$(echo "$sid"/lib64/ld-linux-*.so.2)
	[ -e "$loader" ] || fail "austin needs a newer glibc than this machine's: make the sid tree first (tools/make-sid.sh)"
	libraries=$(dirname "$(find "$sid/usr/lib/" -name libc.so.6 | head -n 1)")
	rm -f "$peers/bin/austin"
	printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s/venv/bin/austin" "$@"\n' "$loader" "$libraries" "$peers" \
		>"$peers/bin/austin"
	chmod +x "$peers/bin/austin"
	"$peers/bin/austin" --version >/dev/null || fail 'austin does not start with the libraries of the sid tree either'
fi
for tool in py-spy austin; do echo "$tool: $("$peers/bin/$tool" --version)"; done

# bench/calls.py, bench/lines.py and bench/memory.py compare with viztracer, yappi, line_profiler, memray and memory_profiler, which run
# inside the program: a folder for each Python that is here, which the benchmark puts on its PYTHONPATH. Those of the
# sid tree lie in it.
get_tracer() { # tool, name, folder, how that is called where the Python runs, then the command of the Python
	tool=$1 name=$2 folder=$3 seen=$4
	shift 4
	mark=$folder/.$(echo "$tool" | tr = -)
	if [ ! -e "$mark" ]; then
		if "$@" -m pip install -q --disable-pip-version-check --root-user-action=ignore --upgrade --target "$seen" "$tool"; then
			touch "$mark"
		else
			echo "get-peers: $name: no $tool: the benchmarks say so" >&2
		fi
	fi
	[ ! -e "$mark" ] || echo "$name: $tool"
}
get_tracers() {
	case $1 in 3.8 | 3.9) lines=5.0.2 ;; *) lines=5.1.0 ;; esac # the newest for them
	for each in viztracer==1.1.1 yappi==1.7.6 line_profiler==$lines; do
		get_tracer "$each" "$@"
	done
	# The newest outside of the sid tree.
	if [ "$1" = 3.13 ]; then
		get_tracer memray==1.20.0 "$@"
		get_tracer memory_profiler==0.61.0 "$@"
	fi
}
for version in 3.8 3.9 3.10 3.11 3.12 3.13; do
	for python in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
		[ ! -x "$python" ] || get_tracers "$version" "$peers/calls/$version" "$peers/calls/$version" "$python"
	done
done
for version in 3.14 3.15; do
	[ ! -x "$sid/usr/bin/python$version" ] ||
		get_tracers "$version" "$sid/opt/peers/$version" "/opt/peers/$version" chroot "$sid" "/usr/bin/python$version"
done
