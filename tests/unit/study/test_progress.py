"""How far a study is, and how long it will take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import RunState
from storage.objectives import known
from storage.records import BestTrial, SearchStatus, Unfinished
from study.deciding.outlook import Coming, Outlook
from study.deciding.progress import (
    Progress,
    Rate,
    SearchProgress,
    WorkerCounts,
    at_size,
    epoch_seconds,
    least,
    search_progress,
)
from study.spec.budget import BudgetSpec

EPOCHS = 10
TIMES = {1: 10.0, 2: 5.5, 8: 2.125}  # 9 / size + 1
DONE, WAITING = RunState.DONE, RunState.WAITING


def status(
    search: str, *, done: int = 0, waiting: int = 0, under_way: int = 0, epoch_s: float = 1.0
) -> SearchStatus:
    """Runs of ten epochs; `under_way` epochs of those that wait are trained."""
    epochs = EPOCHS * done + under_way
    return SearchStatus(
        search=search,
        states={DONE: done, WAITING: waiting},
        epochs_done=epochs,
        unfinished=[Unfinished(until_epoch=EPOCHS, runs=waiting, epochs_done=under_way)],
        epochs_paid=epochs,
        device_s=epoch_s * epochs,
        money=None,
    )


def progress(
    of: SearchStatus,
    ahead: Outlook | None = None,
    *,
    epoch_s: float | None = 1.0,
    best: BestTrial | None = None,
    budget: BudgetSpec | None = None,
) -> SearchProgress:
    return search_progress(
        of,
        ahead or Outlook(stage=0),
        n_stages=1,
        objective=known([("a", "mae", "min")])["delta_m"],
        epochs=EPOCHS,
        budget=budget or BudgetSpec(),
        best=best,
        epoch_s=epoch_s,
    )


def whole(*searches: SearchProgress) -> Progress:
    return Progress(states={}, searches=searches, workers=WorkerCounts(runs={}), paid_s=0.0)


class TestCounting:
    def test_epochs_of_packs_under_way_count(self) -> None:
        found = progress(status("a", waiting=4, under_way=10))
        assert (found.runs_done, found.epochs_done, found.epochs_expected) == (0, 10, 40)
        assert whole(found).share == 0.25

    def test_what_is_not_proposed_yet_is_expected(self) -> None:
        ahead = Outlook(
            stage=0,
            coming=[Coming(runs=2.4, epochs=24.0, together=1, least_epochs=20.0, most_epochs=30.0)],
        )
        found = progress(status("a", done=1, waiting=1), ahead)
        assert (found.runs_expected, found.epochs_expected, found.left_device_s) == (4, 44, 34.0)

    def test_a_search_weighs_what_its_epochs_cost(self) -> None:
        cheap = progress(status("a", done=9, epoch_s=1.0))
        dear = progress(status("b", waiting=1), epoch_s=90.0)
        assert whole(cheap, dear).share == pytest.approx(0.09, abs=0.001)

    def test_before_anything_is_timed_epochs_are_counted(self) -> None:
        found = progress(status("a", done=1, waiting=3, epoch_s=0.0), epoch_s=None)
        assert (whole(found).share, found.left_device_s) == (0.25, None)

    def test_the_best_has_the_spread_of_its_seeds(self) -> None:
        found = progress(status("a", done=2), best=BestTrial(search="a", values=[1.0, 3.0]))
        assert (found.best, found.best_sd) == (2.0, pytest.approx(2**0.5))

    def test_one_seed_has_no_spread(self) -> None:
        found = progress(status("a", done=1), best=BestTrial(search="a", values=[1.0]))
        assert (found.best, found.best_sd) == (1.0, None)


class TestSeconds:
    def test_a_search_without_epochs_is_taken_for_its_like(self) -> None:
        single = status("stl/a", done=1, epoch_s=1.0)
        multi, new = status("ew", done=1, epoch_s=5.0), status("uw", waiting=1)
        tasks = {"stl/a": ["a"], "ew": ["a", "b"], "uw": ["a", "b"]}
        assert epoch_seconds([single, multi, new], tasks) == {"stl/a": 1.0, "ew": 5.0, "uw": 5.0}

    def test_without_its_like_for_the_mean_of_all(self) -> None:
        found = epoch_seconds(
            [status("stl/a", done=1, epoch_s=2.0), status("ew", waiting=1)],
            {"stl/a": ["a"], "ew": ["a", "b"]},
        )
        assert found["ew"] == 2.0

    def test_nothing_is_known_at_first(self) -> None:
        assert epoch_seconds([status("ew", waiting=1)], {"ew": ["a"]}) == {"ew": None}

    def test_the_rate_is_what_was_got_done_since_training_began(self) -> None:
        rate = Rate(since_s=100.0, paid_s=7.0)
        assert rate.at(110.0, 22.0, workers=2) == 1.5

    def test_before_that_every_worker_is_expected_to_train(self) -> None:
        assert Rate().at(10.0, 0.0, workers=3) == 3.0

    @given(st.floats(1.0, 1e6), st.floats(1.0, 1e6), st.floats(0.0, 1e6))
    def test_a_budget_shortens_and_never_lengthens(
        self, device_s: float, limit: float, paid_s: float
    ) -> None:
        found = least(device_s, 10.0, BudgetSpec(device_s=limit), paid_s=paid_s, paid=0)
        assert 0.0 <= found <= device_s
        assert found + paid_s <= max(limit, paid_s) + 1e-6

    def test_a_budget_of_epochs_counts_in_seconds(self) -> None:
        assert least(100.0, 50.0, BudgetSpec(epochs=30), paid_s=0.0, paid=20) == 20.0


class TestSizes:
    @given(st.floats(0.5, 20.0))
    def test_between_sizes_a_step_is_a_shared_part_and_one_a_run(self, size: float) -> None:
        within = min(max(size, 1.0), 8.0)
        assert at_size(TIMES, size) == pytest.approx(9.0 / within + 1.0)


@given(
    costs=st.lists(st.floats(0.1, 10.0), min_size=2, max_size=5),
    workers=st.integers(1, 4),
)
def test_after_a_tenth_of_its_time_a_study_knows_how_long_it_takes(
    costs: list[float], workers: int
) -> None:
    """Searches of unlike cost whose runs come by turns, as claims have it; all workers are busy."""
    n_runs, rate = 40, float(workers)
    total_s = sum(EPOCHS * n_runs * cost for cost in costs) / rate
    tenth = n_runs // 10
    statuses = [
        status(str(i), done=tenth - 1, waiting=n_runs - tenth + 1, under_way=7, epoch_s=cost)
        for i, cost in enumerate(costs)
    ]
    paid_s = sum(of.device_s for of in statuses)
    elapsed_s = paid_s / rate
    seconds = epoch_seconds(statuses, {of.search: ["a", "b"] for of in statuses})
    left = [progress(of, epoch_s=seconds[of.search]).left_device_s or 0.0 for of in statuses]
    found = Rate(since_s=5.0).at(5.0 + elapsed_s, paid_s, workers=workers)
    assert sum(left) / found == pytest.approx(total_s - elapsed_s, rel=0.3)
