"""What pages say of what a study takes yet: by its state now, and by a forecast while it holds."""

from __future__ import annotations

from typing import Final

from reports.dashboard.concluding.outlook import Ending, Outlook, Told, basis_of
from reports.dashboard.following.standings import NO_DRIVER
from storage.records import StudyRecord, Totals, limits_of_study

WAITS: Final = "Waits for"
_OVER: Final = ("done", "failed")
_PLANNED: Final = "trials"
"""Nothing is left of these as soon as the last ones are planned, long before they are trained."""


def is_at_work(record: StudyRecord, state: str) -> bool:
    """Whether runs are trained and others will follow."""
    return state == "running" and not record.paused


def is_open(state: str) -> bool:
    """Whether runs are left, and more may be planned than there are."""
    return state not in _OVER


def waits_for(record: StudyRecord, totals: Totals, state: str) -> str:
    """What has to happen before more runs are trained; empty if they are, or if none is left."""
    if state in _OVER or is_at_work(record, state):
        return ""
    if record.paused:
        return f"weighbridge resume {record.name}"
    used = [
        one.kind
        for one in limits_of_study(record.spec, totals.used)
        if one.left == 0 and one.kind != _PLANNED and state != NO_DRIVER
    ]
    if used:
        return f"a higher limit: nothing is left of {' and '.join(used)}"
    return f"a driver to take it up: weighbridge run {record.name}, unless one waits"


def still_to_come(outlook: Outlook, record: StudyRecord, totals: Totals | None, state: str) -> Told:
    """What is told of a study on its page, no end among it unless it is at work."""
    if state in _OVER:
        return ()
    if totals is None:
        return [("Still to come", "the study is being read")]
    basis = basis_of(record, totals)
    known = outlook.latest(record.name, basis)
    told = [("Still to come", "being worked out")] if known is None else known
    if not (waits := waits_for(record, totals, state)):
        ends = any(isinstance(much, Ending) for _, much in told)
        if ends or known is None or not outlook.is_old(record.name, basis):
            return told
        # of before somebody was at work: nobody could tell when it ends
        return [*told, ("Expected end", "being worked out")]
    return [(WAITS, waits), *(one for one in told if not isinstance(one[1], Ending))]
