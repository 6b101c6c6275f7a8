"""What is trained: points of one problem, in plain values that every party can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

Finals = Mapping[int, Mapping[str, float]]
"""Number of a point to its values after the last epoch, such as ``validation/left/loss``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run.

    Attributes:
        weights: Of the tasks' losses, in the order of the problem's tasks.
    """

    lr: float
    weights: tuple[float, ...]
    weight_decay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Points that are trained alike, with seed 0 and Adam.

    Attributes:
        problem: A built-in problem, `options` the arguments of its constructor.
        weighting: How a spec says the same: the weighting,
        stage: and its only stage, in TOML.
    """

    problem: str
    epochs: int
    points: tuple[Point, ...]
    weighting: str
    stage: str
    options: Mapping[str, object]
    batch_size: int = 64
    seed: int = 0

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Workload:
        plain = json.loads(path.read_text())
        points = tuple(Point(**{**p, "weights": tuple(p["weights"])}) for p in plain["points"])
        return cls(**{**plain, "points": points})
