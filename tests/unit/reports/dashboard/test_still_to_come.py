"""What is said of a study's end goes by its state, and counts down by the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reports.dashboard.concluding.outlook import Basis, Ending, Outlook, Told
from reports.dashboard.following.standings import state_of
from reports.dashboard.pages.audit import shown
from reports.dashboard.rendering.words import ahead, clock
from reports.dashboard.showing.still_to_come import still_to_come, waits_for
from storage import RunState
from storage.records import StudyRecord, Totals, is_between_runs
from study.cli._dashboard import _told
from tests.unit.reports.dashboard.test_following import RECORD

NOW = datetime(2026, 1, 1, 22, 53, tzinfo=UTC)
LIMITED = replace(RECORD, spec={"budget": {"trials": 2, "epochs": 10}})
PAUSED = replace(LIMITED, paused_at=NOW)
PART = Totals(states={RunState.WAITING: 1}, device_s=1.0, money=None, epochs=3, trials=2)
ALL = replace(PART, epochs=10)


class Foretold(Outlook):
    """An outlook that knows what it has to say."""

    def __init__(self, said: Told | None) -> None:
        super().__init__(lambda _: ())
        self.said = said

    old = False

    def is_old(self, study: str, basis: Basis) -> bool:
        return self.old

    def latest(self, study: str, basis: Basis) -> Told | None:
        return self.said


@pytest.mark.parametrize(
    ("record", "totals", "state", "waits"),
    [
        (LIMITED, PART, "running", ""),
        (LIMITED, ALL, "running", ""),
        (
            LIMITED,
            PART,
            "waiting",
            "a driver to take it up: weighbridge run demo, unless one waits",
        ),
        (LIMITED, ALL, "waiting", "a higher limit: nothing is left of epochs"),
        (
            LIMITED,
            ALL,
            "no driver",
            "a driver to take it up: weighbridge run demo, unless one waits",
        ),
        (PAUSED, PART, "paused", "weighbridge resume demo"),
        (PAUSED, PART, "running", "weighbridge resume demo"),  # the last epochs end
        (PAUSED, ALL, "done", ""),
        (LIMITED, ALL, "failed", ""),
    ],
)
def test_an_end_is_told_only_of_a_study_at_work(
    record: StudyRecord, totals: Totals, state: str, waits: str
) -> None:
    left, end = ("Device time still to come", "9 s"), ("Expected end", Ending(at=NOW))
    assert waits_for(record, totals, state) == waits
    said = still_to_come(Foretold([left, end]), record, totals, state)
    if state in ("done", "failed"):
        assert said == ()
    else:
        assert said == ([("Waits for", waits), left] if waits else [left, end])


@pytest.mark.parametrize(
    ("states", "between", "said"),
    [
        ({RunState.WAITING: 1}, False, "waiting"),
        ({RunState.WAITING: 1}, True, "waiting"),  # a worker begins
        ({RunState.WAITING: 1, RunState.DONE: 1}, True, "running"),
        ({RunState.WAITING: 1, RunState.DONE: 1}, False, "waiting"),
        ({RunState.PAUSED: 1}, True, "running"),
        ({RunState.DONE: 1}, True, "done"),
        ({RunState.LEASED: 1}, False, "no driver"),
    ],
)
def test_a_study_runs_while_its_workers_get_their_next_runs(
    states: dict[RunState, int], between: bool, said: str
) -> None:
    assert state_of(LIMITED, states, held=False, between=between) == said


@pytest.mark.parametrize(
    ("seconds", "held", "between"),
    [(1, False, True), (-1, False, True), (60, False, False), (1, True, False)],
)
def test_the_next_runs_come_within_seconds(seconds: float, held: bool, between: bool) -> None:
    last = datetime.now(UTC) - timedelta(seconds=seconds)
    assert is_between_runs(last, held=held) is between
    assert not is_between_runs(None, held=held)


def test_what_is_not_known_yet_is_being_worked_out() -> None:
    said = still_to_come(Foretold(None), LIMITED, PART, "waiting")
    assert [text for _, text in said][1:] == ["being worked out"]


def test_what_was_said_while_nobody_worked_has_no_end_yet() -> None:
    left, outlook = ("Device time still to come", "9 s"), Foretold([])
    outlook.said, outlook.old = [left], True
    said = still_to_come(outlook, LIMITED, PART, "running")
    assert said == [left, ("Expected end", "being worked out")]
    outlook.old = False  # nothing tells it
    assert still_to_come(outlook, LIMITED, PART, "running") == [left]


def test_an_end_is_a_moment_that_comes_nearer() -> None:
    amounts = {"value": 90.0, "low": 60.0, "high": 90_000.0}
    found = {"device_s_left": amounts, "money_left": None, "wall_s_left": amounts, "searches": []}
    (_, left), (_, end) = _told(found, now=NOW)
    assert left == "1 min 30 s (1 min 00 s to 25 h 00 min)"
    assert isinstance(end, Ending)
    waited = [NOW + timedelta(seconds=passed) for passed in (0, 60, 89, 300)]
    said = [ahead(end.at, now) for now in waited]
    assert said == ["in 90 s", "in 30 s", "any moment now", "any moment now"]
    assert end.low is not None
    assert end.high is not None
    assert (clock(end.low, NOW), clock(end.high, NOW)) == ("22:54", "2026-01-02 23:53")


def test_what_was_done_is_written_as_forms_write_it() -> None:
    values = {"epochs": 20_000, "money": 12.5, "paused": True, "search": "EW", "device_s": None}
    assert shown(values) == "epochs 20,000, money 12.5, paused true, search EW, device_s null"
