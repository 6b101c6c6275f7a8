"""Promises of `Storage` about second tries, paused runs and checkpoint files."""

from __future__ import annotations

from dataclasses import replace

from storage import RunState
from storage.records import CheckpointFile, CheckpointRecord, Claim, FailureGroup, Spent, Verdict
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, end


class MovePromises(Backend):
    def test_failed_runs_are_tried_again_and_keep_their_attempts(self, bench: Bench) -> None:
        bench.plan("a", "b")
        failed, done = bench.claim(2)
        _fail(bench, failed, "ValueError")
        bench.train(done, (0.1, 0.1))
        assert bench.storage.retry(bench.study.id, "failed") == 1
        again = bench.claim_one()
        assert (again.run, again.token) == (failed.run, 2)
        assert [row["state"] for row in bench.attempts(failed.run)] == ["failed", "running"]

    def test_a_run_that_is_tried_again_has_no_reason_any_more(self, bench: Bench) -> None:
        bench.plan("a")
        _fail(bench, bench.claim_one(), "ValueError")
        bench.storage.retry(bench.study.id, "failed")
        (row,) = bench.view("run_results")
        assert (row["state"], row["reason"]) == ("waiting", "")

    def test_lost_runs_are_tried_again_by_themselves(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        lost, late, broken = bench.claim(3)
        _fail(bench, lost, "WorkerLost")
        _fail(bench, late, "TimeLimit")
        _fail(bench, broken, "ValueError")
        assert bench.storage.retry(bench.study.id, "lost") == 2
        assert {claim.run for claim in bench.claim(3)} == {lost.run, late.run}

    def test_a_run_counts_as_lost_by_its_last_attempt(self, bench: Bench) -> None:
        bench.plan("a")
        _fail(bench, bench.claim_one(), "WorkerLost")
        bench.storage.retry(bench.study.id, "lost")
        _fail(bench, bench.claim_one(), "ValueError")
        assert bench.storage.retry(bench.study.id, "lost") == 0

    def test_failures_are_grouped_by_search_and_cause(self, bench: Bench) -> None:
        bench.plan("x", search="stl/a", rank=0)
        bench.plan("a", "b", "c", "d", rank=5)
        for key in ("k1", "k1", "k2", "k2", "k1"):
            _fail(bench, bench.claim_one(), "ValueError", key=key)
        assert bench.storage.failure_groups(bench.study.id) == [
            FailureGroup(search="stl/a", failure_key="k1", failure="ValueError", runs=1),
            FailureGroup(search="ew", failure_key="k1", failure="ValueError", runs=2),
            FailureGroup(search="ew", failure_key="k2", failure="ValueError", runs=2),
        ]

    def test_runs_that_are_tried_again_are_in_no_group(self, bench: Bench) -> None:
        bench.plan("a")
        _fail(bench, bench.claim_one(), "ValueError", key="k")
        bench.storage.retry(bench.study.id, "failed")
        assert bench.storage.failure_groups(bench.study.id) == []

    def test_a_paused_run_is_pruned_once(self, bench: Bench) -> None:
        claim = _paused(bench)
        assert bench.storage.judge([_pruned(claim)]) == {claim.run}
        (row,) = bench.view("run_results")
        assert (row["state"], row["reason"]) == ("pruned", "too bad")
        assert bench.storage.judge([_resumed(claim)]) == frozenset()
        assert bench.claim() == []

    def test_a_paused_run_goes_on_once_with_runs_of_its_segment(self, bench: Bench) -> None:
        claim = _paused(bench)
        bench.plan("b", pack="next")
        assert bench.storage.judge([_resumed(claim)]) == {claim.run}
        assert bench.storage.judge([_pruned(claim)]) == frozenset()
        again, other = bench.claim(2)
        assert (again.run, again.until_epoch, other.params) == (claim.run, 2, "b")

    def test_a_run_says_up_to_where_it_may_go_and_under_which_token(self, bench: Bench) -> None:
        claim = _paused(bench)
        outcome = bench.outcome(claim.run)
        assert (outcome.state, outcome.token, outcome.until_epoch) == (RunState.PAUSED, 1, 3)
        bench.storage.judge([_resumed(claim)])
        outcome = bench.outcome(claim.run)
        assert (outcome.state, outcome.token, outcome.until_epoch) == (RunState.WAITING, 1, 2)

    def test_a_rung_is_judged_as_a_whole(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        claims = bench.claim(3)
        bench.storage.record([end(claim, RunState.PAUSED, after=1) for claim in claims])
        best, worst, gone = claims
        bench.storage.judge([_pruned(gone)])
        assert bench.storage.judge([_pruned(worst), _resumed(gone), _resumed(best)]) == {
            worst.run,
            best.run,
        }
        states = {outcome.run: outcome.state for outcome in bench.outcomes()}
        assert states == {
            best.run: RunState.WAITING,
            worst.run: RunState.PRUNED,
            gone.run: RunState.PRUNED,
        }

    def test_a_stale_token_moves_nothing(self, bench: Bench) -> None:
        claim = replace(_paused(bench), token=0)
        assert bench.storage.judge([_pruned(claim), _resumed(claim)]) == frozenset()
        assert bench.outcome(claim.run).state is RunState.PAUSED

    def test_a_search_is_not_busy_with_paused_runs(self, bench: Bench) -> None:
        claim = _paused(bench)
        assert not bench.storage.busy_searches(bench.study.id)
        bench.storage.judge([_resumed(claim)])
        assert bench.storage.busy_searches(bench.study.id) == {bench.search()}

    def test_a_search_with_paused_runs_is_found(self, bench: Bench) -> None:
        claim = _paused(bench)
        assert bench.storage.paused_searches(bench.study.id) == {bench.search()}
        bench.storage.judge([_pruned(claim)])
        assert not bench.storage.paused_searches(bench.study.id)

    def test_checkpoints_of_a_study_are_told_oldest_first(self, bench: Bench) -> None:
        bench.plan("a", "b")
        claim, other = bench.claim(2)
        bench.storage.record([_saved(claim, 2), _saved(other, 1), end(claim)])
        assert bench.storage.checkpoint_files(bench.study.id) == [
            CheckpointFile(path="a2", size_bytes=10, run=claim.run, state=RunState.DONE, epoch=2),
            CheckpointFile(path="b1", size_bytes=10, run=other.run, state=RunState.LEASED, epoch=1),
        ]

    def test_checkpoints_of_other_studies_are_not_told(self, bench: Bench) -> None:
        bench.plan("a")
        bench.storage.record([_saved(bench.claim_one(), 1)])
        assert bench.storage.checkpoint_files(bench.save("other").id) == []

    def test_no_run_goes_on_from_a_forgotten_file(self, bench: Bench) -> None:
        bench.plan("a")
        claim = bench.claim_one()
        bench.storage.record([_saved(claim, number) for number in (1, 2, 3)])
        bench.storage.forget_checkpoints(["a3", "a1", "unknown"])
        bench.take_back(bench.holder)
        assert bench.claim_one().checkpoints == (("a2", 2),)

    def test_nothing_is_forgotten_without_a_path(self, bench: Bench) -> None:
        bench.plan("a")
        bench.storage.record([_saved(bench.claim_one(), 1)])
        bench.storage.forget_checkpoints([])
        assert len(bench.storage.checkpoint_files(bench.study.id)) == 1


def _fail(bench: Bench, claim: Claim, failure: str, *, key: str | None = None) -> None:
    ending = end(claim, RunState.FAILED, reason="it broke")
    bench.storage.record([replace(ending, failure=failure, failure_key=key)])


def _paused(bench: Bench) -> Claim:
    bench.plan("a")
    claim = bench.claim_one()
    bench.storage.record([end(claim, RunState.PAUSED, after=1)])
    return claim


def _pruned(claim: Claim) -> Verdict:
    return Verdict(run=claim.run, token=claim.token, reason="too bad")


def _resumed(claim: Claim) -> Verdict:
    return Verdict(run=claim.run, token=claim.token, until_epoch=2, pack_key="next")


def _saved(claim: Claim, number: int) -> CheckpointRecord:
    return CheckpointRecord(
        run=claim.run,
        token=claim.token,
        epoch=number,
        path=f"{claim.params}{number}",
        size_bytes=10,
        spent=Spent(),
    )


class TestMovesOnMemory(MovePromises, OnMemory):
    pass


class TestMovesOnPostgres(MovePromises, OnPostgres):
    pass
