"""How methods stand over several studies: mean ranks, mean values, performance profiles.

The unit is the problem: studies of one problem, such as of a small and a large network, count as
one between them. Shapes: K methods, N problems.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from reports._digits import finite
from reports.across.methods import Method
from reports.inference import Estimate, Interval, mean_of
from reports.inference.ranks import critical_difference, problems_to_tell, ranks
from reports.measures import FloatArray

# Fewer values have no middle half that differs from all of them (M12).
IQM_FROM: Final = 8

Strata = Mapping[str, Sequence[str]]
"""Problem to the labels of its studies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One method over all studies that count, in each of which it has a final value.

    Attributes:
        mean_rank: Mean over problems of its rank among the methods that are ranked; 1 is best.
        estimate: Its mean value over problems.
        interval: Of `estimate`, from problem to problem; None with one problem.
        iqm: Mean of the middle half of its values, one a study and seed; NaN below eight.
        gaps: Label of a study to how far it is from the best method there, at least 0.
        weights: Label of a study to what it counts; each problem's sum to one over their number.
        near: Share of problems in which it is within the margin of the best; NaN without a margin.
    """

    method: Method
    mean_rank: float
    estimate: Estimate
    interval: Interval | None
    iqm: float
    gaps: Mapping[str, float]
    weights: Mapping[str, float]
    near: float

    def share_within(self, most: float) -> float:
        """Share of problems in which it is at most so much worse than the best (its profile)."""
        return math.fsum(self.weights[label] for label, gap in self.gaps.items() if gap <= most)

    @property
    def best(self) -> float:
        """Share of problems in which it is the best."""
        return self.share_within(0.0)

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: None where there is no number."""
        return {
            "method": self.method.key,
            "title": self.method.title,
            "mean_rank": self.mean_rank,
            "mean": finite(self.estimate.value),
            "diverged": math.isinf(self.estimate.value),
            "low": self.interval and self.interval.low,
            "high": self.interval and self.interval.high,
            "iqm": finite(self.iqm),
            "gaps": {label: finite(gap) for label, gap in self.gaps.items()},
            "best_share": self.best,
            "near_share": finite(self.near),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The mean ranks together, and what they can tell.

    Attributes:
        standings: Best mean rank first.
        n_problems: N.
        critical: How far apart two mean ranks must lie to be told apart (Nemenyi, 5 %).
    """

    standings: tuple[Standing, ...]
    n_problems: int
    critical: float

    @property
    def widest(self) -> int:
        """How far apart mean ranks can lie at most: K - 1."""
        return len(self.standings) - 1

    @property
    def range(self) -> float:
        """How far apart the first and the last are."""
        return self.standings[-1].mean_rank - self.standings[0].mean_rank

    @property
    def apart(self) -> tuple[tuple[Standing, Standing], ...]:
        """Pairs whose mean ranks are told apart, the better one first."""
        return tuple(
            (one, other)
            for at, one in enumerate(self.standings)
            for other in self.standings[at + 1 :]
            if other.mean_rank - one.mean_rank >= self.critical - 1e-9
        )

    @property
    def problems_to_tell(self) -> int | None:
        """About how many problems tell the first from the last, if ranks stay what they are."""
        return problems_to_tell(self.range, len(self.standings))

    @property
    def fewest_problems(self) -> int | None:
        """About how many problems can tell anything at all."""
        return problems_to_tell(self.widest, len(self.standings))

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return {
            "n_problems": self.n_problems,
            "critical_difference": None if math.isinf(self.critical) else self.critical,
            "widest": self.widest,
            "apart": [[one.method.key, other.method.key] for one, other in self.apart],
            "problems_to_tell": self.problems_to_tell,
            "standings": [standing.to_plain() for standing in self.standings],
        }


def ranking_of(
    methods: Sequence[Method], strata: Strata, *, sign: float, margin: float | None
) -> Ranking | None:
    """Rank methods that have a final value in every study.

    Args:
        sign: +1 if lower is better, else -1.
        margin: Least difference that matters; None where there is none.

    Returns:
        None with fewer than two methods or studies.
    """
    labels = [label for found in strata.values() for label in found]
    if len(methods) < 2 or len(labels) < 2:
        return None
    values = np.array([[m.results[label].row.value_test for m in methods] for label in labels])
    gaps = _gaps(sign * values)
    weights = {
        label: 1 / (len(strata) * len(found)) for found in strata.values() for label in found
    }
    by_rank = over_problems(ranks(values, sign=sign), labels, strata)
    standings = [
        Standing(
            method=method,
            mean_rank=float(by_rank[:, at].mean()),
            estimate=(found := mean_of(over_problems(values, labels, strata)[:, at])),
            interval=found.interval(),
            iqm=interquartile_mean(
                [value for label in labels for value in method.results[label].by_seed.values()]
            ),
            gaps=dict(zip(labels, gaps[:, at].tolist(), strict=True)),
            weights=weights,
            near=math.nan,
        )
        for at, method in enumerate(methods)
    ]
    if margin is not None:
        standings = [replace(one, near=one.share_within(margin)) for one in standings]
    standings.sort(key=lambda one: (one.mean_rank, sign * one.estimate.value, one.method.key))
    return Ranking(
        standings=tuple(standings),
        n_problems=len(strata),
        critical=critical_difference(len(methods), len(strata)),
    )


def over_problems(values: FloatArray, labels: Sequence[str], strata: Strata) -> FloatArray:
    """Means over the studies of each problem: ``[studies, K]`` to ``[N, K]``."""
    rows = {label: at for at, label in enumerate(labels)}
    with np.errstate(invalid="ignore"):  # of both infinities
        means = [values[[rows[label] for label in found]].mean(axis=0) for found in strata.values()]
    return np.array(means, dtype=np.float64)


def interquartile_mean(values: Sequence[float]) -> float:
    """Mean without the lowest and the highest quarter, rounded down; NaN below eight values."""
    if len(values) < IQM_FROM:
        return math.nan
    cut = len(values) // 4
    return float(np.mean(np.sort(np.asarray(values, dtype=np.float64))[cut : len(values) - cut]))


def _gaps(keys: FloatArray) -> FloatArray:
    """How far each key is from the lowest of its row; infinite where it or all of them diverged."""
    lowest = keys.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        gaps = keys - lowest
    return np.where(np.isnan(gaps), np.inf, gaps)
