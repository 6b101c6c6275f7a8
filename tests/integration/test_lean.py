"""What needs few packages runs without the others, and what needs one says which."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from study.drivers.local.fork_server import ForkServer
from tests.integration.command import DEADLINE_S
from tests.zygote import Wanted, Zygote, heard_out

ROOT = Path(__file__).parents[2]
SPEC = """
name = "lean"
problem = "digits"
problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }
seeds = [0]
training = { epochs = 1, batch_size = 32 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.01, 0.03] }]
"""
MISSING = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("optuna", "pandas", "plotly", "psycopg", "pyarrow", "ray"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


# A command whose workers are forked from a process that finds no more than it does.
COMMAND = """
import os
from study.cli import main
from study.drivers.local.fork_server import ForkServer
ForkServer.start = classmethod(lambda cls: cls.near(os.environ["TESTS_FORK_SERVER"]))
main()
"""


class Lean:
    """Forks commands from a process that looks into a folder first, and finds none of six packages.

    Args:
        folder: Where they run.
    """

    def __init__(self, folder: Path) -> None:
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(MISSING)
        (site / "lean_command.py").write_text(COMMAND)
        (folder / "lean.toml").write_text(SPEC)
        self._folder, self._zygote = str(folder), Zygote(site)
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
        self._environment["TESTS_FORK_SERVER"] = str(folder / "fork_server")
        ours, theirs = socket.socketpair()
        with theirs:
            process: Any = self._zygote.fork(
                self._wanted("trainers.worker.fork_server", leads=True), hand_on=[theirs.fileno()]
            )
        self._fork_server = ForkServer(ours, process)
        self._fork_server.listen(self._environment["TESTS_FORK_SERVER"])

    def weighbridge(self, line: str) -> tuple[int | None, str, str]:
        """Exit code, output and errors of a command."""
        with self._zygote.fork_heard(self._wanted("lean_command", *line.split())) as process:
            return heard_out(process, DEADLINE_S)

    def _wanted(self, module: str, *arguments: str, leads: bool = False) -> Wanted:
        return Wanted(
            module=module,
            arguments=arguments,
            folder=self._folder,
            environment=self._environment,
            leads=leads,
        )

    def end(self) -> None:
        self._fork_server.kill()
        self._zygote.end()


@pytest.fixture(scope="module")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lean]:
    lean = Lean(tmp_path_factory.mktemp("lean"))
    yield lean
    lean.end()


def test_a_grid_in_a_file_is_run_and_looked_at(lean: Lean) -> None:
    said = ""
    for line in ("plan lean.toml", "run lean.toml --workers 1", "status lean", "log lean"):
        code, out, err = lean.weighbridge(line)
        assert code == 0, err
        said += out
    assert "8 runs done" in said


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("compare quickstart", "pandas"),
        ("report quickstart", "pandas"),
        ("run quickstart --driver ray", "ray"),
        ("status --storage postgresql://me@127.0.0.1/none", "psycopg"),
    ],
)
def test_what_is_missing_is_one_sentence(lean: Lean, line: str, package: str) -> None:
    code, _, err = lean.weighbridge(line)
    assert code == 2, err
    said = " ".join(err.split())
    assert said.startswith(f"error This needs the package {package}, which ")
    assert f"Install it: pip install '{package}" in said
