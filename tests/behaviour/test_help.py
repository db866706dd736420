"""--help, the table of commands, the manual page, --version: all from the same tables, so all must agree."""
import re
import shutil
import subprocess

import pytest

from harness import clean_environment, run

COMMANDS = ["record", "calls", "lines", "memory", "report", "dump", "ps", "doctor", "help"]


@pytest.fixture
def ask(pyrometer):
    """What it prints to stdout in 80 columns; nothing goes wrong."""
    def ask_it(*words, columns=80):
        answer = run(pyrometer, *words, env=clean_environment(COLUMNS=str(columns)))
        assert (answer.status, answer.err) == (0, "")
        assert max(map(len, answer.out.splitlines())) <= columns
        return answer.out
    return ask_it


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)], ids=" ".join)
def test_alone_it_prints_the_commands(ask, words):
    text = ask(*words)
    assert re.findall(r"^  (\w+) ", text, re.M) == COMMANDS
    assert "Where does the time go" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(ask, command):
    text = ask(command, "--help")
    assert text.startswith("Usage: pyrometer " + command)
    assert re.search(r"^\w[\w ]*:\n +-", text, re.M), "it lists options"
    assert ask("help", command) == text
    assert ask(command, "-h") == text


def test_help_wins_over_what_is_missing(ask):
    assert ask("record", "-r", "5", "--help").startswith("Usage:")


def test_help_of_the_target_is_the_targets(pyrometer, any_python, tmp_path):
    answer = run(pyrometer, "record", "-q", "-o", tmp_path / "x.pyro", *any_python.argv, "--help")
    assert "usage: " in answer.out.lower() and "pyrometer" not in answer.out


def test_width_follows_the_terminal(ask):
    assert len(ask("record", "--help", columns=60).splitlines()) > len(ask("record", "--help").splitlines())


def test_version(ask):
    text = ask("--version")
    assert re.match(r"pyrometer \d+\.\d+\.\d+\n", text)
    assert "2.7, 3.6-3.15" in text and "zstd" in text
    assert ask("-V") == text


def test_manual_page(pyrometer, ask, tmp_path):
    page = tmp_path / "pyrometer.1"
    page.write_text(run(pyrometer, "help", "--man").out)
    if not shutil.which("man"):
        pytest.skip("there is no man here (tools/setup tests)")
    shown = subprocess.run(["man", "--warnings", "-l", str(page)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    assert (shown.returncode, shown.stderr) == (0, "")
    for command in COMMANDS:
        for option in re.findall(r"--[a-z][a-z-]+", ask(command, "--help")):
            assert option in shown.stdout or option == "--help", "%s of %s is not in the manual page" % (option, command)


def test_a_full_disk_is_noticed(pyrometer):
    with open("/dev/full", "wb") as full:
        answer = subprocess.run([str(pyrometer), "--help"], stdout=full, stderr=subprocess.PIPE)
    assert answer.returncode == 125
    assert b"No space left" in answer.stderr
