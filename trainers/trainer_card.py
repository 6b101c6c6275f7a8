"""What a trainer says about itself, in plain values: its parameters, its metrics, its objectives.

No torch, and no data is touched. Cards check everything when they are made; `BadCard` names the
card, the field and the way out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainers._card_checks import Fields
from trainers.cards import LOSS, MetricCard
from trainers.errors import BadCard, BadParameter
from trainers.suggestions import did_you_mean, shown

TEST = "test_"
"""How names begin under which a trainer reports a metric on test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterCard:
    """One parameter of a trainer: what it is unless the study says so, and what it may be.

    Attributes:
        name: Key in a stage or in `hyper` of a [[search]].
        choices: All values there are; empty for a number.
        low: Least value of a number; None for no limit.
        high: Largest value of a number; None for no limit.
        integer: A number is whole.

    Raises:
        BadCard: A field breaks a rule, or the default is none of the values.
    """

    name: str
    title: str
    default: Any
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        fields = Fields("ParameterCard", self.name)
        if not fields.name("name", self.name).isidentifier():
            raise fields.bad("name", "must be one word", self.name, "Write `min_area`.")
        fields.text("title", self.title)
        if self.choices and (self.low is not None or self.high is not None or self.integer):
            raise fields.bad(
                "choices", "exclude limits of a number", self.choices, "Drop one of them."
            )
        try:
            self.checked(self.default)
        except BadParameter as error:
            raise BadCard(f"ParameterCard `{self.name}`: as its default, {error}") from error

    def checked(self, value: object) -> Any:
        """The value as a trainer is given it: numbers that are not whole are floats.

        Raises:
            BadParameter: It is none of the values there are.
        """
        if self.choices:
            for choice in self.choices:
                if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                    return choice
            raise self._bad(f"one of {self.allowed}", value)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise self._bad("a whole number" if self.integer else "a number", value)
        if self.integer and value != int(value):
            raise self._bad("a whole number", value)
        if not self._least <= value <= self._most:
            raise self._bad(f"one of the {self.allowed}", value)
        return int(value) if self.integer else float(value)

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if self.choices:
            return ", ".join(map(shown, self.choices))
        kind = "whole numbers" if self.integer else "numbers"
        if self.low is None and self.high is None:
            return kind
        if self.low is None:
            return f"{kind} up to {self.high:g}"
        return f"{kind} from {self.low:g}" + ("" if self.high is None else f" to {self.high:g}")

    @property
    def _least(self) -> float:
        return -math.inf if self.low is None else self.low

    @property
    def _most(self) -> float:
        return math.inf if self.high is None else self.high

    def _bad(self, rule: str, value: object) -> BadParameter:
        return BadParameter(f"`{self.name}` must be {rule}. Got {shown(value)}. Change it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveCard:
    """What trials of a trainer can be ranked by: one of its metrics, on validation.

    Attributes:
        name: As `objective` of a study names it.
        metric: Name of the metric.
        uses_truth: Its value needs what is hidden from training, so that it can be reported, and
            select only in a study that says `oracle = true`.
        title: What people read for the name; empty: the name.

    Raises:
        BadCard: A field breaks a rule.
    """

    name: str
    metric: str
    uses_truth: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        fields = Fields("ObjectiveCard", self.name)
        fields.name("name", self.name)
        fields.name("metric", self.metric)
        fields.flag("uses_truth", self.uses_truth)
        fields.text("title", self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerCard:
    """A trainer as `plan`, the reports and a worker need it.

    Attributes:
        source: Where the way of training comes from: a paper, or the author.
        task_title: What it solves, as tables call it.
        metrics: All that it may report, on validation and, with ``test_`` before the name, on test;
            beside them ``loss``.
        objectives: What trials can be ranked by; the first is the default.
        parameters: All that a study may search or fix.
        select_epoch: Which epoch of a run counts unless the study says it: ``best`` on validation,
            or ``last`` if a run's last report is what it delivers.

    Raises:
        BadCard: A field breaks a rule, or an objective names no metric of the card.
    """

    name: str
    title: str
    source: str
    task_title: str
    metrics: tuple[MetricCard, ...]
    objectives: tuple[ObjectiveCard, ...]
    parameters: tuple[ParameterCard, ...] = ()
    select_epoch: str = "best"

    def __post_init__(self) -> None:
        fields = Fields("TrainerCard", self.name)
        if self.select_epoch not in ("best", "last"):
            raise fields.bad(
                "select_epoch", "must be best or last", self.select_epoch, "Say one of them."
            )
        fields.name("name", self.name)
        for field in ("title", "source", "task_title"):
            fields.text(field, getattr(self, field))
        metrics = fields.cards("metrics", self.metrics, MetricCard)
        if self.parameters:
            fields.cards("parameters", self.parameters, ParameterCard)
        for metric in metrics:
            if metric.name == LOSS or metric.name.startswith(TEST):
                raise fields.bad(
                    "metrics",
                    f"must not call a metric `{LOSS}`, which may be reported anyway, nor "
                    f"`{TEST}...`, which says of a metric that it is on test",
                    metric.name,
                    "Drop or rename it.",
                )
        for objective in fields.cards("objectives", self.objectives, ObjectiveCard):
            self._check(objective, fields)

    def _check(self, objective: ObjectiveCard, fields: Fields) -> None:
        metric = next((one for one in self.metrics if one.name == objective.metric), None)
        if metric is None:
            names = [one.name for one in self.metrics]
            raise fields.bad(
                "objectives",
                f"must be made of the card's metrics: {', '.join(names)}",
                objective.metric,
                f"Name one of them.{did_you_mean(objective.metric, names)}",
            )
        if metric.uses_truth and not objective.uses_truth:
            raise fields.bad(
                "objectives",
                f"must say `uses_truth=True` where their metric does, as `{metric.name}`",
                objective.name,
                "Say it.",
            )

    @property
    def reported(self) -> frozenset[str]:
        """All names that it may report."""
        names = {LOSS, *(metric.name for metric in self.metrics)}
        return frozenset(names | {f"{TEST}{name}" for name in names})

    @property
    def defaults(self) -> dict[str, Any]:
        """Each parameter's value where a study says none."""
        return {one.name: one.checked(one.default) for one in self.parameters}

    def filled(self, given: Mapping[str, object]) -> dict[str, Any]:
        """All parameters: those that are given, checked, and the others' defaults.

        Raises:
            BadParameter: There is no such parameter, or it has no such value.
        """
        known = {one.name: one for one in self.parameters}
        for name in given:
            if name not in known:
                raise BadParameter(
                    f"Trainer {self.name} has no parameter {shown(name)}."
                    f"{did_you_mean(name, known)} It has {', '.join(known) or 'none'}."
                )
        checked = {name: known[name].checked(value) for name, value in given.items()}
        return {**self.defaults, **checked}
