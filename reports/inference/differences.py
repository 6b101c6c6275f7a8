"""The difference between two methods over seeds: paired, pooled or of different seeds (M12).

Shapes: S seeds, the same for both methods unless said otherwise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reports.inference.components import Components, variance_parts
from reports.inference.estimates import Estimate, MeanSquare, estimated

# Fisher's interval of a correlation has a width from here on.
_FEWEST_SEEDS: Final = 4
_Z: Final = 1.959963984540054


def paired(a: npt.ArrayLike, b: npt.ArrayLike, *, more: Sequence[MeanSquare] = ()) -> Estimate:
    """Mean of the differences seed by seed, with t(S - 1).

    Args:
        a: ``[S]``, values of one method.
        b: ``[S]``, of the other one.
        more: What its variance has besides that from seed to seed, such as `mixing_parts`.
    """
    with np.errstate(invalid="ignore"):  # of two infinite ones
        gaps = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return _mean(gaps, more)


def pooled(value: float, a: tuple[Components, float], b: tuple[Components, float]) -> Estimate:
    """A difference with the standard error that both methods' layouts tell together.

    Few seeds say little about how much they differ; many trials under them say more.

    Args:
        value: The difference of the two winners' values.
        a: Layout of one method, with its `mixed_share`.
        b: Those of the other one, over the same seeds.
    """
    return estimated(value, variance_parts(a, b), n_seeds=a[0].n_seeds)


def unpaired(a: Estimate, b: Estimate) -> Estimate:
    """Difference of two values that have no seeds in common, after Welch."""
    parts = [one.as_part() for one in (a, b) if math.isfinite(one.standard_error)]
    n_seeds = min(a.n_seeds, b.n_seeds)
    return estimated(a.value - b.value, parts if len(parts) == 2 else [], n_seeds=n_seeds)


def mean_of(values: npt.ArrayLike) -> Estimate:
    """Mean of values ``[S]`` of independent seeds, with t(S - 1)."""
    return _mean(np.asarray(values, dtype=np.float64), ())


def _mean(values: npt.NDArray[np.float64], more: Sequence[MeanSquare]) -> Estimate:
    n_seeds = len(values)
    with np.errstate(invalid="ignore"):  # of both infinities
        value = float(np.mean(values)) if n_seeds else math.nan
    if n_seeds < 2 or not np.isfinite(values).all():
        return estimated(value, [], n_seeds=n_seeds)
    spread = MeanSquare(value=float(np.var(values, ddof=1)), weight=1 / n_seeds, df=n_seeds - 1)
    return estimated(value, [spread, *more], n_seeds=n_seeds)


def share_better(a: npt.ArrayLike, b: npt.ArrayLike, *, sign: float) -> float:
    """Mann-Whitney share: P(a value of A is better than one of B), ties counting one half.

    Args:
        a: ``[n]``, values of A.
        b: ``[m]``, values of B.
        sign: +1 if lower is better, else -1.

    Returns:
        NaN if one of both has no values.
    """
    mine = sign * np.asarray(a, np.float64)[:, None]
    theirs = sign * np.asarray(b, np.float64)[None, :]
    if not mine.size or not theirs.size:
        return math.nan
    return float(np.mean((mine < theirs) + 0.5 * (mine == theirs)))  # infinite ones are a tie


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What it buys to train two methods on the same seeds.

    Attributes:
        correlation: Of the two methods' values, seed by seed.
        low: Lower end of its 95 % interval, after Fisher.
        high: Upper end.
        seeds_saved: How many more seeds each method would need for the same standard error if the
            seeds of both were different ones; negative if pairing has cost some.
    """

    correlation: float
    low: float
    high: float
    seeds_saved: float


def pairing(a: npt.ArrayLike, b: npt.ArrayLike) -> Pairing | None:
    """The correlation over paired seeds, and what it saves.

    Args:
        a: ``[S]``, values of one method.
        b: ``[S]``, of the other one.

    Returns:
        None with fewer than four seeds, which tell no correlation, and where values do not vary.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    n_seeds = len(one)
    if n_seeds < _FEWEST_SEEDS or not (np.isfinite(one) & np.isfinite(other)).all():
        return None
    apart = float(np.var(one, ddof=1) + np.var(other, ddof=1))
    together = float(np.var(one - other, ddof=1))
    if min(float(np.var(one)), float(np.var(other)), together) <= 0:
        return None
    correlation = float(np.corrcoef(one, other)[0, 1])
    at, reach = math.atanh(min(max(correlation, -1 + 1e-12), 1 - 1e-12)), _Z / (n_seeds - 3) ** 0.5
    return Pairing(
        correlation=correlation,
        low=math.tanh(at - reach),
        high=math.tanh(at + reach),
        seeds_saved=n_seeds * (apart / together - 1),
    )
