"""Outputs that cannot be written, or are no files: one clear sentence, a status that is not 0, and a program that has not
noticed."""
import contextlib
import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from harness import run, start_pyrometer, wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
# Goes on until its folder has a file `end`, and prints that it did.
PROGRAM = ("import os, sys, time\nprint('READY', flush=True)\n"
           "while not os.path.exists(sys.argv[1]): sum(range(1000))\nprint('end', flush=True)\n")
RUNS = ["-c", "print('it ran')"]


@contextlib.contextmanager
def small_disk(folder, options):
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@needs_root
@pytest.mark.parametrize("name", ["x.pyro", "x.json"])
@pytest.mark.parametrize("lacks", ["blocks", "inodes"])
def test_disk_full_at_once(pyrometer, tmp_path, name, lacks):
    """A recording says so before the program runs; a report can only say it at the end."""
    with small_disk(tmp_path / "disk", "size=4k" if lacks == "blocks" else "nr_inodes=2") as disk:
        (disk / "fill").write_bytes(b"x" * 4096)
        answer = run(pyrometer, "record", "-q", "-o", disk / name, *RUNS)
        assert [path.name for path in disk.iterdir()] == ["fill"]
    assert (answer.status, answer.out) == (125, "" if name == "x.pyro" else "it ran\n")
    assert "No space left" in answer.sentence() and name in answer.sentence() and "can be read" not in answer.sentence()


@pytest.mark.parametrize("name", ["x.pyro", "x.json", None], ids=["recording", "report", "default name"])
def test_folder_is_removed_meanwhile(pyrometer, tmp_path, name):
    folder, flag = tmp_path / "folder", tmp_path / "end"
    folder.mkdir()
    words = ["record", "-q"] + (["-o", folder / name] if name else []) + ["-c", PROGRAM, flag]
    process = start_pyrometer(pyrometer, *words, cwd=str(folder))
    try:
        assert process.stdout.readline() == b"READY\n"
        if name != "x.json":
            wait_until(lambda: list(folder.iterdir()), "the recording")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        flag.write_text("")
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, len(err.splitlines())) == (125, b"end\n", 1)
    assert (b"x.json: No such file" if name == "x.json" else b"its folder was removed") in err


def make_stream(path, kind):
    if kind == "pipe":
        os.mkfifo(str(path))
        return
    if os.geteuid() != 0:
        pytest.skip("only root can make a device")
    os.mknod(str(path), 0o666 | stat.S_IFCHR, os.makedev(1, 7))  # as /dev/full
    try:
        path.open("wb").close()
    except OSError:
        pytest.skip("this file system has no devices")


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("name, ran, says", [("x.pyro", "", "no file"), ("x.json", "it ran\n", None)])
def test_stream_that_takes_nothing(pyrometer, tmp_path, kind, name, ran, says):
    """A pipe without a reader, and a device that is full: neither is replaced by a file."""
    path = tmp_path / name
    make_stream(path, kind)
    before = path.lstat()
    answer = run(pyrometer, "record", "-q", "-o", path, *RUNS)
    assert (path.lstat().st_mode, path.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert (answer.status, answer.out) == (125, ran)
    assert (says or ("nobody reads" if kind == "pipe" else "No space left")) in answer.sentence() and name in answer.sentence()


def test_pipe_with_a_reader(pyrometer, tmp_path):
    """As the shell's >(program) makes one."""
    path, got = tmp_path / "x.collapsed", []
    os.mkfifo(str(path))
    reader = threading.Thread(target=lambda: got.append(path.read_text()), daemon=True)
    reader.start()
    code = "import time\ndef busy():\n    end = time.time() + 0.3\n    while time.time() < end: pass\nbusy()\n"
    answer = run(pyrometer, "record", "-q", "-o", path, "-c", code)
    reader.join(timeout=10)
    assert (answer.status, answer.err) == (0, "") and "busy" in got[0]


def test_symbolic_link_stays(pyrometer, tmp_path):
    """The file that it names is replaced: /dev/stdout is such a link."""
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    answer = run(pyrometer, "record", "-q", "-o", tmp_path / "link.txt", *RUNS)
    assert (answer.status, answer.err) == (0, "")
    assert (tmp_path / "link.txt").is_symlink() and "samples" in (tmp_path / "real.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.txt", "real.txt"]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [["ps"], ["doctor"], ["record", "-q", "-o", "-", "-c", ""]], ids=lambda words: words[0])
def test_stdout_is_full(pyrometer, words):
    with open("/dev/full", "wb") as full:
        process = start_pyrometer(pyrometer, *words, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 125 and len(err.splitlines()) == 1 and b"No space left" in err
