"""What a study takes yet: epochs times pace, between ends, within budgets."""

from __future__ import annotations

from typing import Any

import pytest

from storage.records import SearchStatus, Unfinished
from study.deciding.forecast import Forecast, Range, forecast, search_forecast
from study.deciding.outlook import Coming, Outlook
from study.deciding.pace import Pace
from study.spec.budget import BudgetSpec

EPOCHS = 10
SURE = Pace(epoch_s=2.0, source="own", packs=1e9, pack_epochs=10.0, spread=0.0, df=5)
AHEAD = Outlook(
    stage=0,
    coming=[Coming(runs=2, epochs=20.0, together=2, least_epochs=0.0, most_epochs=40.0)],
)


def status(name: str = "ew", *, epochs_paid: int = 30, device_s: float = 60.0) -> SearchStatus:
    """Three runs have ended, one waits with four epochs trained."""
    return SearchStatus(
        search=name,
        states={},
        epochs_done=epochs_paid,
        unfinished=[Unfinished(until_epoch=EPOCHS, runs=1, epochs_done=4)],
        epochs_paid=epochs_paid,
        device_s=device_s,
        money=None,
    )


def whole(*paces: Pace | None, price_per_h: float | None = None, **budget: Any) -> Forecast:
    searches = [
        search_forecast(status(str(number)), AHEAD, pace, epochs=EPOCHS, budget=BudgetSpec())
        for number, pace in enumerate(paces)
    ]
    return forecast(
        searches,
        paid_s=100.0,
        beside=0.5,
        budget=BudgetSpec(**budget),
        epochs_paid=30,
        price_per_h=price_per_h,
    )


def test_ends_come_from_the_fewest_and_the_most_epochs() -> None:
    found = search_forecast(status(), AHEAD, SURE, epochs=EPOCHS, budget=BudgetSpec())
    assert (found.runs_left, found.epochs_left) == (3, 26)
    assert found.left_s == Range(value=52.0, low=12.0, high=92.0)


def test_ends_of_searches_add_up_and_workers_starts_come_on_top() -> None:
    found = whole(SURE, SURE)
    assert found.left_s == Range(value=2 * 52 * 1.5, low=2 * 12 * 1.5, high=2 * 92 * 1.5)
    assert found.wall_s(2) == Range(value=78.0, low=18.0, high=138.0)
    assert found.money_left is None
    assert whole(SURE, price_per_h=3600.0).money_left == whole(SURE).left_s


def test_without_a_pace_there_is_no_whole() -> None:
    found = whole(SURE, None)
    assert (found.left_s, found.untimed) == (None, ("1",))


def test_what_was_timed_once_has_no_ends() -> None:
    once = Pace(epoch_s=2.0, source="calibration", packs=1.0, pack_epochs=1.0)
    assert whole(SURE, once).left_s == Range(value=2 * 52 * 1.5)


@pytest.mark.parametrize(
    ("budget", "left_s"),
    [
        ({"device_s": 150}, Range(value=50.0, low=18.0, high=50.0)),
        ({"device_s": 50}, Range(value=0.0, low=0.0, high=0.0)),
        ({"money": 0.15}, Range(value=50.0, low=18.0, high=50.0)),
        ({"epochs": 43}, Range(value=39.0, low=9.0, high=69.0)),
        ({"device_s": 1_000_000}, Range(value=78.0, low=18.0, high=138.0)),
    ],
)
def test_a_budget_cuts_it_off(budget: dict[str, float], left_s: Range) -> None:
    found = whole(SURE, price_per_h=3.6, **budget)
    assert found.left_s == left_s
    assert found.limited is (left_s.value < 78)


def test_a_budget_of_the_search_does_so_too() -> None:
    for budget, value in ((BudgetSpec(epochs=35), 10.0), (BudgetSpec(device_s=70), 10.0)):
        found = search_forecast(status(), AHEAD, SURE, epochs=EPOCHS, budget=budget)
        assert found.left_s is not None
        assert found.left_s.value == value
