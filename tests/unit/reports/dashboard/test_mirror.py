"""The mirror: whatever pages of changes say, in whatever order, it holds what is true at last."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.dashboard.following.mirror import STATES, Mirror
from reports.dashboard.following.trial_rows import TRIAL_STATES, TrialRows, page_of
from storage import RunState
from storage.records import AttemptChange, Changes, RunChange

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUN = RunChange(
    run=1,
    search="ew",
    role="search",
    trial=0,
    params='{"lr":0.1}',
    seed=0,
    state=RunState.WAITING,
    planned=True,
    epochs=0,
    new_epochs=False,
    epoch_selected=None,
    value_val=None,
    value_test=None,
    reason="",
)
ATTEMPT = AttemptChange(
    attempt=1,
    run=1,
    kind="run",
    state="running",
    failure=None,
    started=NOON,
    ended=None,
    epochs=0,
    device_s=0.0,
    money=None,
)


def a_run(number: int, **changes: object) -> RunChange:
    return replace(RUN, run=number, trial=number // 3, seed=number % 3, **changes)  # type: ignore[arg-type]


runs = st.builds(
    lambda number, state, epochs, value: a_run(
        number,
        state=state,
        epochs=epochs,
        value_val=value if state is RunState.DONE else None,
        value_test=value if state is RunState.DONE else None,
    ),
    st.integers(0, 8),
    st.sampled_from(RunState),
    st.integers(0, 5),
    st.floats(-10, 10),
)
attempts = st.builds(
    lambda number, run, device_s: replace(
        ATTEMPT, attempt=100 * run + number, run=run, device_s=device_s
    ),
    st.integers(0, 2),
    st.integers(0, 8),
    st.integers(0, 50).map(float),
)
pages = st.lists(
    st.tuples(st.lists(runs, max_size=4), st.lists(attempts, max_size=4)), min_size=1, max_size=6
)


@given(pages)
def test_it_holds_the_last_word_on_each_run_and_attempt(
    told: list[tuple[list[RunChange], list[AttemptChange]]],
) -> None:
    mirror, last, paid = Mirror(), {}, {}
    for number, (some, tried) in enumerate(told):
        known = {run.run for run in some} | last.keys()
        of_known = [one for one in tried if one.run in known]
        mirror.apply(Changes(cursor=str(number), runs=some, attempts=of_known))
        last |= {run.run: run for run in some}
        paid |= {one.attempt: one for one in of_known}
    assert len(mirror) == len(last)
    for run in last.values():
        row = mirror.row_of(run.run)
        assert row is not None
        assert STATES[mirror.column("state")[row]] is run.state
        assert mirror.column("epochs")[row] == run.epochs
        mine = [one.device_s for one in paid.values() if one.run == run.run]
        assert mirror.column("device_s")[row] == sum(mine)
        assert mirror.column("attempts")[row] == len(mine)


@given(pages)
def test_trials_are_the_same_whether_they_were_followed_or_summed_up_once(
    told: list[tuple[list[RunChange], list[AttemptChange]]],
) -> None:
    mirror = Mirror()
    rows = TrialRows(mirror)
    for number, (some, tried) in enumerate(told):
        anew = number == 3  # of another study: fewer trials, perhaps
        mirror.apply(Changes(cursor=str(number), anew=anew, runs=some, attempts=tried))
        followed, once = asdict(rows.latest()), asdict(TrialRows(mirror).latest())
        for name, values in once.items():
            np.testing.assert_array_equal(followed[name], values, err_msg=name)


def test_a_beginning_anew_forgets_all() -> None:
    mirror = Mirror()
    mirror.apply(Changes(cursor="a", runs=[a_run(1), a_run(2)], attempts=[ATTEMPT]))
    mirror.apply(Changes(cursor="b", anew=True, runs=[a_run(7)]))
    assert mirror.column("run").tolist() == [7]
    assert mirror.column("device_s").tolist() == [0.0]


def test_it_has_room_for_more_runs_than_it_began_with() -> None:
    mirror = Mirror()
    for start in range(0, 5000, 1000):
        mirror.apply(Changes(cursor=str(start), runs=[a_run(start + k) for k in range(1000)]))
    assert mirror.column("run").tolist() == list(range(5000))


def test_a_workers_start_is_no_runs() -> None:
    mirror = Mirror()
    start = replace(ATTEMPT, attempt=9, run=None, device_s=2.0)
    mirror.apply(Changes(cursor="a", runs=[a_run(1)], attempts=[start]))
    assert mirror.idle_s == 2.0
    assert mirror.column("device_s").tolist() == [0.0]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("waiting", "waiting"), "waiting"),
        (("leased", "waiting"), "running"),
        (("done", "waiting"), "running"),
        (("paused", "paused"), "running"),
        (("done", "done"), "done"),
        (("pruned", "pruned"), "pruned"),
        (("done", "diverged"), "diverged"),
        (("diverged", "failed"), "failed"),
    ],
)
def test_a_trial_is_what_its_seeds_are(states: tuple[str, str], expected: str) -> None:
    mirror = Mirror()
    told = [a_run(k, state=RunState(state)) for k, state in enumerate(states)]
    mirror.apply(Changes(cursor="a", runs=[replace(run, trial=0) for run in told]))
    assert TRIAL_STATES[TrialRows(mirror).latest().state[0]] == expected


def test_a_trial_has_a_value_once_all_its_seeds_have() -> None:
    mirror = Mirror()
    done = {"state": RunState.DONE, "value_test": 1.0}
    mirror.apply(Changes(cursor="a", runs=[a_run(0, value_val=1.0, **done), a_run(1)]))
    assert math.isnan(TrialRows(mirror).latest().value[0])
    mirror.apply(Changes(cursor="b", runs=[a_run(1, value_val=4.0, **done)]))
    assert TrialRows(mirror).latest().value[0] == 2.5


def test_runs_on_fresh_seeds_cost_and_choose_nothing() -> None:
    mirror = Mirror()
    done = {"state": RunState.DONE, "value_test": 1.0}
    fresh = replace(a_run(1, value_val=9.0, **done), role="confirm")
    paid = [replace(ATTEMPT, attempt=k, run=k, device_s=1.0) for k in (0, 1)]
    mirror.apply(Changes(cursor="a", runs=[a_run(0, value_val=1.0, **done), fresh], attempts=paid))
    columns = TrialRows(mirror).latest()
    assert (columns.value[0], columns.runs[0], columns.device_s[0]) == (1.0, 1, 2.0)


values = st.one_of(st.none(), st.integers(-3, 3).map(float))


@given(
    st.lists(values, min_size=1, max_size=30),
    st.sampled_from(["number", "search", "state", "value", "epochs", "device_s"]),
    st.booleans(),
    st.integers(1, 7),
)
def test_pages_tell_every_trial_once_in_order(
    told: list[float | None], sort: str, descending: bool, n: int
) -> None:
    mirror = Mirror()
    state = {None: RunState.WAITING}
    mirror.apply(
        Changes(
            cursor="a",
            runs=[
                replace(
                    RUN,
                    run=k,
                    trial=k,
                    state=state.get(v, RunState.DONE),
                    value_val=v,
                    value_test=v,
                )
                for k, v in enumerate(told)
            ],
        )
    )
    columns = TrialRows(mirror).latest()
    key = getattr(columns, sort).astype(float)
    keep = np.arange(len(told)) % 5 != 4
    seen: list[int] = []
    after: int | None = None
    while True:
        page = page_of(columns, keep=keep, key=key, descending=descending, after=after, n=n)
        assert page.matching == keep.sum()
        seen += page.rows.tolist()
        if (after := page.following) is None:
            break
    assert sorted(seen) == np.flatnonzero(keep).tolist()
    told_keys = key[seen]
    known = told_keys[~np.isnan(told_keys)]
    assert np.isnan(told_keys[len(known) :]).all()
    assert (np.diff(known) <= 0).all() if descending else (np.diff(known) >= 0).all()


@given(st.permutations(range(6)))
def test_a_trial_is_found_by_search_and_number_in_whatever_order_it_came(order: list[int]) -> None:
    runs = [replace(RUN, run=at + 1, search=("ew", "uw")[at % 2], trial=at // 2) for at in order]
    mirror = Mirror()
    mirror.apply(Changes(cursor="1", runs=runs))
    for search in ("ew", "uw"):
        for number in range(3):
            place = mirror.trials.place_of(search, number)
            assert place is not None
            assert (mirror.trials[place].search, mirror.trials[place].number) == (search, number)
    assert mirror.trials.place_of("ew", 3) is None
    assert mirror.trials.place_of("nix", 0) is None
