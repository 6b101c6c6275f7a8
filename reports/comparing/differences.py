"""How far two methods are apart, how sure that is, and the word for it (MEASURES M12, M16)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from reports._digits import finite
from reports._ranking import objective_of
from reports._spread import baseline_parts
from reports.comparing.scores import Basis, Scores, gap, scores_of
from reports.comparing.winners import winner_of
from reports.frames import StudyFrames
from reports.inference import (
    Estimate,
    Interval,
    estimated,
    holm_levels,
    pairing,
    share_better,
    sign_flip_p,
)
from reports.inference.differences import Pairing
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M

Verdict = Literal["better", "worse", "comparable", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Test value of method A minus that of method B.

    Attributes:
        a: Search of A.
        b: Search of B; ``"stl"`` for the single-task networks.
        estimate: The difference and its standard error.
        interval: The one that the verdict goes by; adjusted after Holm where several methods are
            compared. None where nothing tells it, such as with one seed.
        basis: ``paired`` over common seeds, ``pooled`` over the best trials of both, or
            ``unpaired``.
        sign: +1 if lower is better, else -1.
        margin: Least difference that matters; None where the study names none.
        n_compared: Comparisons that the interval was adjusted for, itself included.
        p_better: Share of pairs of seeds in which A is better (Mann-Whitney).
        sign_flip_p: p-value that assumes no distribution; None where it cannot decide.
        pairing: What the common seeds buy; None where nothing tells it.
    """

    a: str
    b: str
    estimate: Estimate
    interval: Interval | None
    basis: Basis
    sign: float
    margin: float | None
    n_compared: int = 1
    p_better: float = math.nan
    sign_flip_p: float | None = None
    pairing: Pairing | None = None

    @property
    def value(self) -> float:
        """A minus B, in the objective's unit."""
        return self.estimate.value

    @property
    def verdict(self) -> Verdict:
        """The word for it: only what the whole interval says."""
        if self.interval is None:
            return "undecided"
        if self.interval.excludes(0.0):
            return "better" if self.sign * self.value < 0 else "worse"
        inside = self.margin is not None and self.interval.within(self.margin)
        return "comparable" if inside else "undecided"

    @property
    def matters(self) -> bool | None:
        """Whether it is beyond the margin; None while the interval has both sides of it."""
        if self.interval is None or self.margin is None:
            return None
        if self.interval.within(self.margin):
            return False
        beyond = self.interval.low > self.margin or self.interval.high < -self.margin
        return True if beyond else None

    @property
    def resolution(self) -> float:
        """Half the width of the interval; NaN where there is none."""
        return math.nan if self.interval is None else self.interval.half_width

    @property
    def seeds_to_decide(self) -> int | None:
        """Seeds that would decide it, if the difference stays what it is.

        None where it is decided, where nothing tells it, and where 10,000 are not enough.
        """
        if self.verdict != "undecided" or self.interval is None:
            return None
        # Decided is what excludes 0, or lies within the margin from end to end.
        apart = abs(self.value)
        reach = apart if self.margin is None else max(apart, self.margin - apart)
        return self.estimate.seeds_to_reach(reach, self.interval.level)

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold: numbers that are not finite become None."""
        known = self.interval
        return {
            "a": self.a,
            "b": self.b,
            "difference": finite(self.value),
            "low": known and known.low,
            "high": known and known.high,
            "level": known and known.level,
            "df": known and known.df,
            "standard_error": finite(self.estimate.standard_error),
            "basis": self.basis,
            "n_seeds": self.estimate.n_seeds,
            "n_compared": self.n_compared,
            "verdict": self.verdict,
            "margin": self.margin,
            "matters": self.matters,
            "resolution": finite(self.resolution),
            "seeds_to_decide": self.seeds_to_decide,
            "p_better": finite(self.p_better),
            "sign_flip_p": None if self.sign_flip_p is None else finite(self.sign_flip_p),
            "correlation": self.pairing and self.pairing.correlation,
            "correlation_low": self.pairing and self.pairing.low,
            "correlation_high": self.pairing and self.pairing.high,
            "seeds_saved": self.pairing and self.pairing.seeds_saved,
        }


def difference(frames: StudyFrames, a: str, b: str) -> Difference | None:
    """Compare two searches; None if one of them has no winner yet."""
    first, second = winner_of(frames, a), winner_of(frames, b)
    if first is None or second is None:
        return None
    return difference_of(
        frames, (a, scores_of(frames, a, first)), (b, scores_of(frames, b, second))
    )


def difference_of(frames: StudyFrames, a: tuple[str, Scores], b: tuple[str, Scores]) -> Difference:
    """Compare two values by the study's objective, each with what it is called."""
    (name, first), (other, second) = a, b
    estimate, basis = gap(first, second)
    seeds = [seed for seed in first.by_seed if seed in second.by_seed]
    common = [[side.by_seed[seed] for seed in seeds] for side in (first, second)]
    together = len(seeds) > 1
    gaps = [one - other for one, other in zip(*common, strict=True)]
    sign = objective_of(frames).sign
    values = ([*side.by_seed.values()] for side in (first, second))
    return Difference(
        a=name,
        b=other,
        estimate=estimate,
        interval=estimate.interval(),
        basis=basis,
        sign=sign,
        margin=margin_of(frames),
        p_better=share_better(*values, sign=sign),
        sign_flip_p=sign_flip_p(gaps) if together else None,
        pairing=pairing(*common) if together else None,
    )


def against_stl(
    frames: StudyFrames,
    search: str,
    *,
    stl: float,
    metrics: Mapping[tuple[str, str], float],
) -> Difference | None:
    """A method against the single-task networks, whose own seeds are in the interval.

    Args:
        stl: Value of the single-task networks by the objective.
        metrics: (task, metric) to the method's test value.

    Returns:
        None if one of both has no value yet.
    """
    winner = winner_of(frames, search)
    if winner is None or math.isnan(stl):
        return None
    objective = objective_of(frames)
    alone = scores_of(frames, search, winner).estimate
    own = replace(alone, value=alone.value - stl)
    estimate = with_baseline(frames, own, metrics, objective)
    return Difference(
        a=search,
        b="stl",
        estimate=estimate,
        interval=estimate.interval(),
        basis="unpaired",
        sign=objective.sign,
        margin=margin_of(frames),
    )


def with_baseline(
    frames: StudyFrames,
    estimate: Estimate,
    metrics: Mapping[tuple[str, str], float],
    objective: Objective,
) -> Estimate:
    """The estimate with the error that the baseline's seeds add; as it is where that is unknown."""
    known = math.isfinite(estimate.standard_error)  # not where a run diverged
    more = baseline_parts(frames, metrics, objective) if known else None
    if more is None:
        return estimate
    own = estimate.as_part()
    return estimated(estimate.value, [own, *more], n_seeds=estimate.n_seeds)


def adjusted(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """One family of comparisons: each interval at the level that Holm's method gives it."""
    levels = holm_levels([found.estimate.p_value for found in differences])
    return tuple(
        replace(found, interval=found.estimate.interval(level), n_compared=len(differences))
        for found, level in zip(differences, levels, strict=True)
    )


def margin_of(frames: StudyFrames) -> float | None:
    """Least difference that matters, in points of delta_m; None by another objective."""
    if objective_of(frames).name != DELTA_M:
        return None
    return float(frames.spec["compare"]["margin"])
