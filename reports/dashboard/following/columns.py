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

    def put(self, ids: Sequence[int], columns: Mapping[str, Any]) -> None:
        """Write ``[k]`` rows: those that the ids have, or new ones, whose other columns are 0."""
        rows = [self._row_of.setdefault(id_, len(self)) for id_ in ids]
        while self._room < len(self):
            self._grow()
        for name, values in columns.items():
            self._columns[name][rows] = values

    def _grow(self) -> None:
        self._room = max(_FIRST_ROWS, 2 * self._room)
        for name, column in self._columns.items():
            self._columns[name] = np.zeros(self._room, dtype=column.dtype)
            self._columns[name][: len(column)] = column
