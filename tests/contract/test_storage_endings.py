"""Promises of `Storage` about the ends of attempts: where a run goes, what is kept of it."""

from __future__ import annotations

import pytest

from storage import MOVES, IllegalMove, RunState
from storage.records import (
    Ending,
    Spent,
)
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, claimed, end, epoch

_ENDS = sorted(MOVES[RunState.LEASED])
_NO_ENDS = sorted(set(RunState) - MOVES[RunState.LEASED])


class EndingPromises(Backend):
    def test_a_late_end_does_not_revive_a_lost_attempt(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.storage.record([epoch(claim, 1, 0.1, 0.1)])
        bench.take_back(bench.holder)
        late = [epoch(claim, 2, 0.1, 0.1), end(claim, RunState.WAITING), end(claim)]
        assert len(bench.storage.record(late).rejected) == 3
        (row,) = bench.attempts(claim.run)
        assert (row["state"], row["device_s"], row["epochs"]) == ("lost", 1.5, 1)

    def test_a_diverged_epoch_has_a_cost_but_no_values(self, bench: Bench) -> None:
        claim = claimed(bench)
        spent = Spent(train_s=3.0, grad_evals=5)
        last = Ending(
            run=claim.run, token=claim.token, state=RunState.DIVERGED, epoch=1, spent=spent
        )
        bench.storage.record([epoch(claim, 1, 0.1, 0.1), last])
        (row,) = bench.view("run_results")
        assert (row["state"], row["diverged_epoch"]) == ("diverged", 2)
        assert row["method_cost_s"] == 1.5 + 3.0
        assert row["grad_evals"] == 2 + 5
        assert {row["epoch"] for row in bench.view("epoch_metrics")} == {1}

    def test_a_diverged_run_has_no_value(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.storage.record([end(claim, RunState.DIVERGED, after=0)])
        assert bench.outcome(claim.run).value is None

    @pytest.mark.parametrize("state", _ENDS)
    def test_an_attempt_ends_where_the_table_allows(self, bench: Bench, state: RunState) -> None:
        claim = claimed(bench)
        bench.storage.record([end(claim, state, reason="why")])
        (row,) = bench.view("run_results")
        assert (row["state"], row["reason"]) == (state, "why")

    @pytest.mark.parametrize("state", _NO_ENDS)
    def test_any_other_move_is_refused(self, bench: Bench, state: RunState) -> None:
        claim = claimed(bench)
        with pytest.raises(IllegalMove, match=f"cannot go from leased to {state}. Allowed: "):
            bench.storage.record([end(claim, state)])
        assert bench.outcome(claim.run).state is RunState.LEASED

    def test_a_failure_is_kept_however_long_its_name(self, bench: Bench) -> None:
        claim = claimed(bench)
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
        assert (row["state"], row["failure"], row["failure_text"]) == (
            "failed",
            failure,
            "it broke",
        )

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
        claim = claimed(bench)
        bench.storage.record([end(claim, RunState.WAITING)])
        (row,) = bench.attempts(claim.run)
        assert row["state"] == "released"
        assert bench.claim_one().run == claim.run


class TestEndingOnMemory(EndingPromises, OnMemory):
    pass


class TestEndingOnPostgres(EndingPromises, OnPostgres):
    pass
