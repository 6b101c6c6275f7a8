"""What there is to tell of a study is a function of how it stands, the same for all who look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records import Notification, Pulse, Totals
from storage.states import RunState
from study.deciding.news import IDLE_S, Standing, news_of, patience_s
from trainers.testing import promised

EVENTS = ["done", "failed", "stalled"]
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def a_pulse(**keys: Any) -> Pulse:
    given = {"change": 7, "held": 0, "alive": 0, "last": NOW, "trained": 5, "failed": ""}
    return Pulse(**{**given, "epoch_s": 2.0, **keys})


def a_standing(states: dict[str, int], **keys: Any) -> Standing:
    paid: dict[str, Any] = {"device_s": 50.0, "money": None, "epochs": 40, "trials": 4}
    totals = Totals(
        states={RunState(state): n for state, n in states.items() if n},
        **{name: keys.pop(name, value) for name, value in paid.items()},
    )
    known: dict[str, Any] = {"pulse": a_pulse(), "budget": {}, "begun": NOW, "now": NOW}
    return Standing(totals=totals, **{**known, **keys})


def keys_of(standing: Standing, on: list[str] | None = None, shares: tuple[int, ...] = ()) -> Any:
    return [news.key for news in news_of(standing, on=EVENTS if on is None else on, shares=shares)]


@pytest.mark.parametrize(
    ("states", "finished", "told"),
    [
        ({"done": 4}, True, ["done 5"]),
        ({"done": 4}, False, []),
        ({"done": 4}, None, []),
        ({"done": 4, "leased": 1}, True, []),
        ({"done": 4, "paused": 1}, True, []),
        ({}, True, []),
    ],
)
def test_it_is_done_when_no_search_wants_more_and_all_runs_have_ended(
    states: dict[str, int], finished: bool | None, told: list[str]
) -> None:
    assert keys_of(a_standing(states, finished=finished)) == told


def test_failures_are_told_once_and_when_there_are_ten_times_as_many() -> None:
    found = [
        keys_of(a_standing({"failed": n, "leased": 1}, pulse=a_pulse(failed="3.1", alive=1)))
        for n in (1, 2, 9, 10, 99, 100)
    ]
    assert found == [[f"failed 3.1 {n}"] for n in (1, 1, 1, 10, 10, 100)]
    again = a_standing({"failed": 1, "leased": 1}, pulse=a_pulse(failed="3.2", alive=1))
    assert keys_of(again) == ["failed 3.2 1"]


def test_without_anybody_at_work_it_stalls_after_ten_minutes() -> None:
    for after_s, told in [(IDLE_S - 1, []), (IDLE_S, ["stalled 7"])]:
        pulse = a_pulse(held=2, last=NOW - timedelta(seconds=after_s))
        assert keys_of(a_standing({"waiting": 2}, pulse=pulse)) == told
        assert keys_of(a_standing({"waiting": 2}, pulse=pulse, held_up=True)) == []
        assert keys_of(a_standing({"done": 2}, pulse=pulse)) == []
    never = a_standing({"waiting": 1}, pulse=a_pulse(last=None), begun=NOW - timedelta(hours=1))
    assert keys_of(never) == ["stalled 7"]


def test_with_workers_it_stalls_after_many_times_what_an_epoch_takes() -> None:
    pulse = a_pulse(alive=1, epoch_s=100.0)
    assert patience_s(pulse, 1800.0) == 1000.0
    assert patience_s(a_pulse(epoch_s=None), 1800.0) == 1800.0
    assert keys_of(a_standing({"leased": 1}, pulse=pulse, unchanged_s=999.0)) == []
    assert keys_of(a_standing({"leased": 1}, pulse=pulse, unchanged_s=1000.0)) == ["stalled 7"]


def event_of(key: str) -> str:
    """What a message with this key says that it is about."""
    return Notification(
        id=1,
        key=key,
        message="{}",
        created=NOW,
        attempted=None,
        delivered=None,
        attempts=0,
        error="",
        final=False,
    ).event


def test_each_share_of_each_limit_is_told_and_again_when_the_limit_is_raised() -> None:
    def told(**budget: float | None) -> Any:
        return keys_of(a_standing({"leased": 1}, budget=budget), on=[], shares=(50, 80))

    assert told(epochs=50, device_s=1000.0, money=None, wall_s=1.0) == [
        "budget 50% epochs 50",
        "budget 80% epochs 50",
    ]
    assert told(epochs=80) == ["budget 50% epochs 80"]
    assert told(epochs=81, trials=5) == ["budget 50% trials 5", "budget 80% trials 5"]
    assert [event_of(key) for key in told(epochs=80)] == ["budget 50%"]


counts = st.integers(min_value=0, max_value=300)
standings = st.builds(
    lambda states, finished, alive, unchanged_s, limit, failed: a_standing(
        states,
        finished=finished,
        pulse=a_pulse(alive=alive, failed=f"{failed}.1" if states.get("failed") else ""),
        unchanged_s=unchanged_s,
        budget={"epochs": limit},
    ),
    st.dictionaries(st.sampled_from([*RunState]), counts, max_size=7),
    st.sampled_from([True, False, None]),
    counts,
    st.floats(0, 1e5),
    st.integers(1, 400),
    counts,
)


@promised
@given(standings, st.lists(st.sampled_from(EVENTS), unique=True), st.sets(st.integers(1, 100)))
def test_only_what_is_asked_for_is_told_each_once(
    standing: Standing, on: list[str], shares: set[int]
) -> None:
    found = news_of(standing, on=on, shares=sorted(shares))
    assert len({news.key for news in found}) == len(found)
    assert {news.event for news in found} <= {*on, *(f"budget {n}%" for n in shares)}
    assert all(event_of(news.key) == news.event and len(news.key) <= 200 for news in found)
    assert found == news_of(standing, on=on, shares=sorted(shares))


@promised
@given(standings)
def test_what_is_open_is_not_done_and_what_is_over_does_not_stall(standing: Standing) -> None:
    told = {news.event for news in news_of(standing, on=EVENTS, shares=())}
    assert not {"done", "stalled"} <= told
    assert not (standing.open_runs and "done" in told)
    assert ("failed" in told) == bool(standing.totals.states.get(RunState.FAILED))
