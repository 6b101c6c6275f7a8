"""Stopping rules: who of a round's trials goes on at a rung, as pure functions of their values.

A rule looks at whole rounds, so that no order in which runs end can change what it says; unless it
is asynchronous, and looks at those of a round that have been at the rung so far (see `pruned`).
Values are lower-is-better throughout; trials that are equal are treated alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import median
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from study.spec._findings import shown_value
from study.spec._section import (
    Different,
    Finite,
    Flag,
    Positive,
    PositiveInt,
    WrittenSection,
    kind_by,
)
from study.spec.optuna_part import OptunaName, OptunaPart

RungValues = Mapping[int, Sequence[float]]
"""Trial -> its values at a rung: one by which trials are ranked, or one a task."""

_RULE = "Which trials are pruned."
_ASYNCHRONOUS = (
    "With `median` and `halving`: judge a trial as soon as all its seeds stand at a rung, instead "
    "of when its whole round does. Who is pruned then depends on who was faster."
)


class OptunaPruner(OptunaPart):
    """A pruner of Optuna by name; all other keys are its options, such as n_startup_trials."""

    optuna: OptunaName = Field(
        description="Name of a class of `optuna.pruners`, such as `MedianPruner`."
    )


class _Rule(WrittenSection):
    """When trials of a stage are looked at, and which of them are pruned then."""

    rule: object
    rungs: list[PositiveInt] = Field(
        min_length=1, description="Epochs after which a round is judged, rising, such as `[5, 10]`."
    )
    asynchronous: bool

    by_task: ClassVar[bool] = False
    """Whether it compares task by task, which needs no single-task baseline."""

    @field_validator("rungs")
    @classmethod
    def _rise(cls, value: list[int]) -> list[int]:
        if value != sorted(set(value)):
            raise ValueError(f"must rise. Got {shown_value(value)}. Sort them, each once.")
        return value

    @property
    def by(self) -> str:
        """Who prunes, as it stands in the reason of a pruned run."""
        return f"the rule {self.rule}"

    @property
    def fewest(self) -> int:
        """How many trials must have been at a rung before one is pruned there.

        Below that many the rule has nothing to say: of fewer than 1/keep trials the best share
        is less than one trial, and the median of one trial is the trial.
        """
        return 2 if self.asynchronous else 1

    def after(self, epoch: int) -> int | None:
        """The next rung after an epoch; None if there is none any more."""
        return next((rung for rung in self.rungs if rung > epoch), None)

    def to_plain(self) -> dict[str, object]:
        """JSON-ready values, alike for rules that are."""
        return {key: value for key, value in self if value is not False}

    def __str__(self) -> str:
        when = ", asynchronous" if self.asynchronous else ""
        return f"{self.rule} at {', '.join(map(str, self.rungs))}{when}"


class MedianRule(_Rule):
    """Prunes trials that are worse than the median of their round."""

    rule: Literal["median"] = Field(description=_RULE)
    asynchronous: Flag = Field(False, description=_ASYNCHRONOUS)


class HalvingRule(_Rule):
    """Prunes all but the best share of a round."""

    rule: Literal["halving"] = Field(description=_RULE)
    keep: Annotated[Positive, Field(lt=1)] = Field(
        0.5, description="Share of a round that `halving` keeps at each rung, rounded up."
    )
    asynchronous: Flag = Field(False, description=_ASYNCHRONOUS)

    @property
    def fewest(self) -> int:
        """As many as there are for each one that is kept: 3, too, for a third written as 0.333."""
        return round(1 / _exact(self.keep)) if self.asynchronous else 1


class CohortRule(_Rule):
    """Prunes trials that are worse than the median of their round in every task."""

    rule: Literal["worse-than-cohort"] = Field(description=_RULE)
    asynchronous: Literal[False] = Field(False, description=_ASYNCHRONOUS)

    by_task: ClassVar[bool] = True


class PatienceRule(_Rule):
    """Ends each run that has not become better for some epochs: early stopping."""

    rule: Literal["patience"] = Field(description="Which runs end, as done.")
    patience: PositiveInt = Field(
        description="Epochs without a better value on validation after which `patience` ends a "
        "run, at the next rung."
    )
    asynchronous: Literal[False] = Field(False, description=_ASYNCHRONOUS)

    def ends(self, curve: Sequence[float], *, lower: bool) -> bool:
        """Whether a run ends that has these values ``[E]``: the best is too many epochs ago.

        Args:
            lower: Whether lower is better.
        """
        best = min(curve) if lower else max(curve)
        return len(curve) - 1 - curve.index(best) >= self.patience


class OptunaRule(_Rule):
    """Prunes trials of a round, in the order of their numbers, as a pruner of Optuna says."""

    rule: OptunaPruner = Field(description=_RULE)
    asynchronous: Literal[False] = Field(False, description=_ASYNCHRONOUS)

    @property
    def by(self) -> str:
        """Who prunes, as it stands in the reason of a pruned run."""
        return f"Optuna's {self.rule}"

    def to_plain(self) -> dict[str, object]:
        """JSON-ready values, alike for rules that are."""
        return self.model_dump(mode="json")


class PopulationRule(_Rule):
    """Puts children of the best trials in the place of the worst: population-based training."""

    rule: Literal["pbt"] = Field(description="Which trials go on with others' networks.")
    quantile_fraction: Annotated[Positive, Field(le=0.5)] = Field(
        0.25,
        description="With `pbt`: share of the population that is replaced at each rung, and of "
        "those it is replaced by children of, rounded up.",
    )
    resample_probability: Annotated[Finite, Field(ge=0, le=1)] = Field(
        0.25, description="With `pbt`: how likely a parameter of a child is drawn anew."
    )
    perturbation_factors: Annotated[Different[Positive], Field(min_length=1)] = Field(
        [0.8, 1.2],
        description="With `pbt`: by one of which a number is multiplied that is not drawn anew.",
    )
    asynchronous: Literal[False] = Field(False, description=_ASYNCHRONOUS)

    def n_replaced(self, n: int, lost: int = 0) -> int:
        """How many of a population get a child in their place.

        As in Ray Tune, a quantile is rounded up, but never more than half; those that are lost have
        one in any case.

        Args:
            n: Trials of the population at a rung, the lost ones included.
            lost: Of them, that have diverged.
        """
        return 0 if lost == n else max(self.quantile(n), lost)

    def quantile(self, n: int) -> int:
        """How many of a population are its best, and as many its worst."""
        return min(math.ceil(_exact(self.quantile_fraction) * n), n // 2)


_KINDS = ("median", "halving", "worse-than-cohort", "patience", "pbt")


def _tag(value: object) -> str | None:
    """Which of the rules it is, by a name or a table."""
    if not isinstance(value, Mapping | _Rule):
        return "<median>"  # it says that this is no table
    rule = value.rule if isinstance(value, _Rule) else value.get("rule")
    if isinstance(rule, Mapping | OptunaPruner):
        return "<optuna>"
    return f"<{rule}>" if isinstance(rule, str) and rule in _KINDS else None


BaselineRule = Annotated[
    Annotated[MedianRule, Tag("<median>")]
    | Annotated[HalvingRule, Tag("<halving>")]
    | Annotated[PatienceRule, Tag("<patience>")],
    kind_by("rule", "median", "halving", "patience"),
]
"""By a task's own primary metric, so that there is no cohort of tasks."""
StopRule = Annotated[
    Annotated[MedianRule, Tag("<median>")]
    | Annotated[HalvingRule, Tag("<halving>")]
    | Annotated[CohortRule, Tag("<worse-than-cohort>")]
    | Annotated[PatienceRule, Tag("<patience>")]
    | Annotated[PopulationRule, Tag("<pbt>")]
    | Annotated[OptunaRule, Tag("<optuna>")],
    Discriminator(
        _tag,
        custom_error_type="unknown_kind",
        custom_error_message=f"rule must be one of {', '.join(_KINDS)}, or a table that names a "
        'pruner of Optuna, optuna = "MedianPruner"',
    ),
]
RoundRule = MedianRule | HalvingRule | CohortRule
"""A rule that looks at a round alone, whose values say all."""


def too_late(rules: Mapping[str, StopRule | None], epochs: int) -> str:
    """Why a rule has a rung that lies behind all training; empty if none has.

    Args:
        rules: By the words for their place in the spec.
        epochs: Of a run that no rule ends.
    """
    for place, rule in rules.items():
        if rule is not None and rule.rungs[-1] >= epochs:
            return (
                f"`stop.rungs` of {place} must lie below the {epochs} `epochs` of [training]. Got "
                f"{rule.rungs[-1]}. Drop it: after the last epoch there is nothing to stop."
            )
    return ""


def pruned(rule: RoundRule, values: RungValues) -> frozenset[int]:
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
    if isinstance(rule, HalvingRule):
        return beyond_share(values, rule.keep)
    return worse_than_median(values)


def beyond_share(values: RungValues, keep: float) -> frozenset[int]:
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


def worse_than_median(values: RungValues) -> frozenset[int]:
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
