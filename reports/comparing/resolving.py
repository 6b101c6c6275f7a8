"""How many seeds and trials tell a difference of some size, by a pilot (MEASURES M10, M16)."""

import math
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import median
from typing import Any, Final

import numpy as np

from reports._digits import finite
from reports._ranking import objective_of
from reports._titles import title_of
from reports.comparing.differences import Difference, difference
from reports.comparing.scores import PAIRED_FROM
from reports.errors import NoPilot
from reports.frames import StudyFrames
from reports.inference import Estimate
from reports.spending import costs_to_match
from storage.objectives import Objective

_DRAWS: Final = 100_000
_SPREAD_SEED: Final = 0
_ENDS: Final = (0.025, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """Seeds from which on a difference is known well enough; None: more than 10,000.

    Attributes:
        low: By the lower end of the 95 % interval of the standard deviation from seed to seed.
        high: By its upper end.
    """

    value: int | None
    low: int | None
    high: int | None

    @property
    def said(self) -> str:
        """``7 (4 to 20)``."""
        return f"{_said(self.value)} ({_said(self.low)} to {_said(self.high)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairNeeds:
    """What it takes to tell two methods apart.

    Attributes:
        a: Title of one method.
        b: Title of the other one.
        difference: As the pilot has found it.
        seeds: So many tell it to the half-width asked for, one comparison at 95 %.
    """

    a: str
    b: str
    difference: Difference
    seeds: Seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialNeeds:
    """What it takes one search to come near what all its trials came to.

    Attributes:
        trials: From so many on, its expected value stays within the half-width asked for.
        of: Trials that were tried.
    """

    search: str
    title: str
    trials: float
    of: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What it takes to resolve a difference, by a pilot.

    Attributes:
        pilot: Name of its study.
        half_width: What is to be resolved, in the unit of `objective`.
        objective: Of the pilot's values.
        n_seeds: Of the pilot.
        pairs: Of all methods of the pilot, those that take the fewest seeds first.
        trials: By search.
    """

    pilot: str
    half_width: float
    objective: Objective
    n_seeds: int
    pairs: tuple[PairNeeds, ...]
    trials: tuple[TrialNeeds, ...]

    @property
    def typical(self) -> PairNeeds:
        """The pair in the middle; of two, the one that takes more."""
        return self.pairs[len(self.pairs) // 2]

    @property
    def hardest(self) -> PairNeeds:
        """The pair that takes the most seeds."""
        return self.pairs[-1]

    def half_width_at(self, n_seeds: int) -> float:
        """To what a difference is known with so many seeds, in the median of the pairs; 95 %."""
        return median(_half_width(pair.difference, n_seeds) for pair in self.pairs)

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold; a number of seeds that is above 10,000 becomes None."""
        return {
            "pilot": self.pilot,
            "half_width": self.half_width,
            "objective": self.objective.name,
            "unit": self.objective.unit,
            "pilot_seeds": self.n_seeds,
            "pilot_half_width": self.half_width_at(self.n_seeds),
            "seeds": _plain(self.typical.seeds),
            "seeds_of_hardest": _plain(self.hardest.seeds),
            "pairs": [
                {"a": pair.difference.a, "b": pair.difference.b, **_plain(pair.seeds)}
                for pair in self.pairs
            ],
            "trials": [
                {"search": one.search, "trials": finite(one.trials), "of": one.of}
                for one in self.trials
            ],
        }


def needs(pilot: StudyFrames, half_width: float) -> Needs:
    """What it takes to know a difference between two methods to plus and minus `half_width`.

    Args:
        half_width: In the unit of the pilot's objective; of delta_m, points.

    Raises:
        NoPilot: The study has no two methods with values that may be shown, or only one seed.
    """
    _refuse(pilot)
    pairs = []
    for a, b in combinations(pilot.searches, 2):
        found = difference(pilot, a, b)
        if found is not None and found.interval is not None:
            seeds = _seeds(found, half_width)
            titles = title_of(pilot, a), title_of(pilot, b)
            pairs.append(PairNeeds(a=titles[0], b=titles[1], difference=found, seeds=seeds))
    if not pairs:
        raise NoPilot(
            f"{pilot.name} tells no difference between two methods: fewer than two of them have a "
            "winner that has come to its end on all seeds. Run it on, or name another study with "
            "--like."
        )
    return Needs(
        pilot=pilot.name,
        half_width=half_width,
        objective=objective_of(pilot),
        n_seeds=pairs[0].difference.estimate.n_seeds,
        pairs=tuple(sorted(pairs, key=lambda pair: pair.difference.estimate.seed_sd)),
        trials=tuple(_trials(pilot, half_width)),
    )


def _refuse(pilot: StudyFrames) -> None:
    if pilot.of_function:
        raise NoPilot(
            f"{pilot.name} is a study of a training function: it compares no methods, whose "
            "differences could be resolved."
        )
    if pilot.sealed:
        raise NoPilot(
            f"{pilot.name} is sealed, and how test values differ from seed to seed is one of them. "
            "Name another study with --like, or `weighbridge unseal` it first."
        )
    if len(pilot.seeds) < 2:
        raise NoPilot(
            f"{pilot.name} has one seed, which does not tell how seeds differ. Run it on two or "
            "more, or name another study with --like."
        )


def _seeds(found: Difference, half_width: float) -> Seeds:
    """As many as the pilot has, where these are enough, or fewer; else those that t asks for."""
    sd, df = found.estimate.seed_sd, found.estimate.df
    # a standard deviation with df degrees of freedom lies so far from the true one
    squares = np.random.default_rng(_SPREAD_SEED).chisquare(df, _DRAWS) / df
    high, low = np.sqrt(1 / np.quantile(squares, _ENDS))
    asked, fewest, most = (
        _with_sd(found.estimate, sd * factor).seeds_to_reach(half_width)
        for factor in (1.0, float(low), float(high))
    )
    if found.resolution <= half_width:
        asked = min(asked or found.estimate.n_seeds, found.estimate.n_seeds)
    return Seeds(value=asked, low=_least(fewest, asked), high=most)


def _with_sd(estimate: Estimate, sd: float) -> Estimate:
    return replace(estimate, standard_error=sd / math.sqrt(estimate.n_seeds))


def _least(one: int | None, other: int | None) -> int | None:
    return min((of for of in (one, other) if of is not None), default=None)


def _half_width(found: Difference, n_seeds: int) -> float:
    """t(df) * sd / sqrt(n), on the basis that a comparison of so many seeds has.

    Degrees of freedom of a pooled basis grow as n - 1 does.
    """
    if n_seeds < 2:
        return math.inf
    by_seed, pilot = n_seeds - 1.0, found.estimate
    df = by_seed if n_seeds >= PAIRED_FROM else by_seed * pilot.df / (pilot.n_seeds - 1)
    error = pilot.seed_sd / math.sqrt(n_seeds)
    interval = replace(pilot, standard_error=error, df=max(by_seed, df)).interval()
    return math.inf if interval is None else interval.half_width


def _trials(pilot: StudyFrames, half_width: float) -> list[TrialNeeds]:
    """When each search comes near its own end, whose cost in runs is that of its trials."""
    n_seeds = len(pilot.seeds)
    return [
        TrialNeeds(
            search=search,
            title=of.title,
            trials=of.cost / n_seeds,
            of=of.reference_full / n_seeds,
        )
        for search in pilot.searches
        for of in costs_to_match(pilot, [search], search, margin=half_width, axis="runs")
    ]


def _said(n_seeds: int | None) -> str:
    return "more than 10,000" if n_seeds is None else f"{n_seeds:,}"


def _plain(seeds: Seeds) -> dict[str, int | None]:
    return {"seeds": seeds.value, "seeds_low": seeds.low, "seeds_high": seeds.high}
