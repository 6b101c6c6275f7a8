"""Promises of `Storage` about workers' reports: what is written, what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import IllegalMove, RunState
from storage.records import (
    CheckpointRecord,
    Claim,
    EpochRecord,
    ExhibitRecord,
    Mismatch,
    PairStatistics,
    Recorded,
    Rejected,
    Report,
    Spent,
)
from storage.schema.views import VIEWS
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, claimed, end, epoch


def _pairs(mean: float | None, *, n_pairs: int = 3) -> PairStatistics:
    """Cosines of pairs of tasks; without pairs, magnitudes of which nothing is known."""
    if mean is None:
        return PairStatistics(pairing="tasks", measure="magnitude", n_pairs=n_pairs, n_left_out=2)
    return PairStatistics(
        pairing="tasks",
        measure="cosine",
        n_pairs=n_pairs,
        n_left_out=2,
        mean=mean,
        sd=0.5,
        low=-1.0,
        median=mean,
        high=1.0,
    )


class RecordingPromises(Backend):
    def test_epochs_and_the_end_are_there_together(self, bench: Bench) -> None:
        claim = claimed(bench)
        assert bench.train(claim, (0.3, 0.4), (0.1, 0.2)) == Recorded(rejected=[], mismatches=[])
        table = bench.storage.run_table(claim.run)
        assert table["validation"]["a", "error"] == [0.3, 0.1]
        assert table["test"]["a", "error"] == [0.4, 0.2]
        assert bench.outcome(claim.run).state is RunState.DONE

    def test_a_batch_with_an_impossible_report_writes_nothing(self, bench: Bench) -> None:
        claim = claimed(bench)
        with pytest.raises(IllegalMove):
            bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim, RunState.PRUNED)])
        assert _curve(bench, claim) == []
        assert bench.attempts(claim.run)[0]["device_s"] == 0

    def test_metrics_keep_their_names_after_a_batch_was_undone(self, bench: Bench) -> None:
        claim = claimed(bench)
        with pytest.raises(IllegalMove):
            bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim, RunState.PRUNED)])
        bench.storage.record([_odd_epoch(claim, 1)])
        bench.storage.record([epoch(claim, 2, 0.3, 0.4)])
        rows = {(r["split"], r["task"], r["metric"]): r["value"] for r in _metrics(bench, claim, 2)}
        assert rows["validation", "a", "error"] == 0.3
        assert rows["train", "a", "loss"] == 2.0

    def test_a_stale_token_is_refused_and_named(self, bench: Bench) -> None:
        old = claimed(bench)
        bench.take_back(bench.holder)
        bench.claim_one()
        rejected = bench.train(old, (0.1, 0.1)).rejected
        assert set(rejected) == {Rejected(run=old.run, token=old.token)}

    def test_nothing_of_a_stale_token_is_written(self, bench: Bench) -> None:
        old = claimed(bench)
        bench.take_back(bench.holder)
        new = bench.claim_one()
        bench.train(old, (0.1, 0.1))
        assert _curve(bench, new) == []
        assert bench.outcome(new.run).state is RunState.LEASED
        assert [row["device_s"] for row in bench.attempts(new.run)] == [0, 0]

    def test_a_run_that_nobody_holds_takes_no_reports(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.take_back(bench.holder)
        recorded = bench.storage.record([end(claim)])
        assert recorded.rejected == [Rejected(run=claim.run, token=claim.token)]
        assert bench.outcome(claim.run).state is RunState.WAITING

    def test_a_finished_run_takes_no_other_reports(self, bench: Bench) -> None:
        claim = claimed(bench)
        bench.train(claim, (0.1, 0.1))
        other = [epoch(claim, 1, 0.9, 0.9), epoch(claim, 2, 0.1, 0.1), end(claim, RunState.FAILED)]
        assert len(bench.storage.record(other).rejected) == 3
        assert _curve(bench, claim) == [0.1]

    def test_good_reports_beside_a_stale_one_are_written(self, bench: Bench) -> None:
        bench.plan("a", "b")
        stale, good = bench.claim(2)
        bench.storage.take_back_run(stale.run, stale.token, "WorkerLost", "it was lost")
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

    def test_an_epoch_that_comes_out_otherwise_is_named_and_counted(self, bench: Bench) -> None:
        first = claimed(bench)
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
        first = claimed(bench)
        bench.storage.record([epoch(first, 1, 0.5, 0.5)])
        bench.take_back(bench.holder)
        diverged = end(bench.claim_one(), RunState.DIVERGED, after=0)
        mismatches = bench.storage.record([diverged]).mismatches
        assert mismatches == [Mismatch(run=first.run, epoch=1)]

    def test_similarities_of_gradients_come_back_by_word_and_can_be_written_anew(
        self, bench: Bench
    ) -> None:
        claim = claimed(bench)
        first, again = (
            replace(epoch(claim, 1, 0.1, 0.1), conflicts=[_pairs(mean), _pairs(None, n_pairs=0)])
            for mean in (0.25, -0.5)
        )
        bench.storage.record([first])
        bench.storage.record([again])
        empty, full = sorted(
            bench.view("gradient_conflicts"), key=lambda row: row["measure"], reverse=True
        )
        assert (full["pairing"], full["measure"], full["mean"]) == ("tasks", "cosine", -0.5)
        assert (full["percentile_2_5"], full["percentile_97_5"]) == (-1.0, 1.0)
        assert (empty["measure"], empty["n_left_out"], empty["mean"]) == ("magnitude", 2, None)

    def test_exhibits_replace_those_of_their_name_and_round_histograms_of_their_epoch(
        self, bench: Bench
    ) -> None:
        claim = claimed(bench)
        for number, round_ in ((1, 1), (2, 1), (2, 1), (3, 2)):
            shown = [
                _exhibit("bins", f"{number}", round_=round_, each_epoch=True),
                _exhibit("hits", f"{number}", round_=round_),
            ]
            bench.storage.record([replace(epoch(claim, number, 0.1, 0.1), exhibits=shown)])
        rows = bench.view("run_exhibits")
        assert [(row["name"], row["round"], row["epoch"], row["content"]) for row in rows] == [
            ("bins", 1, 1, "1"), ("bins", 1, 2, "2"), ("bins", 2, 3, "3"),
            ("hits", 1, 2, "2"), ("hits", 2, 3, "3"),
        ]  # fmt: skip

    def test_exhibits_of_a_stale_lease_are_refused_with_their_epoch(self, bench: Bench) -> None:
        first = claimed(bench)
        bench.take_back(bench.holder)
        second = bench.claim_one()
        for claim, text in ((second, "new"), (first, "old")):
            report = replace(epoch(claim, 1, 0.1, 0.1), exhibits=[_exhibit("hits", text)])
            bench.storage.record([report])
        assert [row["content"] for row in bench.view("run_exhibits")] == ["new"]

    def test_nothing_to_record_is_fine(self, bench: Bench) -> None:
        assert bench.storage.record([]) == Recorded(rejected=[], mismatches=[])

    def test_epochs_of_a_later_attempt_replace_the_old_ones(self, bench: Bench) -> None:
        first = claimed(bench)
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


def _exhibit(
    name: str, content: str, *, round_: int = 1, each_epoch: bool = False
) -> ExhibitRecord:
    return ExhibitRecord(
        name=name,
        kind="table",
        title="A title",
        split="validation",
        each_epoch=each_epoch,
        content=content,
        round=round_,
    )


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


class TestRecordingOnMemory(RecordingPromises, OnMemory):
    pass


class TestRecordingOnPostgres(RecordingPromises, OnPostgres):
    pass
