"""Reports of runs made storable; one that cannot be is the failure of its run, and of no other."""

from __future__ import annotations

import math
from dataclasses import replace

from storage.records import Ending, EpochRecord, Report
from storage.schema.tables import series
from storage.schema.texts import storable_name
from storage.states import RunState

BAD_REPORT = "BadReport"
_MOST_EPOCHS = 2**31 - 1
_TASK, _METRIC = series.c.task.type.most, series.c.metric.type.most  # type: ignore[attr-defined]


def storable_report(report: Report) -> Report:
    """The report with names as they are stored, or the end of its run."""
    if not isinstance(report, EpochRecord):
        return report
    wrong = _wrong(report)
    if wrong:
        return Ending(
            run=report.run,
            token=report.token,
            state=RunState.FAILED,
            epoch=0,
            spent=report.spent,
            reason=f"A report has numbers that a database holds. Got {wrong}.",
            failure=BAD_REPORT,
            failure_key=BAD_REPORT,
        )
    values = [
        (split, storable_name(task, _TASK), storable_name(metric, _METRIC), value)
        for split, task, metric, value in report.values
    ]
    return replace(report, values=values)


def _wrong(report: EpochRecord) -> str:
    if not 1 <= report.epoch <= _MOST_EPOCHS:
        return f"an epoch outside 1 to {_MOST_EPOCHS}"
    return next(
        (
            f"{value} for {split} {metric} of task {task}"
            for split, task, metric, value in report.values
            if math.isnan(value)
        ),
        "",
    )
