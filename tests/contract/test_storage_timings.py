"""Promises of `Storage` about what epochs take alone, as it was timed."""

from __future__ import annotations

import pytest

from storage.records import EpochTiming, Spent
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, epoch


class TimingPromises(Backend):
    def test_timings_are_paid_and_stand_beside_each_other(self, bench: Bench) -> None:
        _time(bench, 1.0, 3.0)
        _time(bench, 2.0)
        rows = bench.view("epoch_timings")
        assert [(row["search"], row["sweep"], row["epoch_s"]) for row in rows] == [
            ("ew", 0, 1.0), ("ew", 1, 3.0), ("ew", 0, 2.0)
        ]  # fmt: skip
        paid = [row for row in bench.view("attempt_costs") if row["kind"] == "calibration"]
        assert [row["attempt"] for row in paid] == [rows[0]["attempt"], rows[2]["attempt"]]
        assert {row["hardware"] for row in rows} == {"a cpu"}
        assert [row["device_s"] for row in paid] == [0.5, 0.5]

    def test_all_epochs_cost_alone_the_mean_of_all_timings(self, bench: Bench) -> None:
        bench.plan("a")
        bench.plan("p", search="stl/a", role="baseline")
        spent = Spent(train_s=9.0)
        for claim in bench.claim(2):
            first = epoch(claim, 1, 0.1, 0.1, spent=spent, solo_s=4.0)
            bench.storage.record([first, epoch(claim, 2, 0.1, 0.1, spent=spent)])
            _time(bench, 5.0)
        _time(bench, 9.0, 9.0)
        cost = {row["search"]: row["solo_cost_s"] for row in bench.view("run_results")}
        assert cost == {"ew": 7.0 + 9.0, "stl/a": 4.0 + 9.0}

    def test_a_sweep_at_a_busy_moment_changes_no_ratio_of_costs(self, bench: Bench) -> None:
        for search in ("ew", "stl/a"):
            bench.plan("a", search=search)
            bench.storage.record([epoch(bench.claim_one(), 1, 0.1, 0.1, solo_s=4.0)])
        sweeps = [(2.0, 1.0), (2.0, 1.0), (300.0, 100.0)]
        found = [
            EpochTiming(
                search_id=bench.search(search), sweep=n, hardware="h", epoch_s=s, charged_s=4.0
            )
            for n, pair in enumerate(sweeps)
            for search, s in zip(("ew", "stl/a"), pair, strict=True)
        ]
        bench.storage.save_timings(
            found, study_id=bench.study.id, worker_id=bench.worker_id, seconds=0.5
        )
        cost = {row["search"]: row["solo_cost_s"] for row in bench.view("run_results")}
        ew, stl = (2 * 2 / 3 + 3 / 4) / 3, (2 * 1 / 3 + 1 / 4) / 3
        assert cost["ew"] / cost["stl/a"] == pytest.approx(ew / stl)
        level = (1.5 + 1.5 + 200.0) / 3
        assert cost["ew"] == pytest.approx(2 * ew * level)

    def test_what_epochs_are_charged_with_is_kept(self, bench: Bench) -> None:
        assert bench.storage.charges(bench.study.id) == {}
        _time(bench, 1.0, 3.0)
        assert bench.storage.charges(bench.study.id) == {("a cpu", bench.search()): 4.0}


def _time(bench: Bench, *epoch_s: float) -> None:
    """A calibration of so many sweeps, in which epochs are charged with 4 s."""
    found = [
        EpochTiming(
            search_id=bench.search(), sweep=sweep, hardware="a cpu", epoch_s=seconds, charged_s=4.0
        )
        for sweep, seconds in enumerate(epoch_s)
    ]
    bench.storage.save_timings(
        found, study_id=bench.study.id, worker_id=bench.worker_id, seconds=0.5
    )


class TestTimingOnMemory(TimingPromises, OnMemory):
    """On a database in memory."""


class TestTimingOnPostgres(TimingPromises, OnPostgres):
    """On a PostgreSQL server."""
