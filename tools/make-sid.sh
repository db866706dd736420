#!/bin/sh
# A Debian sid tree with the CPythons that pyenv does not have here: 3.14, 3.15, a 3.13 of another patch level, and with
# --free-threaded a 3.13 without a GIL, built from Debian's source package. Run as root. A second call only repairs what
# is missing, mounts above all.
#
#   tools/make-sid.sh                   make the tree, or mount it again
#   tools/make-sid.sh --free-threaded   the same, then build $PYROMETER_SID/opt/python3.13t (minutes; at nice 19)
#   tools/make-sid.sh --testsuites      the same as the first, with the standard library's own tests for tools/real-suites
#   tools/make-sid.sh down              unmount: always before the tree is deleted, since /dev is mounted inside it
#
# PYROMETER_SID: where the tree is; by default .sid at the root of the checkout, which git ignores.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
sid=${PYROMETER_SID:-$here/.sid}
packages='python3.13 python3.13-dev libpython3.13 python3.14 python3.14-dev python3.14-venv libpython3.14
	python3.15 python3.15-dev python3.15-venv libpython3.15 python3-pip ca-certificates gcc libc6-dev procps'
complete=$sid/.pyrometer-complete # holds the packages that are in the tree, once all are
build_packages='make libffi-dev zlib1g-dev libssl-dev libbz2-dev liblzma-dev xz-utils'

fail() {
	echo "make-sid: $*" >&2
	exit 1
}

# The mirror of Debian itself that this machine's apt uses: the first one that serves `main` and is not for security
# updates. Reads both forms of apt's sources, one-line and deb822.
mirror() {
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		[ -f "$file" ] || continue
		case $file in
		*.list) sed -n 's/^deb \(\[[^]]*\] \)\{0,1\} *\([^ ]*\) .* main\( .*\)\{0,1\}$/\2/p' "$file" ;;
		*.sources) sed -n 's/^URIs: *\([^ ]*\).*/\1/p' "$file" ;;
		esac
	done | grep '/debian/*$' | head -n 1
}

mounted() { grep -q " $sid/$1 " /proc/self/mounts; }

up() {
	mounted proc || mount -t proc proc "$sid/proc"
	for dir in dev dev/shm; do
		mounted $dir || mount --bind "/$dir" "$sid/$dir"
	done
}

down() {
	for dir in dev/shm dev proc; do
		if mounted $dir; then umount "$sid/$dir"; fi
	done
}

inside() {
	chroot "$sid" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

install() {
	inside apt-get install -y -q --no-install-recommends "$@"
}

# What makes the network usable on a machine with a proxy or its own certificates is copied from that machine.
copy_network_settings() {
	cp -L /etc/resolv.conf /etc/hosts "$sid/etc/"
	for file in /etc/apt/apt.conf.d/99* /etc/pip.conf; do
		if [ -f "$file" ]; then cp "$file" "$sid$file"; fi
	done
}

make_tree() {
	command -v debootstrap >/dev/null || fail 'debootstrap is missing: apt-get install debootstrap'
	uri=$(mirror)
	[ -n "$uri" ] || fail "no Debian mirror found in this machine's apt sources"
	[ -e "$sid/etc/apt/sources.list" ] || debootstrap --variant=minbase sid "$sid" "$uri"
	copy_network_settings
	up
	inside apt-get update -q
	# shellcheck disable=SC2086 # a list of words
	install $packages
	# After the package, which writes this file itself: the machine's own authorities may be more than Debian's.
	cp -L /etc/ssl/certs/ca-certificates.crt "$sid/etc/ssl/certs/"
	echo "$packages" >"$complete"
}

# Debian has no free-threaded 3.13, but its source package holds CPython's own tarball. A mirror may list a version that
# it does not hold: the newest one of sid and trixie that can be had is taken.
fetch_source() {
	uri=$(mirror)
	printf 'deb-src %s %s main\n' "$uri" sid "$uri" trixie >"$sid/etc/apt/sources.list.d/source.list"
	inside apt-get update -q
	rm -f "$sid"/opt/python3.13_*
	for version in $(inside apt-cache showsrc python3.13 | sed -n 's/^Version: //p' | sort -Vr); do
		if inside sh -c "cd /opt && apt-get source -q --download-only python3.13=$version"; then return; fi
		rm -f "$sid"/opt/python3.13_*
	done
	fail "no source package python3.13 could be had from sid or trixie at $uri"
}

make_free_threaded() {
	[ ! -x "$sid/opt/python3.13t/bin/python3.13t" ] || return 0
	# shellcheck disable=SC2086 # a list of words
	install $build_packages
	fetch_source
	inside nice -n 19 sh -ec '
		rm -rf /opt/python3.13-source
		mkdir /opt/python3.13-source
		cd /opt/python3.13-source
		tar -xf ../python3.13_*.orig.tar.xz --strip-components=1
		./configure -q --prefix=/opt/python3.13t --disable-gil --disable-test-modules --with-ensurepip=install
		make -s -j2
		make -s install >/dev/null
		cd ..
		rm -rf python3.13-source python3.13_*'
}

[ "$(id -u)" = 0 ] || fail 'must be root: debootstrap, chroot and mount need it'
case ${1-} in
down)
	down
	exit
	;;
--free-threaded | --testsuites | '') ;;
*) fail "unknown argument '$1'; usage: make-sid.sh [down | --free-threaded | --testsuites]" ;;
esac
if [ -e "$complete" ] && [ "$(cat "$complete")" = "$packages" ]; then up; else make_tree; fi
case ${1-} in
--free-threaded) make_free_threaded ;;
--testsuites) install libpython3.13-testsuite libpython3.14-testsuite libpython3.15-testsuite ;;
esac
