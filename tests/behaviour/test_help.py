"""--help, the table of commands, the manual page, --version: all from the same tables, so all must agree."""
import re
import shutil
import subprocess

import pytest

COMMANDS = ["record", "report", "dump", "ps", "doctor", "help"]


def test_alone_it_prints_the_commands(pyrometer):
    for words in ((), ("--help",), ("-h",), ("help",)):
        result = pyrometer(*words)
        assert (result.status, result.err) == (0, ""), result
        assert re.findall(r"^  (\w+) ", result.out, re.M) == COMMANDS
        assert "Where does the time go" in result.out
        assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(pyrometer, command):
    result = pyrometer(command, "--help")
    assert (result.status, result.err) == (0, ""), result
    assert result.out.startswith(f"Usage: pyrometer {command}")
    assert "Options:" in result.out or "Output:" in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    assert pyrometer("help", command).out == result.out
    assert pyrometer(command, "-h").out == result.out


def test_help_wins_over_what_is_missing(pyrometer):
    result = pyrometer("record", "-r", "5", "--help")
    assert result.status == 0 and result.out.startswith("Usage:"), result


def test_help_of_the_target_is_the_targets(pyrometer, any_python):
    result = pyrometer("record", "-q", "-o", "x.pyro", *any_python.command, "--help")
    assert "usage: " in result.out.lower() and "pyrometer record" not in result.out, result


def test_width_follows_the_terminal(pyrometer):
    narrow = pyrometer("record", "--help", env={"COLUMNS": "50"}).out
    assert len(narrow.splitlines()) > len(pyrometer("record", "--help").out.splitlines())


def test_version(pyrometer):
    result = pyrometer("--version")
    assert result.status == 0
    assert re.match(r"pyrometer \d+\.\d+\.\d+\n", result.out)
    assert "2.7, 3.6-3.15" in result.out and "zstd" in result.out
    assert pyrometer("-V").out == result.out


def test_manual_page(pyrometer, tmp_path):
    page = tmp_path / "pyrometer.1"
    page.write_text(pyrometer("help", "--man").out)
    if not shutil.which("man"):
        pytest.skip("there is no man here (tools/setup tests)")
    shown = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True,
                           env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    assert (shown.returncode, shown.stderr) == (0, "")
    for command in COMMANDS:
        for option in re.findall(r"--[a-z][a-z-]+", pyrometer(command, "--help").out):
            if option != "--help":
                assert option in shown.stdout, f"{option} of {command} is not in the manual page"


def test_a_full_disk_is_noticed(pyrometer):
    with open("/dev/full", "w") as full:
        process = subprocess.run([pyrometer.program, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert process.returncode == 125
    assert "No space left" in process.stderr
