"""Stopping rules: who of a round's trials goes on at a rung, as pure functions of their values.

A rule looks at whole rounds, so that no order in which runs end can change what it says; unless it
is asynchronous, and looks at those of a round that have been at the rung so far (see `pruned`).
Values are lower-is-better throughout; trials that are equal are treated alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Literal, get_args

Kind = Literal["median", "halving", "worse-than-cohort"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Values = Mapping[int, Sequence[float]]
"""Trial -> its values at a rung: one by which trials are ranked, or one a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When trials of a stage are looked at, and which of them are pruned then.

    Attributes:
        rungs: Epochs after which a round is judged, rising.
        keep: Share of a round that `halving` keeps at each rung.
        asynchronous: Whether a trial is judged as soon as all its seeds stand at a rung, instead
            of when its whole round does. Who is pruned then depends on who was faster.
    """

    kind: Kind
    rungs: tuple[int, ...]
    keep: float = 0.5
    asynchronous: bool = False

    @property
    def by_task(self) -> bool:
        """Whether it compares task by task, which needs no single-task baseline."""
        return self.kind == "worse-than-cohort"

    @property
    def fewest(self) -> int:
        """How many trials must have been at a rung before one is pruned there.

        Below that many the rule has nothing to say: of fewer than 1/keep trials the best share
        is less than one trial, and the median of one trial is the trial.
        """
        if not self.asynchronous:
            return 1
        return math.ceil(1 / _exact(self.keep)) if self.kind == "halving" else 2

    def after(self, epoch: int) -> int | None:
        """The next rung after an epoch; None if there is none any more."""
        return next((rung for rung in self.rungs if rung > epoch), None)

    def to_plain(self) -> dict[str, object]:
        """JSON-ready values as in a spec."""
        keep = {"keep": self.keep} if self.kind == "halving" else {}
        when = {"asynchronous": True} if self.asynchronous else {}
        return {"rule": self.kind, "rungs": list(self.rungs), **keep, **when}

    def __str__(self) -> str:
        when = ", asynchronous" if self.asynchronous else ""
        return f"{self.kind} at {', '.join(map(str, self.rungs))}{when}"


def pruned(rule: StopRule, values: Values) -> frozenset[int]:
    """Trials that end here; never the best one, and none that is as good as one that is kept.

    An asynchronous rule is given the trials of a round that have been at the rung so far, those
    it has pruned there included, and its word counts for those that stand there unjudged. This is
    ASHA (Li et al. 2020) with its promotions turned into stops: a trial ends if it is not in the
    best share of those seen so far, itself included, and goes on at once otherwise; no verdict is
    looked at again, where ASHA promotes a trial later as others fall behind it. With fewer than
    `rule.fewest` seen so far every trial goes on.
    """
    if len(values) < rule.fewest:
        return frozenset()
    if rule.kind == "halving":
        return beyond_share(values, rule.keep)
    return worse_than_median(values)


def beyond_share(values: Values, keep: float) -> frozenset[int]:
    """All but the best share, rounded up, by the first value.

    Successive halving (Jamieson and Talwalkar 2016) with ties kept: at 1/2 of five trials three
    stay, or more if others equal the third.
    """
    if not values:
        return frozenset()
    ranked = sorted(of_trial[0] for of_trial in values.values())
    n_kept = math.ceil(_exact(keep) * len(ranked))
    worst_kept = ranked[n_kept - 1]
    return frozenset(trial for trial, of_trial in values.items() if of_trial[0] > worst_kept)


def worse_than_median(values: Values) -> frozenset[int]:
    """Trials that are worse than the median of all trials in every one of their values.

    With one value a trial this is the median rule on a whole round (Golovin et al. 2017, without
    their running averages); of an even number the median is the mean of the middle two.
    """
    medians = [median(column) for column in zip(*values.values(), strict=True)]
    return frozenset(
        trial
        for trial, of_trial in values.items()
        if all(value > middle for value, middle in zip(of_trial, medians, strict=True))
    )


def _exact(share: float) -> Fraction:
    """A share as it is written: 0.29 of 100 are 29, not a little more."""
    return Fraction(str(share))
