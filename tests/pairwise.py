"""Covering tables: every pair of values meets in some row, without the full product."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, product
from typing import Any

Row = tuple[Any, ...]


def pairwise(*columns: Iterable[Any]) -> list[Row]:
    """Rows in which any two values of different columns stand together at least once.

    For promises whose parts keep states of their own, so that a fault shows where two of them
    meet. The same columns give the same rows: of the full product, the first of those that add
    most is taken, until nothing is to be added.
    """
    candidates = list(product(*columns))
    missing = {pair for row in candidates for pair in _pairs(row)}
    rows: list[Row] = []
    while missing:
        rows.append(max(candidates, key=lambda row: len(missing & _pairs(row))))
        missing -= _pairs(rows[-1])
    return rows


def _pairs(row: Row) -> set[Any]:
    return set(combinations(enumerate(row), 2))
