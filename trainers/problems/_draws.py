"""Which digits go to which split, and which pairs they form; what other draws are made of.

Only raw bits of NumPy's PCG64 and stable sorts are used: unlike the methods of `Generator`, whose
draws may change between versions of NumPy, both are promised to stay as they are.

Shapes: D digits of the file, N pairs of a split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainers.randomness import Key

RowNumbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRows:
    """Row numbers of the digits of each pair, ``[N]`` each."""

    left: RowNumbers
    right: RowNumbers


def draw_pairs(
    labels: RowNumbers, n_pairs: Mapping[str, int], split_seed: int
) -> dict[str, PairRows]:
    """Split the digits, then pair them inside each split: no digit is seen in two splits.

    Args:
        labels: ``[D]`` classes of the digits.
        n_pairs: Pairs by split: ``train``, ``validation``, ``test``.
        split_seed: Address of all draws.
    """
    key = Key(f"split-{split_seed}")
    return {
        split: pairs_of(labels, rows, n_pairs[split], key / split)
        for split, rows in split_rows(labels, key).items()
    }


def pairs_of(labels: RowNumbers, rows: RowNumbers, n_pairs: int, key: Key) -> PairRows:
    """Pair some digits of a split: on both sides each class is as often, give or take one.

    Args:
        labels: ``[D]`` classes of all digits.
        rows: Row numbers of those of the split.
    """
    return PairRows(
        left=_balanced(labels, rows, n_pairs, key / "left"),
        right=_balanced(labels, rows, n_pairs, key / "right"),
    )


def split_rows(labels: RowNumbers, key: Key) -> dict[str, RowNumbers]:
    """Row numbers by split: of each class a fifth to validation, a fifth to test, rest to train."""
    parts: dict[str, list[RowNumbers]] = {"train": [], "validation": [], "test": []}
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rows = rows[permutation(len(rows), key / "class" / int(label))]
        fifth = len(rows) // 5
        parts["validation"].append(rows[:fifth])
        parts["test"].append(rows[fifth : 2 * fifth])
        parts["train"].append(rows[2 * fifth :])
    return {split: np.sort(np.concatenate(chunks)) for split, chunks in parts.items()}


def _balanced(labels: RowNumbers, rows: RowNumbers, n_drawn: int, key: Key) -> RowNumbers:
    """Draw `n_drawn` rows with each class as often as any other, give or take one.

    Digits repeat only when their class has no unused one left.
    """
    classes = np.unique(labels[rows])
    per_class = -(-n_drawn // len(classes))
    columns = []
    for label in classes:
        members = rows[labels[rows] == label]
        shuffled = members[permutation(len(members), key / "class" / int(label))]
        columns.append(np.resize(shuffled, per_class))
    # Row by row through the columns, so that cutting the end costs each class at most one.
    drawn = np.stack(columns, axis=1).ravel()[:n_drawn]
    return drawn[permutation(n_drawn, key / "order")]


def permutation(n: int, key: Key) -> RowNumbers:
    """The numbers below `n` in an order of their own for each key, ``[n]``."""
    return np.argsort(np.random.PCG64(key.seed).random_raw(n), kind="stable")


def uniforms(n: int, key: Key) -> NDArray[np.float64]:
    """Numbers in 0 to 1, 1 excluded, ``[n]``: the upper 53 bits of each draw."""
    raw = np.asarray(np.random.PCG64(key.seed).random_raw(n), dtype=np.uint64)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53
