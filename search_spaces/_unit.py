"""Coordinates in the unit cube, where random points are drawn before an axis maps them."""

from collections.abc import Sequence

from search_spaces._shown import shown
from search_spaces.errors import BadValue

_UNIT_BITS = 53  # of a float's fraction: every draw is a multiple of 2**-53


def checked_unit(u: Sequence[float], *, dimensions: int) -> tuple[float, ...]:
    """The coordinates, if there are as many as asked for and all are within [0, 1].

    Raises:
        BadValue: Their number or one of them is wrong.
    """
    if len(u) != dimensions:
        raise BadValue(
            f"This axis takes {dimensions} unit coordinates. Got {len(u)}. "
            "Pass as many as its `dimensions` says."
        )
    for coordinate in u:
        if not 0.0 <= coordinate <= 1.0:  # NaN fails this too
            raise BadValue(
                f"A unit coordinate lies in [0, 1]. Got {shown(coordinate)}. Clip it first."
            )
    return tuple(float(coordinate) for coordinate in u)


def bucket(u: float, n: int) -> int:
    """Which of `n` equal buckets of [0, 1] holds `u`; exact for any size of `n`."""
    return min((int(u * 2**_UNIT_BITS) * n) >> _UNIT_BITS, n - 1)


def bucket_middle(low: int, high: int, n: int) -> float:
    """The middle of buckets `low` (included) to `high` (excluded) of `n`."""
    return (low + high) / (2 * n)
