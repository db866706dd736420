#!/bin/sh
# Records programs that nobody here wrote, and keeps what was printed: docs/field/*.md are made from it. The programs
# come from PyPI by pip, into a virtual environment in the work folder.
#
#   docs/field/run.sh PYROMETER WORK_FOLDER [PYTHON]      afterwards the outputs are in WORK_FOLDER/*.txt
set -eu

programs=$(cd "$(dirname "$0")/programs" && pwd)
pyrometer=$(realpath "$1")
mkdir -p "$2"
work=$(realpath "$2")
python=$work/venv/bin/python
port=${FIELD_PORT:-5123}
export PIP_DISABLE_PIP_VERSION_CHECK=1
export PYTEST_DEBUG_TEMPROOT=$work # pytest clears away what earlier runs left: only ours

[ -x "$python" ] || "${3:-python3}" -m venv "$work/venv"
"$python" -m pip install -q flask==3.1.3 numpy pandas==3.1.1 django==5.2.19 pytest==9.2.0 trio
cd "$work"

# What this machine is called stays here.
clean() {
	sed "s|^\$ $pyrometer|$ pyrometer|; s|$work/venv/bin/|venv/bin/|g; s|$work|.|g; s|$programs/||g; s|$HOME|~|g; s| on $(uname -n), | on HOST, |"
}

# keep NAME PROGRAM...: runs it; its own output and ours are kept, then the text report of the recording.
keep() {
	name=$1
	shift
	status=0
	"$@" >"$name.out" 2>"$name.err" || status=$?
	{
		echo "\$ $*"
		tail -n 3 "$name.out"
		cat "$name.err"
		echo "[status $status]"
		echo
		echo "\$ pyrometer report $name.pyro"
		"$pyrometer" report "$name.pyro"
	} | clean >"$name.txt"
}

# pytest on the suite of Jinja itself
if [ ! -d jinja ]; then
	"$python" -m pip download -q --no-binary jinja2 --no-deps jinja2==3.1.6
	mkdir jinja
	tar -xf jinja2-3.1.6.tar.gz -C jinja --strip-components=1
fi
keep pytest "$pyrometer" record --python "$python" -o pytest.pyro -m pytest -q -p no:cacheprovider jinja/tests

# a web server under load, for five of eight seconds
"$python" "$programs/shop.py" "$port" >shop.log 2>&1 &
server=$!
sleep 1.5
"$python" "$programs/load.py" "$port" 8 4 >load.out &
load=$!
sleep 1
keep flask "$pyrometer" record -p "$server" -d 5 -o flask.pyro -o flask.svg
"$pyrometer" dump "$server" | clean >flask-dump.txt || true
wait "$load"
kill "$server"

# NumPy and pandas
keep pandas "$pyrometer" record --python "$python" -o pandas.pyro "$programs/frames.py"

# Django's command line, and pip
rm -rf site pip-venv
mkdir site
venv/bin/django-admin startproject shop site
keep django "$pyrometer" record --python "$python" -o django.pyro site/manage.py migrate
"$python" -m venv pip-venv
keep pip "$pyrometer" record --python pip-venv/bin/python -o pip.pyro -m pip install -q --no-deps click
ls -l "$work"/*.txt
