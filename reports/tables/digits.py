"""How the numbers of one column are written: as many digits as seeds tell apart."""

import math
from collections.abc import Sequence
from typing import Final

from reports.tables.method_table import Cell

MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "–"
_MOST_DECIMALS: Final = 6
_MOST_DIGITS: Final = 6


def format_of(cells: Sequence[Cell], *, signed: bool) -> str:
    """A format for all values of a column.

    It shows two digits of half the median interval; without intervals, four in all. Small values
    that would take more than six decimals are written with their power of ten.
    """
    sign = "+" if signed else ""
    sizes = [abs(cell.value) for cell in cells if math.isfinite(cell.value) and cell.value]
    halves = sorted(
        cell.interval.half_width
        for cell in cells
        if cell.interval is not None and cell.interval.half_width > 0
    )
    if not sizes:
        return f"{sign}.2f"
    largest = _magnitude(max(sizes))
    decimals = 3 - largest
    if halves:
        decimals = min(1 - _magnitude(halves[len(halves) // 2]), _MOST_DIGITS - 1 - largest)
    if decimals > _MOST_DECIMALS:
        return f"{sign}.3e"
    return f"{sign}.{max(decimals, 0)}f"


def written(value: float, form: str) -> str:
    """A finite value, with an ASCII minus; zero has no sign."""
    text = f"{value:{form}}"
    return text if float(text) else text.lstrip("+-")


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))
