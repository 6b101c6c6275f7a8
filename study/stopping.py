"""Stopping rules: who of a round's trials goes on at a rung, as pure functions of their values.

A rule looks at whole rounds only, so that no order in which runs end can change what it says.
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
    """

    kind: Kind
    rungs: tuple[int, ...]
    keep: float = 0.5

    @property
    def by_task(self) -> bool:
        """Whether it compares task by task, which needs no single-task baseline."""
        return self.kind == "worse-than-cohort"

    def after(self, epoch: int) -> int | None:
        """The next rung after an epoch; None if there is none any more."""
        return next((rung for rung in self.rungs if rung > epoch), None)

    def to_plain(self) -> dict[str, object]:
        """JSON-ready values as in a spec."""
        keep = {"keep": self.keep} if self.kind == "halving" else {}
        return {"rule": self.kind, "rungs": list(self.rungs), **keep}

    def __str__(self) -> str:
        return f"{self.kind} at {', '.join(map(str, self.rungs))}"


def pruned(rule: StopRule, values: Values) -> frozenset[int]:
    """Trials that end here; never the best one, and none that is as good as one that is kept."""
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
    n_kept = math.ceil(Fraction(str(keep)) * len(ranked))  # exact: 0.29 of 100 are 29
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
