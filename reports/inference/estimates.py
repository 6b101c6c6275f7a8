"""A mean over seeds with its standard error, and the intervals that follow from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from reports.inference.student import FloatArray, t_cdf, t_of, t_quantile

LEVEL: Final = 0.95
"""Coverage of intervals, unless a family of comparisons asks for more."""

_MOST_SEEDS: Final = 10_000
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval.

    Attributes:
        df: Degrees of freedom of the t distribution behind it.
        level: Its coverage; above 0.95 where it is one of a family.
    """

    low: float
    high: float
    df: float
    level: float = LEVEL

    @property
    def half_width(self) -> float:
        """How far it reaches to either side."""
        return (self.high - self.low) / 2

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside."""
        return not self.low <= value <= self.high

    def within(self, margin: float) -> bool:
        """Whether all of it lies at most `margin` from 0."""
        return -margin <= self.low and self.high <= margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value that differs from seed to seed.

    Attributes:
        value: Mean over seeds, or what stands for it.
        standard_error: Of `value`; NaN where nothing tells it, such as with one seed.
        df: Degrees of freedom of `standard_error`.
        n_seeds: S.
    """

    value: float
    standard_error: float
    df: float
    n_seeds: int

    @property
    def seed_sd(self) -> float:
        """The standard deviation from seed to seed that the standard error stands for."""
        return self.standard_error * math.sqrt(self.n_seeds)

    def interval(self, level: float = LEVEL) -> Interval | None:
        """The value -+ t(df) standard errors; None where nothing tells the standard error."""
        if not (math.isfinite(self.standard_error) and math.isfinite(self.value)):
            return None
        half = t_of(0.5 + level / 2, self.df) * self.standard_error
        return Interval(low=self.value - half, high=self.value + half, df=self.df, level=level)

    def as_part(self) -> "MeanSquare":
        """Its variance, to be added to others."""
        return MeanSquare(value=self.standard_error**2, weight=1.0, df=self.df)

    @property
    def p_value(self) -> float:
        """Two-sided, of the hypothesis that the value is 0; NaN where there is no interval."""
        if not (math.isfinite(self.standard_error) and math.isfinite(self.value)):
            return math.nan
        if self.standard_error == 0:
            return 1.0 if self.value == 0 else 0.0
        return 2 * float(t_cdf(-abs(self.value) / self.standard_error, self.df))

    def seeds_to_reach(self, half_width: float, level: float = LEVEL) -> int | None:
        """The least n at which t(n - 1) * seed_sd / sqrt(n) is no more than `half_width`.

        Returns:
            None if that takes more than 10,000 seeds, or nothing tells the standard deviation.
        """
        if not math.isfinite(self.seed_sd) or half_width <= 0:
            return None
        # The normal distribution tells how many it takes at least, and t needs a few more.
        normal = NormalDist().inv_cdf(0.5 + level / 2)
        least = (normal * self.seed_sd / half_width) ** 2
        for first in range(
            max(2, math.ceil(min(least, _MOST_SEEDS + 1))), _MOST_SEEDS + 1, _AT_ONCE
        ):
            seeds = np.arange(first, min(first + _AT_ONCE, _MOST_SEEDS + 1))
            t = t_quantile(0.5 + level / 2, seeds - 1)
            enough = t * self.seed_sd <= half_width * np.sqrt(seeds)
            if enough.any():
                return int(seeds[np.argmax(enough)])
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanSquare:
    """One independent part of a variance.

    Attributes:
        value: The mean square.
        weight: ``[...]``, how often the variance holds it.
        df: Degrees of freedom, at least 1.
    """

    value: float
    weight: npt.ArrayLike
    df: float


def satterthwaite(parts: Sequence[MeanSquare]) -> tuple[FloatArray, FloatArray]:
    """A variance made up of mean squares, and its approximate degrees of freedom.

    df = variance^2 / sum_k (weight_k value_k)^2 / df_k, after Satterthwaite (1946).

    Returns:
        Both ``[...]``, as the weights are.
    """
    held = [np.asarray(part.weight, dtype=np.float64) * part.value for part in parts]
    variance: FloatArray = np.sum(np.broadcast_arrays(*held), axis=0)
    spread = [share**2 / part.df for share, part in zip(held, parts, strict=True)]
    total = np.sum(np.broadcast_arrays(*spread), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.where(total > 0, variance**2 / total, max(part.df for part in parts))
    # Where one part is taken off another, the formula may give fewer than any of them has.
    return variance, np.maximum(df, min(part.df for part in parts))


def estimated(value: float, parts: Sequence[MeanSquare], *, n_seeds: int) -> Estimate:
    """A value with the standard error that its parts make.

    Args:
        parts: Mean squares of the *value*'s variance (already divided by S); none if nothing tells
            them.
    """
    if not parts:
        return Estimate(value=value, standard_error=math.nan, df=0, n_seeds=n_seeds)
    variance, df = satterthwaite(parts)
    return Estimate(
        value=value, standard_error=math.sqrt(float(variance)), df=float(df), n_seeds=n_seeds
    )
