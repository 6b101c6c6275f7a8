"""Promises of `Storage` about what attempts, searches and studies have cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import IllegalMove, RunState
from storage.records import (
    Ending,
    Spent,
)
from storage.scoring import Selection
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import PRIMARY, Bench, claimed, end, epoch

# clocks tell nanoseconds; PostgreSQL refuses to divide what is next to nothing
_SECONDS = st.just(0.0) | st.floats(min_value=1e-9, max_value=1e5)


class CostPromises(Backend):
    def test_costs_of_a_batch_that_was_undone_are_not_counted(self, bench: Bench) -> None:
        claim = claimed(bench)
        with pytest.raises(IllegalMove):
            bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim, RunState.PRUNED)])
        bench.storage.record([epoch(claim, 2, 0.1, 0.1)])
        assert bench.attempts(claim.run)[0]["epochs"] == 1

    def test_resources_add_up_and_the_peak_is_the_highest(self, bench: Bench) -> None:
        claim = claimed(bench)
        spent = Spent(train_s=1.0, flops=2.0, energy_j=0.5)
        peaks = (30, 50, None)
        bench.storage.record(
            [
                replace(epoch(claim, number, 0.1, 0.1, spent=spent), peak_memory_bytes=peak)
                for number, peak in enumerate(peaks, 1)
            ]
        )
        bench.storage.record([replace(end(claim), peak_memory_bytes=40)])
        (row,) = bench.attempts(claim.run)
        assert (row["flops"], row["energy_j"], row["peak_memory_bytes"]) == (6.0, 1.5, 50)

    @pytest.mark.parametrize(
        ("state", "epochs", "grad_evals"),
        [(RunState.DIVERGED, 2, 8), (RunState.DONE, 1, 4), (RunState.FAILED, 1, 4)],
    )
    def test_the_epoch_that_diverged_is_one_that_was_trained(
        self, bench: Bench, state: RunState, epochs: int, grad_evals: int
    ) -> None:
        claim = claimed(bench)
        spent = Spent(train_s=1.0, samples=12, grad_evals=4, flops=2.0)
        ending = end(claim, state, after=1)
        if state is RunState.DIVERGED:
            ending = replace(ending, spent=spent)
        bench.storage.record([epoch(claim, 1, 0.1, 0.1, spent=spent), ending])
        (row,) = bench.attempts(claim.run)
        n = epochs
        assert (row["epochs"], row["samples"], row["flops"]) == (n, 12 * n, 2.0 * n)
        (result,) = [row for row in bench.view("run_results") if row["run"] == claim.run]
        assert (row["grad_evals"], result["grad_evals"]) == (grad_evals, grad_evals)

    def test_what_is_not_measured_is_not_zero(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.train(claim, (0.1, 0.1))
        (row,) = bench.attempts(claim.run)
        assert (row["energy_j"], row["peak_memory_bytes"], row["money"]) == (None, None, None)

    def test_money_is_device_time_at_the_workers_price(self, bench: Bench) -> None:
        bench.plan("a")
        bench.worker_id = bench.add_worker(startup_s=1800.0, price_per_h=4.0)
        spent = Spent(train_s=900.0)
        bench.storage.record([epoch(bench.claim_one(), 1, 0.1, 0.1, spent=spent)])
        rows = [row for row in bench.view("attempt_costs") if row["worker"] == bench.worker_id]
        assert [(row["money"], row["host"]) for row in rows] == [(2.0, "here"), (1.0, "here")]
        assert bench.storage.totals(bench.study.id).money == 3.0
        assert [s.money for s in bench.storage.search_status(bench.study.id)] == [None, None, 1.0]

    def test_the_cost_of_an_epoch_trained_twice_is_paid_twice(self, bench: Bench) -> None:
        first = claimed(bench)
        spent = Spent(train_s=2.0, grad_evals=3)
        bench.storage.record([epoch(first, 1, 0.1, 0.1, spent=spent)])
        bench.take_back(bench.holder)
        bench.storage.record([epoch(bench.claim_one(), 1, 0.1, 0.1, spent=spent)])
        assert bench.storage.totals(bench.study.id).device_s == 4.0
        assert bench.outcome(first.run).grad_evals == 3

    def test_what_a_pack_saves_is_not_taken_off_what_a_run_would_cost_alone(
        self, bench: Bench
    ) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        first, second = epoch(claim, 1, 0.1, 0.1), epoch(claim, 2, 0.1, 0.1)
        bench.storage.record([replace(first, solo_s=4.0), second])
        (row,) = bench.view("run_results")
        assert (row["method_cost_s"], row["solo_cost_s"]) == (3.0, 5.5)

    def test_totals_count_runs_by_state(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        bench.train(bench.claim_one(), (0.1, 0.1))
        bench.claim_one()
        assert bench.storage.totals(bench.study.id).states == {
            RunState.DONE: 1, RunState.LEASED: 1, RunState.WAITING: 1
        }  # fmt: skip

    def test_totals_count_trials_without_single_task_ones(self, bench: Bench) -> None:
        bench.plan("a", "b", seeds=(0, 1))
        bench.plan("a", search="stl/a")
        assert bench.storage.totals(bench.study.id).trials == 2

    def test_each_search_has_its_own_states_and_cost(self, bench: Bench) -> None:
        bench.plan("a", search="stl/a", rank=0)
        bench.plan("b", rank=5)
        bench.train(bench.claim_one(), (0.1, 0.1))
        listed = bench.storage.search_status(bench.study.id)
        assert [(status.search, status.states, status.device_s) for status in listed] == [
            ("stl/a", {RunState.DONE: 1}, 1.75),
            ("stl/b", {}, 0.0),
            ("ew", {RunState.WAITING: 1}, 0.0),
        ]

    def test_epochs_of_a_search_are_counted_as_they_come(self, bench: Bench) -> None:
        bench.plan("a", "b")
        first = bench.claim_one()
        bench.storage.record([epoch(first, 1, 0.1, 0.1), epoch(first, 2, 0.1, 0.1)])
        ew = bench.storage.search_status(bench.study.id)[-1]
        assert (ew.epochs_done, ew.epochs_paid) == (2, 2)
        assert sorted((of.until_epoch, of.runs, of.epochs_done) for of in ew.unfinished) == [
            (3, 1, 0),
            (3, 1, 2),
        ]

    def test_what_has_ended_or_is_no_longer_planned_is_not_unfinished(self, bench: Bench) -> None:
        bench.plan("a", "b")
        bench.train(bench.claim_one(), (0.1, 0.1))
        bench.propose(retired=["b"])
        assert bench.storage.search_status(bench.study.id)[-1].unfinished == []

    def test_an_epoch_trained_twice_is_done_once_and_paid_twice(self, bench: Bench) -> None:
        first = claimed(bench)
        bench.storage.record([epoch(first, 1, 0.1, 0.1)])
        bench.take_back(bench.holder)
        bench.storage.record([epoch(bench.claim_one(), 1, 0.1, 0.1)])
        ew = bench.storage.search_status(bench.study.id)[-1]
        assert (ew.epochs_done, ew.epochs_paid) == (1, 2)

    def test_packs_are_summed_up_by_search(self, bench: Bench) -> None:
        """What a worker begins at one moment is one pack; what trains no epoch is none."""
        bench.plan("a", "b")
        bench.storage.record(
            [
                epoch(claim, number, 0.1, 0.1, spent=Spent(train_s=seconds))
                for claim, seconds in zip(bench.claim(2), (2.0, 3.0), strict=True)
                for number in (1, 2)
            ]
        )
        bench.plan("c")
        bench.claim_one()
        (found,) = bench.storage.pack_costs(bench.study.id)
        paid = bench.storage.totals(bench.study.id).device_s
        assert (found.search, found.device, found.packs, found.epochs) == ("ew", "cpu", 1, 4)
        assert found.device_s == pytest.approx(10.0)
        assert found.device_s_squared == pytest.approx(100.0)
        assert (found.epochs_squared, found.product) == (16.0, pytest.approx(40.0))
        assert found.products_in_turn == 0  # no pack came before
        assert bench.storage.beside_runs_s(bench.study.id) == pytest.approx(paid - 10.0)

    @given(spent=st.lists(st.lists(_SECONDS, min_size=1, max_size=4), min_size=1, max_size=4))
    @settings(
        max_examples=15,
        deadline=None,
        # each example adds a run of its own; each backend runs the test in a class of its own
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    def test_a_studys_cost_is_the_sum_of_its_attempts(
        self, bench: Bench, spent: list[list[float]]
    ) -> None:
        before = bench.storage.totals(bench.study.id)
        _train_in_attempts(bench, spent)
        after = bench.storage.totals(bench.study.id)
        paid = math.fsum(seconds for attempt in spent for seconds in attempt)
        attempts = [row["device_s"] for row in bench.view("attempt_costs")]
        assert after.device_s - before.device_s == pytest.approx(paid, rel=1e-9, abs=1e-6)
        assert after.device_s == pytest.approx(math.fsum(attempts), rel=1e-12)
        assert after.epochs - before.epochs == sum(map(len, spent))


class BestTrialPromises(Backend):
    """The best trial of a search so far, by what its finished runs are worth."""

    def test_the_lowest_mean_is_the_best(self, bench: Bench) -> None:
        _finish(bench, ("a", 0.9), ("b", 0.3), ("c", 0.6))
        (best,) = bench.storage.best_trials(bench.study.id, PRIMARY, n_seeds=1)
        assert (best.search, best.values) == ("stl/a", [0.3])

    def test_or_the_highest_where_that_is_better(self, bench: Bench) -> None:
        _finish(bench, ("a", 0.9), ("b", 0.3))
        highest = replace(PRIMARY["stl/a"], direction="max")
        (best,) = bench.storage.best_trials(bench.study.id, {"stl/a": highest}, n_seeds=1)
        assert best.values == [0.9]

    def test_a_trial_without_all_its_seeds_is_not_compared(self, bench: Bench) -> None:
        _finish(bench, ("a", 0.9), ("b", 0.3))
        assert bench.storage.best_trials(bench.study.id, PRIMARY, n_seeds=2) == []


def _finish(bench: Bench, *trials: tuple[str, float]) -> None:
    """Train and score single-task runs, each of a trial of its own."""
    for point, value in trials:
        bench.plan(point, search="stl/a", role="baseline")
        bench.train(bench.claim_one(), (value, value))
    bench.storage.score(bench.study.id, PRIMARY, Selection())


def _train_in_attempts(bench: Bench, spent: Sequence[Sequence[float]]) -> None:
    """One more run, trained in one attempt a list, one epoch a number of seconds."""
    bench.plan(f"point {bench.storage.totals(bench.study.id).trials}")
    for attempt in spent:
        claim = bench.claim_one()
        for i, seconds in enumerate(attempt):
            report = epoch(claim, i + 1, 0.1, 0.1, spent=Spent(train_s=seconds))
            bench.storage.record([report])
        bench.take_back(bench.holder)
    claim = bench.claim_one()
    ending = Ending(run=claim.run, token=claim.token, state=RunState.DONE, epoch=1, spent=Spent())
    bench.storage.record([ending])


class TestCostOnMemory(CostPromises, OnMemory):
    pass


class TestCostOnPostgres(CostPromises, OnPostgres):
    pass


class TestBestTrialOnMemory(BestTrialPromises, OnMemory):
    pass


class TestBestTrialOnPostgres(BestTrialPromises, OnPostgres):
    pass
