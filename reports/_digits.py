"""How numbers are written: those of a column as seeds tell them apart, and for JSON."""

import math
from collections.abc import Iterable
from typing import Final, TypeVar

MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "–"
_MOST_DECIMALS: Final = 6
_MOST_DIGITS: Final = 6

_Value = TypeVar("_Value")


def format_of(
    values: Iterable[float], halves: Iterable[float] = (), *, signed: bool = False
) -> str:
    """A format for all values of a column.

    It shows two digits of half the median interval; without intervals, four in all. Small values
    that would take more than six decimals are written with their power of ten.

    Args:
        values: All that the column holds; those that are not finite are left out.
        halves: Half the widths of the intervals that are known.
        signed: Values are written with their sign.
    """
    sign = "+" if signed else ""
    sizes = [abs(value) for value in values if math.isfinite(value) and value]
    known = sorted(half for half in halves if half > 0)
    if not sizes:
        return f"{sign}.2f"
    largest = _magnitude(max(sizes))
    decimals = 3 - largest
    if known:
        decimals = min(1 - _magnitude(known[len(known) // 2]), _MOST_DIGITS - 1 - largest)
    if decimals > _MOST_DECIMALS:
        return f"{sign}.3e"
    return f"{sign}.{max(decimals, 0)}f"


def written(value: float, form: str) -> str:
    """A finite value, with an ASCII minus; zero has no sign."""
    text = f"{value:{form}}"
    return text if float(text) else text.lstrip("+-")


def finite(value: _Value) -> _Value | None:
    """What JSON can hold: None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))
