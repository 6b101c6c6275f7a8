"""Optuna's door for training: an objective is called with a trial that reports to the study.

No Optuna study is there: the point is fixed, and what the objective suggests is looked up in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from trainers.errors import BadReport, BadSuggestion, NotOfATrial
from trainers.functions import Report, RunStopped

_SUPPORTED = (
    *("suggest_float", "suggest_int", "suggest_categorical", "report", "should_prune"),
    *("set_user_attr", "user_attrs", "params"),
)


class ReportingTrial:
    """A trial at a fixed point; intermediate values go to the study as they come.

    Attributes:
        params: What has been suggested so far.
        user_attrs: The run's ``seed``, the ``folder`` for its own files, and what the objective
            sets.
    """

    def __init__(
        self, params: Mapping[str, Any], report: Report, user_attrs: Mapping[str, Any]
    ) -> None:
        self._given, self._report = params, report
        self._pruned = False
        self.params: dict[str, Any] = {}
        self.user_attrs = dict(user_attrs)

    def __getattr__(self, name: str) -> Any:
        """Refuse what only a trial in a study of Optuna has.

        Raises:
            NotOfATrial: Always.
        """
        raise NotOfATrial(
            f"An objective trains here without a study of Optuna. `trial.{name}` is not there; "
            f"there are {', '.join(_SUPPORTED)}. Take one of these: user_attrs has the run's "
            "`seed`, and `folder` for its own files."
        )

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """The trial's value of a parameter."""
        return float(self._suggested(name, FloatDistribution(low, high, log=log, step=step)))

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """The trial's value of a parameter, a whole number."""
        return int(self._suggested(name, IntDistribution(low, high, log=log, step=step)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """The one of the choices that the trial has.

        Raises:
            BadSuggestion: It has none of them.
        """
        value = self._value(name)
        # a list there may be a tuple here
        found = [choice for choice in choices if _plain(choice) == _plain(value)]
        if not found:
            raise _outside(name, value, f"the choices {list(choices)}")
        self.params[name] = found[0]
        return found[0]

    def report(self, value: float, step: int) -> None:  # noqa: ARG002 - reports are counted
        """Say what has come of a step; whether to go on is then said by `should_prune`.

        Raises:
            NotOfATrial: The study has several objectives.
            RunStopped: The study has ended the run, and the objective goes on all the same.
        """
        if len(self._report.metrics) > 1:
            raise NotOfATrial(
                "`trial.report` takes one number, and this study has several objectives: "
                f"{', '.join(self._report.metrics)}. Drop it, and return a number for each."
            )
        if self._pruned:
            raise RunStopped("This run has ended, as `should_prune` has said.")
        try:
            self._report(self._report.step + 1, {self._report.metric: value})
        except RunStopped:
            self._pruned = True

    def should_prune(self) -> bool:
        """Whether the study ends the run here."""
        return self._pruned

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keep a value with the trial; it is not stored."""
        self.user_attrs[key] = value

    def _value(self, name: str) -> Any:
        if name not in self._given:
            raise BadSuggestion(
                "What an objective suggests stands in a stage or in `hyper` of a [[search]]. Got "
                f"`{name}`; this trial has {', '.join(self._given) or 'nothing'} (a parameter "
                "with `when` is there where its conditions are met only). Add it to the study, or "
                "do not ask for it."
            )
        return self._given[name]

    def _suggested(self, name: str, asked: FloatDistribution | IntDistribution) -> Any:
        value = self._value(name)
        if not _holds(asked, value):
            steps = f" in steps of {asked.step}" if asked.step and asked.step != 1 else ""
            raise _outside(name, value, f"{asked.low} to {asked.high}{steps}")
        self.params[name] = value
        return value


def _outside(name: str, value: Any, has: str) -> BadSuggestion:
    return BadSuggestion(
        "The study's values lie within what the objective suggests from. Got "
        f"{name} = {value!r}, and the objective has {has}. Change the stage of the study, or the "
        "objective."
    )


def _holds(asked: BaseDistribution, value: Any) -> bool:
    try:
        return not isinstance(value, bool) and asked._contains(asked.to_internal_repr(value))
    except (TypeError, ValueError):
        return False  # a text where a number is asked for


def call(
    function: Callable[..., Any],
    params: Mapping[str, Any],
    seed: int,
    folder: Path,
    report: Report,
) -> None:
    """Call ``objective(trial)``; what it returns is its last report.

    Raises:
        RunStopped: The study has ended the run.
        BadReport: It returns something else than one number.
    """
    trial = ReportingTrial(params, report, {"seed": seed, "folder": str(folder)})
    try:
        value = function(trial)
    except optuna.TrialPruned:
        if trial.should_prune():
            raise RunStopped("The objective was pruned.") from None
        if not report.step:
            raise BadReport(
                "An objective that prunes itself has reported a value before. This one has not. "
                "Call `trial.report(value, step)` before it raises TrialPruned, or return a number."
            ) from None
        return  # by a rule of its own: what it has reported stands
    if trial.should_prune():
        raise RunStopped("The objective was pruned.")
    if len(report.metrics) > 1:
        _tell_all(value, report)
        return
    if isinstance(value, tuple | list):
        raise BadReport(
            f"An objective returns one number here. Got {len(value)} of them: {value!r}. Return "
            f"{report.metric!r}, which trials are ranked by, or name all of them: `metric = "
            '["loss", "size"]` in [function].'
        )
    if value is None and not report.step:
        raise BadReport(
            "An objective returns one number. Got None, and nothing was reported. Return "
            f"{report.metric!r}, which trials are ranked by."
        )
    if value is not None and (not report.step or not _same(value, report.value)):
        report.tell(report.step + 1, {report.metric: value})


def _tell_all(value: Any, report: Report) -> None:
    """Report what an objective of several returns, which is all that Optuna lets it say."""
    if value is None:
        raise BadReport(
            f"An objective returns {', '.join(report.metrics)}, which trials are ranked by. Got "
            "None. Return a number for each, in this order."
        )
    report.tell(report.step + 1, report.named(value))


def _plain(value: Any) -> Any:
    """A value that equals another one if both say the same; true is not 1."""
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return (isinstance(value, bool), value)


def _same(one: Any, other: float) -> bool:
    if isinstance(one, str | bytes):
        return False
    try:
        number = float(one)
    except (TypeError, ValueError):
        return False  # said when it is reported
    return number == other or (math.isnan(number) and math.isnan(other))
