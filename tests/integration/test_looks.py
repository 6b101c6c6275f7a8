"""A network is looked at once in a study of two workers, and again where its code has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import toy
from tests.integration.command import Said, command

SPEC = """
name = "watched"
problem = "watched:Watched"
seeds = [{seeds}]
baseline.metrics = {{ level.error = 1.0, kind.error = 0.5, flag.error = 0.5 }}
[training]
epochs = 2
batch_size = 6
pack_size = 2
[[search]]
weighting = "ew"
stages = [{{ lr = [0.01, 0.02, 0.03, 0.04] }}]
"""
PROBLEM = """
import inspect
import os
from pathlib import Path
from toy import Toy
class Watched(Toy):
    def trunk(self):
        made_by = {frame.function for frame in inspect.stack()}
        for name in ("network_facts", "train"):
            if name in made_by:
                with (Path(__file__).parent / name).open("a") as file:
                    file.write(f"{os.getpid()}\\n")
        return super().trunk()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A problem that notes which processes have built its network, to look at it and to train."""
    shutil.copy(toy.__file__, tmp_path / "toy.py")
    (tmp_path / "watched.py").write_text(PROBLEM)
    return tmp_path


def ran(folder: Path, seeds: str) -> Said:
    """The study with these seeds is run by two workers."""
    (folder / "study.toml").write_text(SPEC.format(seeds=seeds))
    said = command(folder, "run", "study.toml", "--workers", "2")
    assert said.code == 0, said.err
    return said


def processes(folder: Path, name: str) -> set[str]:
    """Who has built the network for this."""
    file = folder / name
    return {*file.read_text().split()} if file.exists() else set()


def test_one_of_two_workers_looks_and_after_it_none_before_the_code_changes(folder: Path) -> None:
    ran(folder, "0")
    lookers = processes(folder, "network_facts")
    assert len(lookers) == 1
    assert processes(folder, "train")
    ran(folder, "0, 1")
    assert processes(folder, "network_facts") == lookers
    (folder / "watched.py").write_text(f"{PROBLEM}\nchanged = True\n")
    ran(folder, "0, 1, 2")
    assert len(processes(folder, "network_facts") - lookers) == 1
