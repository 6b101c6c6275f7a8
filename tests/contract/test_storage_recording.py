"""Promises of `Storage` about workers' reports: what is written, what is refused, what adds up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import MOVES, IllegalMove, RunState
from storage.records import Claim, Ending, EpochRecord, Rejected, Spent
from tests.contract.storage_backends import Backend, OnFile, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, end, epoch

_ENDS = sorted(MOVES[RunState.LEASED])
_NO_ENDS = sorted(set(RunState) - MOVES[RunState.LEASED])
_SECONDS = st.floats(min_value=0, max_value=1e5)


class RecordingPromises(Backend):
    def test_epochs_and_the_end_are_there_together(self, bench: Bench) -> None:
        claim = _claimed(bench)
        assert bench.train(claim, (0.3, 0.4), (0.1, 0.2)) == []
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
        rejected = bench.train(old, (0.1, 0.1))
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
        assert bench.storage.record([end(claim)]) == [Rejected(run=claim.run, token=claim.token)]
        assert bench.outcome(claim.run).state is RunState.WAITING

    def test_a_finished_run_takes_no_reports(self, bench: Bench) -> None:
        claim = _claimed(bench)
        bench.train(claim, (0.1, 0.1))
        assert len(bench.train(claim, (0.9, 0.9))) == 2
        assert _curve(bench, claim) == [0.1]

    def test_good_reports_beside_a_stale_one_are_written(self, bench: Bench) -> None:
        bench.plan("a", "b")
        stale, good = bench.claim(2)
        bench.storage.take_back_run(stale.run, stale.token, "worker lost")
        rejected = bench.storage.record([epoch(stale, 1, 0.1, 0.1), epoch(good, 1, 0.2, 0.2)])
        assert [report.run for report in rejected] == [stale.run]
        assert _curve(bench, good) == [0.2]

    def test_nothing_to_record_is_fine(self, bench: Bench) -> None:
        assert bench.storage.record([]) == []

    def test_epochs_of_a_later_attempt_replace_the_old_ones(self, bench: Bench) -> None:
        first = _claimed(bench)
        bench.storage.record([epoch(first, i, 0.9, 0.9) for i in (1, 2, 3)])
        bench.take_back(bench.holder)
        second = bench.claim_one()
        bench.storage.record([epoch(second, i, 0.1, 0.1) for i in (2, 3)])
        assert _curve(bench, second) == [0.9, 0.1, 0.1]

    def test_the_cost_of_an_epoch_trained_twice_is_paid_twice(self, bench: Bench) -> None:
        first = _claimed(bench)
        spent = Spent(train_s=2.0, grad_evals=3)
        bench.storage.record([epoch(first, 1, 0.1, 0.1, spent=spent)])
        bench.take_back(bench.holder)
        bench.storage.record([epoch(bench.claim_one(), 1, 0.1, 0.1, spent=spent)])
        assert bench.storage.totals(bench.study.id).device_s == 4.0
        assert bench.outcome(first.run).grad_evals == 3

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
        assert bench.storage.search_totals(bench.search("stl/a")) == (1.75, 1)

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
