"""From a file of cut diamonds to tensors: which stones count, their split, what the network sees.

Shapes: R stones of the file that count, N stones of a split, F inputs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray

from trainers.problems._draws import permutation
from trainers.problems._source import TensorSource
from trainers.randomness import Key

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays

Floats = NDArray[np.float64]

# From the worst to the best.
GRADES: Final = MappingProxyType(
    {
        "cut": ("Fair", "Good", "Very Good", "Premium", "Ideal"),
        "color": ("J", "I", "H", "G", "F", "E", "D"),
        "clarity": ("I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"),
    }
)
# What each measure is counted from, and by. All are fixed, near the file's mean and standard
# deviation, so that inputs have the same bits wherever they are made.
SCALES: Final = MappingProxyType(
    {
        "weight": (-0.4, 0.6),  # log of carats
        "depth": (61.75, 1.5),  # height in percent of the mean of length and width
        "fullness": (6.125, 0.125),  # carats per 1,000 mm3 of the box around the stone
        "roundness": (1.0, 0.01),  # length over width
    }
)
N_INPUTS: Final = len(SCALES) + len(GRADES["color"]) + len(GRADES["clarity"])
# The same of the five measures from which all else about a stone is told.
MEASURES: Final = MappingProxyType(
    {"x": (5.75, 1.1), "y": (5.75, 1.1), "z": (3.5, 0.7), "depth": (61.75, 1.5), "table": (57.5, 2)}
)
_FURTHEST: Final = 5.0  # of an input: a few stones were measured wrong
_SIDES: Final = ("x", "y", "z")
_LONGEST_MM: Final = 20.0
_LOG_PRICE, _TABLE_PERCENT = 7.8, 57.5  # near their means: what targets are counted from
_LOG_DIGITS: Final = 5  # the last bits of a logarithm differ between machines


def stones(content: bytes) -> Arrays:
    """Columns of the stones that count, ``[R]`` each: measures as float64, grades as uint8.

    Left out are stones with a side that cannot be (0, or above 20 mm), and all but the first of
    those that agree in everything but the price: one stone must not lie in two splits.
    """
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in csv.DictReader(io.StringIO(content.decode())):
        if all(0 < float(row[side]) < _LONGEST_MM for side in _SIDES):
            found.setdefault(tuple(v for name, v in row.items() if name != "price"), row)
    rows = list(found.values())
    columns: Arrays = {}
    for name in rows[0]:
        texts = [row[name] for row in rows]
        if name in GRADES:
            columns[name] = np.array([GRADES[name].index(text) for text in texts], np.uint8)
        else:
            columns[name] = np.array([float(text) for text in texts])
    return columns


def split_stones(
    n_stones: int, sizes: Mapping[str, int], split_seed: int
) -> dict[str, NDArray[np.int64]]:
    """Row numbers by split, ``[N]``; more stones to train on are more of the same order."""
    order = permutation(n_stones, Key(f"split-{split_seed}") / "stones")
    rows, taken = {}, 0
    for split in ("validation", "test", "train"):
        rows[split] = order[taken : taken + sizes[split]]
        taken += sizes[split]
    return rows


def stone_sources(
    problem: str,
    columns: Arrays,
    *,
    sizes: Mapping[str, int],
    split_seed: int,
    device: torch.device,
) -> dict[str, TensorSource]:
    """Split, scale, and move to the device: inputs ``[N, F]`` and targets ``[N]`` of a problem."""
    source = {"diamonds": _three, "diamonds-five": _five}[problem]
    split = split_stones(len(columns["price"]), sizes, split_seed)
    return {
        name: source({key: column[split[name]] for key, column in columns.items()}, device)
        for name in sizes
    }


def _three(mine: Arrays, device: torch.device) -> TensorSource:
    measures = {
        "weight": _log(mine["carat"]),
        "depth": mine["depth"],
        "fullness": 1000 * mine["carat"] / (mine["x"] * mine["y"] * mine["z"]),
        "roundness": mine["x"] / mine["y"],
    }
    grades = [np.eye(len(GRADES[name]))[mine[name]] for name in ("color", "clarity")]
    numbers = {"price": _price(mine), "table": mine["table"] - _TABLE_PERCENT}
    return _moved([*_scaled(measures, SCALES), *grades], ("cut",), numbers, mine, device)


def _five(mine: Arrays, device: torch.device) -> TensorSource:
    numbers = {"price": _price(mine), "carat": mine["carat"]}
    return _moved(_scaled(mine, MEASURES), tuple(GRADES), numbers, mine, device)


def _scaled(measures: Arrays, scales: Mapping[str, tuple[float, float]]) -> list[Floats]:
    return [(measures[name] - centre) / spread for name, (centre, spread) in scales.items()]


def _price(mine: Arrays) -> Floats:
    return _log(mine["price"]) - _LOG_PRICE


def _moved(
    inputs: Sequence[Floats],
    grades: Sequence[str],
    numbers: Mapping[str, Floats],
    mine: Arrays,
    device: torch.device,
) -> TensorSource:
    columns = np.column_stack(inputs).clip(-_FURTHEST, _FURTHEST)
    return TensorSource(
        inputs=torch.from_numpy(columns).to(device, torch.float32),
        targets={
            **{name: torch.from_numpy(mine[name]).to(device, torch.int64) for name in grades},
            **{name: torch.from_numpy(v).to(device, torch.float32) for name, v in numbers.items()},
        },
    )


def _log(values: Floats) -> Floats:
    rounded: Floats = np.log(values).round(_LOG_DIGITS)
    return rounded
