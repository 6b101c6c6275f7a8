"""What studies take yet is asked for once a change, in the background, and shown while it holds."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

from reports.dashboard.concluding.outlook import Basis, Outlook, Told, basis_of
from storage import RunState
from storage.records import Totals
from tests.unit.reports.dashboard.test_following import RECORD

FIRST = Basis(("1 epoch",), 0, (1,))


def told(outlook: Outlook, study: str, basis: Basis = FIRST) -> Told:
    """What is said once something is."""
    while (said := outlook.latest(study, basis)) is None:
        time.sleep(0.001)
    return said


def test_it_is_asked_once_a_change_and_nobody_waits() -> None:
    asked: list[str] = []

    def ahead(study: str) -> Told:
        asked.append(study)
        return [("Still to come", f"{len(asked)} s")]

    outlook, later = Outlook(ahead), replace(FIRST, progress=(2,))
    assert outlook.latest("a", FIRST) is None
    assert told(outlook, "a") == [("Still to come", "1 s")]
    assert outlook.latest("a", FIRST) == [("Still to come", "1 s")]
    assert outlook.latest("a", later) == [
        ("Still to come", "1 s")
    ]  # until something newer is known
    while outlook.latest("a", later) != [("Still to come", "2 s")]:
        time.sleep(0.001)
    assert asked == ["a", "a"]
    assert (outlook.number("a"), outlook.number("b")) == (2, 0)
    outlook.end()


def test_who_looks_while_it_is_being_asked_does_not_ask_again() -> None:
    began, answer, asked = threading.Semaphore(0), threading.Semaphore(0), []

    def ahead(study: str) -> Told:
        asked.append(study)
        began.release()
        answer.acquire()
        return [("Still to come", f"{len(asked)} s")]

    outlook = Outlook(ahead)
    assert outlook.latest("a", FIRST) is None
    assert began.acquire(timeout=30)
    assert outlook.latest("a", FIRST) is None
    answer.release(2)
    assert told(outlook, "a") == [("Still to come", "1 s")]
    told(outlook, "b")  # after whatever else was wanted
    assert asked == ["a", "b"]
    outlook.end()


def test_what_an_order_has_made_wrong_is_not_shown_and_asked_again_at_once() -> None:
    answers, asked = threading.Semaphore(1), threading.Semaphore(0)

    def ahead(study: str) -> Told:
        asked.release()
        answers.acquire()
        return [("Still to come", "0 s")]

    outlook = Outlook(ahead)
    told(outlook, "a")
    outlook._rest_until_s = float("inf")  # a fifth of the time was used up for ever
    raised = replace(FIRST, orders=("2 epochs",), finished=3)
    assert outlook.latest("a", raised) is None
    assert asked.acquire(timeout=30)
    assert asked.acquire(timeout=30)
    assert outlook.latest("a", raised) is None  # as long as the answer takes
    answers.release()
    told(outlook, "a", raised)
    assert outlook.latest("a", replace(raised, finished=4)) is not None
    assert outlook.latest("a", replace(raised, finished=2)) is None  # some are tried again
    answers.release()
    outlook.end()


def test_a_forecast_goes_by_limits_orders_and_how_runs_stand() -> None:
    totals = Totals(states={RunState.DONE: 2}, device_s=1.0, money=None, epochs=3, trials=2)
    before = basis_of(RECORD, totals)
    assert before == basis_of(RECORD, replace(totals, device_s=1.1))
    more = basis_of(RECORD, replace(totals, states={RunState.DONE: 3}))
    assert more != before
    assert more.upholds(before)
    for new in (
        replace(RECORD, spec={"budget": {"epochs": 9}}),
        replace(RECORD, raised={"": {"epochs": 9}}),
        replace(RECORD, orders=1),
        replace(RECORD, stops=1),
        replace(RECORD, paused_at=datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        assert not basis_of(new, totals).upholds(before)


def test_who_cannot_tell_ends_no_thread() -> None:
    def ahead(study: str) -> Told:
        if study == "bad":
            raise RuntimeError("no plan")
        return []

    outlook = Outlook(ahead)
    assert told(outlook, "bad") == [("Still to come", "cannot be told: RuntimeError('no plan')")]
    assert told(outlook, "good") == []
    outlook.end()
