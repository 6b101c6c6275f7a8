"""Optuna's door for training: an objective is called with a trial that reports to the study.

No Optuna study is there: the point is fixed, and what the objective suggests is looked up in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FixedTrial

from trainers.functions import Report, Stopped


class ReportingTrial(FixedTrial):
    """A trial at a fixed point; intermediate values go to the study as they come.

    `user_attrs` has the run's ``seed``, and the ``folder`` for its own files.
    """

    def __init__(self, params: Mapping[str, Any], report: Report) -> None:
        super().__init__(dict(params))
        self._weighbridge_report = report
        self._n_reports, self._pruned = 0, False

    @property
    def to_be_pruned(self) -> bool:
        """Whether the study has ended the run."""
        return self._pruned

    def report(self, value: float, step: int) -> None:  # noqa: ARG002 - reports are counted
        """Say what has come of a step; whether to go on is then said by `should_prune`.

        Raises:
            Stopped: The study has ended the run, and the objective goes on all the same.
        """
        if self._pruned:
            raise Stopped("This run has ended, as `should_prune` has said.")
        self._n_reports += 1
        try:
            self._weighbridge_report(
                self._n_reports, {self._weighbridge_report.metric: float(value)}
            )
        except Stopped:
            self._pruned = True

    def should_prune(self) -> bool:
        """Whether the study ends the run here."""
        return self._pruned


def call(
    function: Callable[..., Any],
    params: Mapping[str, Any],
    seed: int,
    folder: Path,
    report: Report,
) -> None:
    """Call ``objective(trial)``; what it returns is its last report.

    Raises:
        Stopped: The study has ended the run.
    """
    trial = ReportingTrial(params, report)
    trial.set_user_attr("seed", seed)
    trial.set_user_attr("folder", str(folder))
    try:
        value = function(trial)
    except optuna.TrialPruned:
        if trial.to_be_pruned:
            raise Stopped("The objective was pruned.") from None
        return  # by a rule of its own: what it has reported stands
    if trial.to_be_pruned:
        raise Stopped("The objective was pruned.")
    if value is not None and (not report.step or not _same(value, report.value)):
        report.tell(report.step + 1, {report.metric: value})


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
