"""Splits samples of many labels so that each label is as frequent in every split.

After the iterative stratification of Sechidis, Tsoumakas & Vlahavas, "On the Stratification of
Multi-Label Data" (ECML PKDD 2011): samples of rare labels are shared out first, each to the split
that lacks it most. Here a sample counts with all its labels, not the rarest alone, without which
frequent labels take what is left; chance is a permutation.

Shapes: N samples, L labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trainers.problems._draws import RowNumbers, permutation
from trainers.randomness import Key

_EQUAL = 1e-9  # sums of shares that differ by less are the same


def stratified_rows(
    labels: NDArray[np.bool_], sizes: Mapping[str, int], key: Key
) -> dict[str, RowNumbers]:
    """Row numbers by split, sorted; together they are all ``[N]``.

    Args:
        labels: ``[N, L]``.
        sizes: Samples by split; their sum is N.
    """
    counts, n_of_label = np.array([*sizes.values()]), labels.sum(axis=0)
    room = counts.copy()
    wanted = counts[:, None] * (n_of_label.clip(min=1) / counts.sum())  # [splits, L]
    lacking = wanted.copy()
    place = np.empty(len(labels), np.int64)
    for row in _rarest_first(labels, n_of_label, key):
        lack = np.where(room > 0, (lacking / wanted)[:, labels[row]].sum(axis=1), -np.inf)
        of_equals = np.where(lack >= lack.max() - _EQUAL, room / counts, -1.0)
        chosen = place[row] = int(of_equals.argmax())
        room[chosen] -= 1
        lacking[chosen] -= labels[row]
    return {split: np.flatnonzero(place == number) for number, split in enumerate(sizes)}


def _rarest_first(labels: NDArray[np.bool_], n_of_label: RowNumbers, key: Key) -> RowNumbers:
    """All rows ``[N]``: by their rarest label, those without any last, by chance among equals."""
    ranked = labels[:, n_of_label.argsort(kind="stable")]
    rarest = np.where(ranked.any(axis=1), ranked.argmax(axis=1), labels.shape[1])
    order = permutation(len(labels), key)
    rows: RowNumbers = order[rarest[order].argsort(kind="stable")]
    return rows
