"""Small studies of the toy problem, for verbs to be tried on."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests import toy

HEAD = """
name = "{name}"
problem = "toy:Toy"
seeds = [0, 1]
training = {{ epochs = {epochs}, batch_size = 4, optimizer = "sgd" }}
"""
TINY = """
[[search]]
weighting = "ew"
stages = [{ lr = [0.05, 1e20] }]
[[search]]
weighting = "uw-so"
stages = [{ lr = [0.05] }, { temperature = { line = [1, 10] } }]
"""


def write_spec(folder: Path, name: str, rest: str, *, epochs: int = 2) -> None:
    """Write a spec, and the toy problem beside it."""
    (folder / f"{name}.toml").write_text(HEAD.format(name=name, epochs=epochs) + rest)
    shutil.copy(toy.__file__, folder / "toy.py")
