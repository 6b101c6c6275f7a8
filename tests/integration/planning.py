"""Specs of the toy problem, and of networks in its place, for a folder that has them."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests import toy

NORMED = """
from torch import nn
from toy import Toy
class Normed(Toy):
    def trunk(self):
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
"""
"""A module ``normed``: a network with batch normalisation."""


def spec_text(
    more: str = "", *, name: str = "tiny", problem: str = "toy:Toy", batch_size: int = 6
) -> str:
    """A study of one run without a baseline; `more` goes into [training], or behind it."""
    return f"""
name = "{name}"
problem = "{problem}"
seeds = [0]
baseline.metrics = {{ level.error = 1.0, kind.error = 0.5, flag.error = 0.5 }}
[training]
epochs = 1
batch_size = {batch_size}
{more}
[[search]]
weighting = "ew"
stages = [{{ lr = [0.02] }}]
"""


def with_modules(folder: Path) -> Path:
    """A folder in which the toy problem and `NORMED` lie as a user's modules."""
    shutil.copy(toy.__file__, folder / "toy.py")
    (folder / "normed.py").write_text(NORMED)
    return folder
