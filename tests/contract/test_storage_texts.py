"""Whatever text a run brings is stored; what belongs to a run fails that run only."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from storage import Reader, RunState
from storage.records import Ending, EpochRecord, Holder, Spent
from storage.schema.texts import storable
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import Bench, claimed, end, epoch

NASTY = [
    "caf\udce9.png",  # the name of a file that is no UTF-8
    "\ud800",
    "a\0b",
    "long" * 200_000,
    "\x1b[31m\r\n\t",
    "'; DROP TABLE runs; --",
    "重み \U0001f600",
    "",
]


class TextPromises(Backend):
    @pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
    def test_a_failure_says_anything(self, bench: Bench, text: str) -> None:
        claim = claimed(bench)
        failed = Ending(
            run=claim.run,
            token=claim.token,
            state=RunState.FAILED,
            epoch=0,
            spent=Spent(),
            reason=text,
            failure=f"Error{text}",
            failure_key=text,
            detail=text,
        )
        assert bench.storage.record([failed]).rejected == []
        assert bench.outcome(claim.run).state is RunState.FAILED
        (bad,) = bench.storage.bad_endings(bench.study.id, limit=9)
        assert bad.reason == storable(text, 20_000)
        assert len(bench.storage.failure_groups(bench.study.id)) == 1

    @pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
    def test_a_metric_has_any_name_and_the_same_one_every_epoch(
        self, bench: Bench, text: str
    ) -> None:
        claim = claimed(bench)
        for number in (1, 2):
            report = EpochRecord(
                run=claim.run,
                token=claim.token,
                epoch=number,
                values=[("validation", f"task {text}", f"{text}", 0.5)],
                spent=Spent(),
            )
            assert not bench.storage.record([report, report]).mismatches
        names = {(row["task"], row["metric"]) for row in bench.view("epoch_metrics")}
        assert len(names) == 1
        reader = Reader(bench.url)
        assert len(reader.view("epoch_metrics", "demo")[1]) == 2
        reader.close()

    @pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
    def test_hosts_and_environments_are_named_anything(self, bench: Bench, text: str) -> None:
        holder = Holder(host=text, boot_id=text, pid=9, process_start=text)
        ids = {bench.storage.register_holder(holder) for _ in range(2)}
        assert len(ids) == 1
        bench.storage.register_worker(
            study_id=bench.study.id,
            holder_id=ids.pop(),
            pid=1,
            environment=dict.fromkeys(("code", "device", "cpu", "host", text), text),
            startup_s=0.0,
        )

    @pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
    def test_a_run_is_lost_for_any_reason(self, bench: Bench, text: str) -> None:
        claim = claimed(bench)
        assert bench.storage.take_back_run(claim.run, claim.token, "WorkerLost", text)

    @pytest.mark.parametrize("number", [0, -1, 2**31, 10**400], ids=range(4))
    def test_an_epoch_that_no_database_counts_fails_its_run_only(
        self, bench: Bench, number: int
    ) -> None:
        bench.plan("a", "b")
        bad, good = bench.claim(2)
        wrong = replace(epoch(bad, 1, 0.3, 0.3), epoch=number)
        bench.storage.record([epoch(good, 1, 0.3, 0.3), wrong, end(good)])
        assert bench.outcome(good.run).state is RunState.DONE
        assert bench.outcome(bad.run).state is RunState.FAILED

    def test_what_is_no_number_fails_its_run_only(self, bench: Bench) -> None:
        bench.plan("a", "b")
        bad, good = bench.claim(2)
        bench.storage.record([epoch(bad, 1, math.nan, 0.3), epoch(good, 1, 0.3, 0.3), end(good)])
        assert bench.outcome(good.run).state is RunState.DONE
        (row,) = bench.attempts(bad.run)
        assert (row["state"], row["failure"]) == ("failed", "BadReport")
        assert "Got nan for validation error of task a" in row["failure_text"]
        assert row["train_s"] == 1.0  # it is paid for
        late = bench.storage.record([epoch(bad, 2, 0.3, 0.3), end(bad)])
        assert len(late.rejected) == 2


class TestTextsOnFile(TextPromises, OnFile):
    pass


class TestTextsOnPostgres(TextPromises, OnPostgres):
    pass
