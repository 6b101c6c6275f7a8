"""What the zygote forks is a process like any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.zygote import Forked, Wanted, heard_out, zygote

DEADLINE_S = 60.0


def forked(folder: Path, text: str, *arguments: str, stdin: int | None = None) -> Forked:
    """A process that runs a module of a folder."""
    (folder / "made_up.py").write_text(text)
    wanted = Wanted(
        module="made_up",
        arguments=arguments,
        folder=str(folder),
        environment={"ONLY": "this"},
        folder_first=True,
    )
    return zygote().fork_heard(wanted, stdin=stdin)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("pass", 0, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('sorry')", 1, "sorry\n"),
        ("import atexit, sys; atexit.register(print, 'late', file=sys.stderr)", 0, "late\n"),
        ("import threading; threading.Timer(0.1, __import__('os')._exit, [4]).start()", 4, ""),
    ],
)
def test_it_ends_as_python_does(text: str, code: int, words: str, tmp_path: Path) -> None:
    with forked(tmp_path, text) as process:
        assert heard_out(process, DEADLINE_S) == (code, "", words)


def test_it_has_a_command_line_a_folder_an_environment_and_descriptors(tmp_path: Path) -> None:
    text = "import os, sys; print(__name__, sys.argv[1:], os.getcwd(), dict(os.environ), input())"
    reading, writing = os.pipe()
    os.write(writing, b"a line\n")
    os.close(writing)
    with forked(tmp_path, text, "--two", "words", stdin=reading) as process:
        os.close(reading)
        code, out, err = heard_out(process, DEADLINE_S)
    expected = f"__main__ ['--two', 'words'] {tmp_path} {{'ONLY': 'this'}} a line\n"
    assert (code, out, err) == (0, expected, "")


def test_it_hears_signals_and_can_be_killed(tmp_path: Path) -> None:
    text = """
import signal
try:
    print(flush=True)
    signal.pause()
except KeyboardInterrupt:
    raise SystemExit(130)
"""
    codes = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with forked(tmp_path, text) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert process.poll() is None
            process.send_signal(number)
            codes.append(process.wait(DEADLINE_S))
    assert codes == [130, -signal.SIGTERM, -signal.SIGKILL]


def test_who_does_not_end_is_killed_and_heard(tmp_path: Path) -> None:
    text = "import signal; print('there', flush=True); signal.pause()"
    with forked(tmp_path, text) as process:
        assert heard_out(process, 0.5) == (None, "there\n", "")


def test_it_ends_with_those_who_could_ask() -> None:
    text = "from tests import zygote; zygote.begin(); print(zygote.zygote()._process.pid)"
    pid = int(subprocess.run([sys.executable, "-c", text], capture_output=True, check=True).stdout)
    assert not Path(f"/proc/{pid}").exists()
