"""Runs code blocks of the documentation the way a reader would: in one folder, in order."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.command import at_home, command


def run_bash(text: str, folder: Path, **environment: str) -> str:
    """Run a bash block; returns its output, fails with it."""
    return _run(["bash", "-e", "-o", "pipefail", "-c", text], folder, **environment)


def type_lines(text: str, folder: Path) -> str:
    """Type the lines of a block that are all `weighbridge`, here instead of in a shell.

    As on a machine of one core: to start another worker takes longer than what is trained here.
    """
    out = ""
    for line in text.splitlines():
        program, *words = shlex.split(line, comments=True)
        assert program == "weighbridge", f"the line is for a shell: {line}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "cpu_count", lambda: 1)
            said = command(folder, *words)
        assert said.code == 0, f"{line}\n{said.out}\n{said.err}"
        out += said.out
    return out


def run_python(text: str, folder: Path) -> str:
    """Run a Python block here, as a program of its own; warnings are errors, as in all tests."""
    with at_home(folder) as (patch, out, _):
        patch.setattr(sys, "path", [str(folder), *sys.path])
        exec(compile(text, "<block>", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def start_python(text: str, folder: Path, **environment: str) -> str:
    """Run Python in a process of its own; warnings are errors."""
    return _run([sys.executable, "-W", "error", "-c", text], folder, **environment)


def _run(command: list[str], folder: Path, **more: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WEIGHBRIDGE_")}
    environment = {**kept, "PATH": path, "WEIGHBRIDGE_CACHE": str(folder / "cache"), **more}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout
