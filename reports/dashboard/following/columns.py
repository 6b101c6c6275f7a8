"""Rows by id as NumPy columns that grow: what a mirror is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FIRST_ROWS: Final = 1024


class Columns:
    """Columns ``[n]`` of plain numbers, by the id of each row.

    Args:
        dtypes: By name of the column.
    """

    def __init__(self, dtypes: Mapping[str, Any]) -> None:
        self._columns = {name: np.zeros(0, dtype=dtype) for name, dtype in dtypes.items()}
        self._row_of: dict[int, int] = {}
        self._room = 0

    def __len__(self) -> int:
        return len(self._row_of)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """One column ``[n]``, by row; a view that later changes write into."""
        return self._columns[name][: len(self)]

    def row_of(self, id_: int) -> int | None:
        """The row of an id; None of one that is not known."""
        return self._row_of.get(id_)

    def put(self, id_: int, **values: float) -> int:
        """Write some columns of an id's row, a new one if it has none, and tell which row."""
        row = self._row_of.setdefault(id_, len(self))
        if row == self._room:
            self._grow()
        for name, value in values.items():
            self._columns[name][row] = value
        return row

    def extend(self, ids: Sequence[int], columns: Mapping[str, Any]) -> None:
        """Write ``[k]`` rows of ids that are new, all their columns."""
        start = len(self)
        self._row_of.update(zip(ids, range(start, start + len(ids)), strict=True))
        while self._room < len(self):
            self._grow()
        for name, values in columns.items():
            self._columns[name][start : len(self)] = values

    def _grow(self) -> None:
        self._room = max(_FIRST_ROWS, 2 * self._room)
        for name, column in self._columns.items():
            self._columns[name] = np.zeros(self._room, dtype=column.dtype)
            self._columns[name][: len(column)] = column
