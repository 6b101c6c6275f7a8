"""Promises of `Storage` about workers' reports: what is written, what is refused, what adds up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import MOVES, IllegalMove, RunState
from storage._views import VIEWS
from storage.records import (
    CheckpointRecord,
    Claim,
    Ending,
    EpochRecord,
    Mismatch,
    Recorded,
    Rejected,
    Report,
    Spent,
)
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, end, epoch

_ENDS = sorted(MOVES[RunState.LEASED])
_NO_ENDS = sorted(set(RunState) - MOVES[RunState.LEASED])
_SECONDS = st.floats(min_value=0, max_value=1e5)


class RecordingPromises(Backend):
    def test_epochs_and_the_end_are_there_together(self, bench: Bench) -> None:
        claim = _claimed(bench)
        assert bench.train(claim, (0.3, 0.4), (0.1, 0.2)) == Recorded(rejected=[], mismatches=[])
        table = bench.storage.run_table(claim.run)
        assert table["validation"]["a", "error"] == [0.3, 0.1]
        assert table["test"]["a", "error"] == [0.4, 0.2]
        assert bench.outcome(claim.run).state is RunState.DONE

    def test_a_batch_with_an_impossible_report_writes_nothing(self, bench: Bench) -> None:
        claim = _claimed(bench)
        with pytest.raises(IllegalMove):
            bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim, RunState.PRUNED)])
        assert _curve(bench, claim) == []
        assert bench.attempts(claim.run)[0]["device_s"] == 0

    def test_metrics_keep_their_names_after_a_batch_was_undone(self, bench: Bench) -> None:
        claim = _claimed(bench)
        with pytest.raises(IllegalMove):
            bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim, RunState.PRUNED)])
        bench.storage.record([_odd_epoch(claim, 1)])
        bench.storage.record([epoch(claim, 2, 0.3, 0.4)])
        rows = {(r["split"], r["task"], r["metric"]): r["value"] for r in _metrics(bench, claim, 2)}
        assert rows["validation", "a", "error"] == 0.3
        assert rows["train", "a", "loss"] == 2.0

    def test_a_stale_token_is_refused_and_named(self, bench: Bench) -> None:
        old = _claimed(bench)
        bench.take_back(bench.holder)
        bench.claim_one()
        rejected = bench.train(old, (0.1, 0.1)).rejected
        assert set(rejected) == {Rejected(run=old.run, token=old.token)}

    def test_nothing_of_a_stale_token_is_written(self, bench: Bench) -> None:
        old = _claimed(bench)
        bench.take_back(bench.holder)
        new = bench.claim_one()
        bench.train(old, (0.1, 0.1))
        assert _curve(bench, new) == []
        assert bench.outcome(new.run).state is RunState.LEASED
        assert [row["device_s"] for row in bench.attempts(new.run)] == [0, 0]

    def test_a_run_that_nobody_holds_takes_no_reports(self, bench: Bench) -> None:
        claim = _claimed(bench)
        bench.take_back(bench.holder)
        recorded = bench.storage.record([end(claim)])
        assert recorded.rejected == [Rejected(run=claim.run, token=claim.token)]
        assert bench.outcome(claim.run).state is RunState.WAITING

    def test_a_finished_run_takes_no_other_reports(self, bench: Bench) -> None:
        claim = _claimed(bench)
        bench.train(claim, (0.1, 0.1))
        other = [epoch(claim, 1, 0.9, 0.9), epoch(claim, 2, 0.1, 0.1), end(claim, RunState.FAILED)]
        assert len(bench.storage.record(other).rejected) == 3
        assert _curve(bench, claim) == [0.1]

    def test_good_reports_beside_a_stale_one_are_written(self, bench: Bench) -> None:
        bench.plan("a", "b")
        stale, good = bench.claim(2)
        bench.storage.take_back_run(stale.run, stale.token, "worker lost")
        recorded = bench.storage.record([epoch(stale, 1, 0.1, 0.1), epoch(good, 1, 0.2, 0.2)])
        assert [report.run for report in recorded.rejected] == [stale.run]
        assert _curve(bench, good) == [0.2]

    @given(repeats=st.lists(st.integers(1, 3), min_size=4, max_size=4))
    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    def test_a_batch_that_is_written_again_changes_nothing(
        self, bench: Bench, repeats: list[int]
    ) -> None:
        bench.plan(f"point {bench.storage.totals(bench.study.id).trials}")
        claim = bench.claim_one()
        for times, batch in zip(repeats, _batches(claim), strict=True):
            bench.storage.record(batch)
            before = _database(bench)
            for _ in range(times):
                assert bench.storage.record(batch) == Recorded(rejected=[], mismatches=[])
            assert _database(bench) == before
        (row,) = bench.attempts(claim.run)
        assert (row["device_s"], row["epochs"], row["flops"]) == (3 * 1.5 + 0.5 + 0.25, 3, 30.0)

    def test_costs_of_a_batch_that_was_undone_are_not_counted(self, bench: Bench) -> None:
        claim = _claimed(bench)
        with pytest.raises(IllegalMove):
            bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim, RunState.PRUNED)])
        bench.storage.record([epoch(claim, 2, 0.1, 0.1)])
        assert bench.attempts(claim.run)[0]["epochs"] == 1

    def test_a_late_end_does_not_revive_a_lost_attempt(self, bench: Bench) -> None:
        claim = _claimed(bench)
        bench.storage.record([epoch(claim, 1, 0.1, 0.1)])
        bench.take_back(bench.holder)
        late = [epoch(claim, 2, 0.1, 0.1), end(claim, RunState.WAITING), end(claim)]
        assert len(bench.storage.record(late).rejected) == 3
        (row,) = bench.attempts(claim.run)
        assert (row["state"], row["device_s"], row["epochs"]) == ("lost", 1.5, 1)

    def test_resources_add_up_and_the_peak_is_the_highest(self, bench: Bench) -> None:
        claim = _claimed(bench)
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

    def test_what_is_not_measured_is_not_zero(self, bench: Bench) -> None:
        claim = _claimed(bench)
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

    def test_an_epoch_that_comes_out_otherwise_is_named_and_counted(self, bench: Bench) -> None:
        first = _claimed(bench)
        bench.storage.record([epoch(first, i, 0.5, 0.5) for i in (1, 2, 3)])
        bench.take_back(bench.holder)
        second = bench.claim_one()
        batch = [
            epoch(second, 1, 0.5, 0.5),
            epoch(second, 2, 0.25, 0.5),
            epoch(second, 4, 0.1, 0.1),
        ]
        recorded = bench.storage.record(batch)
        assert recorded == Recorded(rejected=[], mismatches=[Mismatch(run=second.run, epoch=2)])
        bench.storage.record(batch)
        assert [row["mismatched_epochs"] for row in bench.attempts(first.run)] == [0, 1]

    def test_an_epoch_that_diverges_where_an_earlier_attempt_did_not_is_named(
        self, bench: Bench
    ) -> None:
        first = _claimed(bench)
        bench.storage.record([epoch(first, 1, 0.5, 0.5)])
        bench.take_back(bench.holder)
        diverged = end(bench.claim_one(), RunState.DIVERGED, after=0)
        mismatches = bench.storage.record([diverged]).mismatches
        assert mismatches == [Mismatch(run=first.run, epoch=1)]

    def test_nothing_to_record_is_fine(self, bench: Bench) -> None:
        assert bench.storage.record([]) == Recorded(rejected=[], mismatches=[])

    def test_epochs_of_a_later_attempt_replace_the_old_ones(self, bench: Bench) -> None:
        first = _claimed(bench)
        bench.storage.record([epoch(first, i, 0.9, 0.9) for i in (1, 2, 3)])
        bench.take_back(bench.holder)
        second = bench.claim_one()
        bench.storage.record([epoch(second, i, 0.1, 0.1) for i in (2, 3)])
        assert _curve(bench, second) == [0.9, 0.1, 0.1]

    @pytest.mark.parametrize("value", [5e-324, 0.1 + 0.2, -1.7976931348623157e308, inf])
    def test_values_come_back_to_the_last_bit(self, bench: Bench, value: float) -> None:
        bench.plan("a")
        bench.storage.record([epoch(bench.claim_one(), 1, value, 0.1)])
        stored = [row for row in bench.view("epoch_metrics") if row["split"] == "validation"]
        assert [row["value"] for row in stored if row["task"] == "a"] == [value]

    def test_of_an_epoch_that_is_twice_in_a_batch_the_later_counts(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        bench.storage.record([epoch(claim, 1, 0.5, 0.5), epoch(claim, 1, 0.1, 0.1)])
        stored = [row for row in bench.view("epoch_metrics") if row["split"] == "validation"]
        assert [row["value"] for row in stored if row["task"] == "a"] == [0.1]

    def test_the_cost_of_an_epoch_trained_twice_is_paid_twice(self, bench: Bench) -> None:
        first = _claimed(bench)
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

    def test_a_diverged_epoch_has_a_cost_but_no_values(self, bench: Bench) -> None:
        claim = _claimed(bench)
        spent = Spent(train_s=3.0, grad_evals=5)
        last = Ending(
            run=claim.run, token=claim.token, state=RunState.DIVERGED, epoch=1, spent=spent
        )
        bench.storage.record([epoch(claim, 1, 0.1, 0.1), last])
        (row,) = bench.view("run_results")
        assert (row["state"], row["diverged_epoch"]) == ("diverged", 2)
        assert row["method_cost_s"] == 1.5 + 3.0
        assert row["grad_evals"] == 2 + 5
        assert _metrics(bench, claim, 2) == []

    def test_a_diverged_run_has_no_value(self, bench: Bench) -> None:
        claim = _claimed(bench)
        bench.storage.record([end(claim, RunState.DIVERGED, after=0)])
        assert bench.outcome(claim.run).value is None

    @pytest.mark.parametrize("state", _ENDS)
    def test_an_attempt_ends_where_the_table_allows(self, bench: Bench, state: RunState) -> None:
        claim = _claimed(bench)
        bench.storage.record([end(claim, state, reason="why")])
        (row,) = bench.view("run_results")
        assert (row["state"], row["reason"]) == (state, "why")

    @pytest.mark.parametrize("state", _NO_ENDS)
    def test_any_other_move_is_refused(self, bench: Bench, state: RunState) -> None:
        claim = _claimed(bench)
        with pytest.raises(IllegalMove, match=f"cannot go from leased to {state}. Allowed: "):
            bench.storage.record([end(claim, state)])
        assert bench.outcome(claim.run).state is RunState.LEASED

    def test_a_failure_is_kept_however_long_its_name(self, bench: Bench) -> None:
        claim = _claimed(bench)
        failure = "Error" * 100
        bench.storage.record(
            [
                Ending(
                    run=claim.run,
                    token=claim.token,
                    state=RunState.FAILED,
                    epoch=0,
                    spent=Spent(),
                    reason="it broke",
                    failure=failure,
                    detail="a traceback",
                )
            ]
        )
        (row,) = bench.attempts(claim.run)
        assert (row["state"], row["failure"]) == ("failed", failure)

    def test_failed_and_diverged_runs_are_listed_failed_ones_first(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        diverged, failed, _ = bench.claim(3)
        bench.storage.record([end(diverged, RunState.DIVERGED, after=0, reason="NaN")])
        bench.storage.record([end(failed, RunState.FAILED, reason="it broke")])
        listed = bench.storage.bad_endings(bench.study.id, limit=9)
        assert [(bad.params, bad.state, bad.reason) for bad in listed] == [
            ("b", RunState.FAILED, "it broke"), ("a", RunState.DIVERGED, "NaN")
        ]  # fmt: skip
        assert len(bench.storage.bad_endings(bench.study.id, limit=1)) == 1

    def test_a_released_run_waits_again_and_its_attempt_is_over(self, bench: Bench) -> None:
        claim = _claimed(bench)
        bench.storage.record([end(claim, RunState.WAITING)])
        (row,) = bench.attempts(claim.run)
        assert row["state"] == "released"
        assert bench.claim_one().run == claim.run

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


def _claimed(bench: Bench) -> Claim:
    bench.plan("a")
    return bench.claim_one()


def _curve(bench: Bench, claim: Claim) -> Sequence[float]:
    """Metric a on validation, by epoch."""
    return bench.storage.run_table(claim.run)["validation"].get(("a", "error"), [])


def _metrics(bench: Bench, claim: Claim, number: int) -> list[dict[str, object]]:
    rows = bench.view("epoch_metrics")
    return [row for row in rows if (row["run"], row["epoch"]) == (claim.run, number)]


def _batches(claim: Claim) -> list[list[Report]]:
    """All that a run's attempt reports."""
    spent = Spent(train_s=1.0, validation_s=0.5, flops=10.0)
    saved = CheckpointRecord(
        run=claim.run,
        token=claim.token,
        epoch=1,
        path=f"run{claim.run}.pt",
        size_bytes=10,
        spent=Spent(checkpoint_s=0.5),
    )
    epochs = [epoch(claim, number, 0.1, 0.1, spent=spent) for number in (1, 2, 3)]
    return [[epochs[0]], [saved], [epochs[1]], [epochs[2], end(claim)]]


def _database(bench: Bench) -> list[list[dict[str, Any]]]:
    """All that users see of a study, and its checkpoints."""
    views = [bench.view(name) for name in VIEWS]
    files = bench.storage.checkpoint_files(bench.study.id)
    return [*views, [{"file": file} for file in files]]


def _odd_epoch(claim: Claim, number: int) -> EpochRecord:
    """An epoch with other metrics than usual."""
    values = tuple(("train", "b", f"odd{i}", 1.0) for i in range(5))
    return EpochRecord(run=claim.run, token=claim.token, epoch=number, values=values, spent=Spent())


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


class TestRecordingOnMemory(RecordingPromises, OnMemory):
    pass


class TestRecordingOnFile(RecordingPromises, OnFile):
    pass


class TestRecordingOnPostgres(RecordingPromises, OnPostgres):
    pass
