"""Promises of `Storage` about limits: a claim never hands out what they do not allow."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import RunState
from storage.limits import Limit, Limits
from storage.records import Ending, Spent
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import Bench, end, epoch

EPOCHS = 3  # of each of the bench's runs


def of_study(**most: Any) -> Limits:
    return Limits(study=Limit(**most))


class BudgetPromises(Backend):
    def test_within_its_limits_a_claim_is_as_ever(self, bench: Bench) -> None:
        bench.plan("a", "b")
        claimed = bench.claimed(2, limits=of_study(epochs=6, device_s=1.0, money=1.0))
        assert [claim.params for claim in claimed.claims] == ["a", "b"]
        assert (claimed.exhausted, claimed.barred) == ("", {})

    def test_a_pack_is_as_large_as_the_limit_allows(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        claimed = bench.claimed(3, limits=of_study(epochs=2 * EPOCHS + 2))
        assert [claim.params for claim in claimed.claims] == ["a", "b"]
        assert claimed.exhausted == "epochs"

    def test_leased_runs_reserve_their_epochs(self, bench: Bench) -> None:
        bench.plan("a", "b")
        bench.claim_one()
        claimed = bench.claimed(limits=of_study(epochs=2 * EPOCHS - 1))
        assert (claimed.claims, claimed.exhausted) == ([], "epochs")

    def test_what_an_ended_run_did_not_take_is_free_again(self, bench: Bench) -> None:
        bench.plan("a", "b")
        bench.storage.record([end(bench.claim_one(), RunState.DIVERGED, after=0)])
        assert bench.claimed(limits=of_study(epochs=EPOCHS)).exhausted == "epochs"
        # the epoch in which it diverged is paid
        assert bench.claimed(limits=of_study(epochs=EPOCHS + 1)).exhausted == ""

    def test_lost_attempts_are_paid_from_the_budget(self, bench: Bench) -> None:
        bench.plan("a")
        bench.storage.record([epoch(bench.claim_one(), 1, 0.1, 0.1)])
        bench.take_back(bench.holder)
        assert bench.claimed(limits=of_study(epochs=EPOCHS)).exhausted == "epochs"
        assert bench.claimed(limits=of_study(epochs=EPOCHS + 1)).exhausted == ""

    def test_what_was_added_up_before_is_not_forgotten(self, bench: Bench) -> None:
        bench.plan("a", "b", "c", "d")
        limits = of_study(epochs=3 * EPOCHS)
        first, second = bench.claimed(2, limits=limits).claims
        bench.train(second, (0.1, 0.1), (0.1, 0.1), (0.1, 0.1))  # behind one that still runs
        third = bench.claimed(limits=limits).claims[0]
        bench.train(first, (0.1, 0.1), (0.1, 0.1), (0.1, 0.1))
        bench.train(third, (0.1, 0.1), (0.1, 0.1), (0.1, 0.1))
        assert bench.claimed(limits=limits).exhausted == "epochs"
        assert bench.claimed(limits=of_study(epochs=4 * EPOCHS)).exhausted == ""

    def test_beside_a_search_at_its_limit_the_first_in_line_of_the_others_is_next(
        self, bench: Bench
    ) -> None:
        bench.plan("a", rank=1, pack="another")
        bench.plan("b", search="stl/b", rank=3)
        bench.plan("c", search="stl/a", rank=2)
        claimed = bench.claimed(9, limits=Limits(searches={bench.search(): Limit(epochs=1)}))
        assert [claim.params for claim in claimed.claims] == ["c"]
        assert claimed.barred == {bench.search(): "epochs"}

    def test_device_time_that_is_used_up_is_refused(self, bench: Bench) -> None:
        bench.plan("a")
        bench.add_worker(startup_s=5.0)
        assert bench.claimed(limits=of_study(device_s=5.0)).exhausted == "device_s"
        assert bench.claimed(limits=of_study(device_s=5.1)).exhausted == ""

    def test_a_run_is_expected_to_take_what_finished_ones_took(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        bench.storage.record([_hours(bench, 1.0)])
        limits = of_study(device_s=3600.0 * 2.5)
        assert len(bench.claimed(limits=limits).claims) == 1
        assert bench.claimed(limits=limits).exhausted == "device_s"

    def test_money_is_limited_like_time(self, bench: Bench) -> None:
        bench.plan("a", "b", "c")
        bench.worker_id = bench.add_worker(price_per_h=4.0)
        bench.storage.record([_hours(bench, 1.0)])
        limits = of_study(money=10.0)
        assert len(bench.claimed(limits=limits).claims) == 1
        assert bench.claimed(limits=limits).exhausted == "money"

    def test_a_search_at_its_limit_is_passed_over(self, bench: Bench) -> None:
        stl = bench.search("stl/a")
        bench.plan("mine", rank=5)
        bench.plan("barred", search="stl/a", rank=0, pack="other")
        claimed = bench.claimed(9, limits=Limits(searches={stl: Limit(epochs=EPOCHS - 1)}))
        assert [claim.params for claim in claimed.claims] == ["mine"]
        assert (claimed.exhausted, claimed.barred) == ("", {stl: "epochs"})

    def test_members_of_a_search_at_its_limit_do_not_come_along(self, bench: Bench) -> None:
        bench.plan("mine", rank=0)
        bench.plan("x", "y", search="stl/a", rank=5)
        limits = Limits(searches={bench.search("stl/a"): Limit(epochs=EPOCHS)})
        claims = bench.claimed(9, limits=limits).claims
        assert [claim.params for claim in claims] == ["mine", "x"]

    def test_the_budget_of_one_search_is_not_used_by_another(self, bench: Bench) -> None:
        bench.plan("other", search="stl/a", rank=0)
        bench.plan("mine", rank=5)
        bench.claim_one()
        limits = Limits(searches={bench.search(): Limit(epochs=EPOCHS)})
        assert len(bench.claimed(limits=limits).claims) == 1

    @given(
        most=st.integers(1, 20),
        sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6),
        losses=st.lists(st.integers(0, EPOCHS - 1), min_size=6, max_size=6),
    )
    @settings(
        max_examples=15,
        deadline=None,
        # each example works in a study of its own; each backend runs the test in its own class
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    def test_no_more_epochs_are_trained_than_the_limit(
        self, bench: Bench, most: int, sizes: list[int], losses: list[int]
    ) -> None:
        bench.study = bench.save(f"study {len(bench.storage.studies())}")
        bench.plan(*(f"{bench.study.id} {number}" for number in range(8)))
        for n, lost_after in zip(sizes, losses, strict=False):
            for claim in bench.claimed(n, limits=of_study(epochs=most)).claims:
                bench.storage.record(
                    [epoch(claim, i + 1, 0.1, 0.1) for i in range(lost_after or EPOCHS)]
                )
                if lost_after:
                    bench.storage.take_back_run(claim.run, claim.token, "WorkerLost", "it was lost")
                else:
                    bench.storage.record([end(claim)])
        totals = bench.storage.totals(bench.study.id)
        assert totals.epochs <= most
        rows = [r for r in bench.view("attempt_costs") if r["study"] == bench.study.name]
        assert totals.epochs == sum(row["epochs"] for row in rows)
        assert totals.device_s == pytest.approx(math.fsum(row["device_s"] for row in rows))


def _hours(bench: Bench, hours: float) -> Ending:
    """The end of a run that took so long."""
    return replace(end(bench.claim_one()), spent=Spent(train_s=3600.0 * hours))


class TestBudgetsOnMemory(BudgetPromises, OnMemory):
    pass


class TestBudgetsOnPostgres(BudgetPromises, OnPostgres):
    pass
