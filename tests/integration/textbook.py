"""Intervals and tests as a textbook has them: in plain Python, by the reference of measures."""

from __future__ import annotations

import functools
import itertools
import math
import statistics
from collections.abc import Sequence

Part = tuple[float, float, float]
"""A mean square, its weight, its degrees of freedom."""


Table = Sequence[Sequence[float]]


def pooled_parts(*sides: tuple[Table, float]) -> list[Part]:
    """Variance of a winner's mean, or of a difference of two.

    Args:
        sides: One or two layouts ``[q, S]``, each with how often its rest counts.
    """
    tables = [table for table, _ in sides]
    n_seeds = len(tables[0][0])
    means = [[statistics.fmean(column) for column in zip(*t, strict=True)] for t in tables]
    of_seeds = means[0] if len(tables) == 1 else [a - b for a, b in zip(*means, strict=True)]
    square = statistics.variance(of_seeds)
    rests = [(rest(table), len(table)) for table in tables]
    parts: list[Part] = [(square, 1 / n_seeds, n_seeds - 1)]
    for (r, q), (_, share) in zip(rests, sides, strict=True):
        if q > 1:
            parts.append((r, (share - 1 / q) / n_seeds, (q - 1) * (n_seeds - 1)))
    return parts


def mixing_parts(*sides: tuple[Table, float]) -> list[Part]:
    """What is added where seeds choose several trials for each other."""
    return [
        (rest(table), (share - 1) / len(table[0]), (len(table) - 1) * (len(table[0]) - 1))
        for table, share in sides
        if len(table) > 1
    ]


def rest(table: Sequence[Sequence[float]]) -> float:
    """s_e^2 of a layout."""
    q, n_seeds = len(table), len(table[0])
    if q == 1:
        return 0.0
    whole = statistics.fmean(itertools.chain(*table))
    by_seed = [statistics.fmean(column) for column in zip(*table, strict=True)]
    squares = [
        (value - statistics.fmean(row) - by_seed[s] + whole) ** 2
        for row in table
        for s, value in enumerate(row)
    ]
    return math.fsum(squares) / ((q - 1) * (n_seeds - 1))


def interval(
    value: float, parts: Sequence[Part], level: float = 0.95
) -> tuple[float, float, float]:
    variance, df = _variance(parts)
    half = quantile(0.5 + level / 2, df) * math.sqrt(variance)
    return value - half, value + half, df


def p_value(value: float, parts: Sequence[Part]) -> float:
    variance, df = _variance(parts)
    return 2 * (1 - below(abs(value) / math.sqrt(variance), df))


def _variance(parts: Sequence[Part]) -> tuple[float, float]:
    shares = [square * weight for square, weight, _ in parts]
    spread = sum(share**2 / df for share, (_, _, df) in zip(shares, parts, strict=True))
    return sum(shares), sum(shares) ** 2 / spread


def below(t: float, df: float) -> float:
    """P(T <= t) for t >= 0, by Simpson's rule over the angle atan(t / sqrt(df))."""
    n, end = 2000, math.atan(t / math.sqrt(df))
    inner = [(4 if k % 2 else 2) * math.cos(end * k / n) ** (df - 1) for k in range(1, n)]
    area = end / n / 3 * math.fsum([1.0, *inner, math.cos(end) ** (df - 1)])
    return 0.5 + area * _height(df) * math.sqrt(df)


def _height(df: float) -> float:
    """Of the density of T, at 0."""
    return math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi * df)


@functools.cache
def quantile(level: float, df: float) -> float:
    """By Newton's method, which comes ever nearer from below: the density falls."""
    t, step = 0.0, math.inf
    while step > 1e-13 * (1 + t):
        step = (level - below(t, df)) / (_height(df) * (1 + t * t / df) ** (-(df + 1) / 2))
        t += step
    return t


def seeds_for(sd: float, half_width: float, level: float) -> int | None:
    for n in range(2, 10_001):
        # a bound by the normal distribution spares most of the work
        if statistics.NormalDist().inv_cdf(0.5 + level / 2) * sd > half_width * math.sqrt(n):
            continue
        if quantile(0.5 + level / 2, n - 1) * sd <= half_width * math.sqrt(n):
            return n
    return None


def flips(gaps: Sequence[float]) -> float:
    """The sign-flip test by enumeration."""
    seen = abs(math.fsum(gaps))
    signs = list(itertools.product((1, -1), repeat=len(gaps)))
    sums = [abs(math.fsum(s * g for s, g in zip(sign, gaps, strict=True))) for sign in signs]
    return statistics.fmean(total >= seen - 1e-12 * sum(map(abs, gaps)) for total in sums)
