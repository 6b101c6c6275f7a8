"""Which part of the photo of a retina the tiles of each split are cut from.

Loads neither torch nor NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SIDES: Final = (48, 64, 96)
"""Of a tile in pixels."""
GAP: Final = 104
"""Pixels between the parts of two splits, more than the largest tile has."""
_PHOTO: Final = 1_411
_CENTRE: Final = (702, 704)
_RADIUS: Final = 675
"""Of the retina in the photo, without its rim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """First and end of rows and columns; what is outside of the retina is no part of it."""

    rows: tuple[int, int]
    columns: tuple[int, int]

    def holds(self, top: int, left: int, side: int) -> bool:
        """Whether a square lies in it."""
        bottom, right = top + side - 1, left + side - 1
        if not (self.rows[0] <= top and bottom < self.rows[1]):
            return False
        if not (self.columns[0] <= left and right < self.columns[1]):
            return False
        return all(
            (y - _CENTRE[0]) ** 2 + (x - _CENTRE[1]) ** 2 <= _RADIUS**2
            for y in (top, bottom)
            for x in (left, right)
        )

    def n_squares(self, side: int) -> int:
        """How many squares of a grid it holds, which share no pixel."""
        return sum(
            self.holds(top, left, side)
            for top in range(*self.rows, side)
            for left in range(*self.columns, side)
        )


_HALF: Final = GAP // 2
_UPPER, _LOWER = (0, _CENTRE[0] - _HALF), (_CENTRE[0] + _HALF, _PHOTO)
_LEFT, _RIGHT = (0, _CENTRE[1] - _HALF), (_CENTRE[1] + _HALF, _PHOTO)
SECTORS: Final[Mapping[str, Sector]] = {
    "train": Sector(rows=(0, _PHOTO), columns=_LEFT),
    "validation": Sector(rows=_UPPER, columns=_RIGHT),
    "test": Sector(rows=_LOWER, columns=_RIGHT),
}
"""The left half of the retina, and the two quarters on the right."""
