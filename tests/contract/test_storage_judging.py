"""Promises of `Storage` about what runs are worth: decisions, baselines and scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.records import Baseline, BaselineValue, Claim, RunOutcome
from storage.scoring import Selection
from tests.contract.storage_backends import Backend, OnMemory, OnPostgres
from tests.contract.storage_bench import (
    DELTA_M,
    OBJECTIVES,
    PRIMARY,
    Bench,
    baseline,
    decision,
    reference,
)

BEST = Selection()


class JudgingPromises(Backend):
    def test_a_decision_stands(self, bench: Bench) -> None:
        bench.propose("a")
        bench.storage.decide(bench.search(), decision(0, "a", -1.5))
        (found,) = bench.storage.history(bench.search()).decisions
        assert found == decision(0, "a", -1.5)

    def test_a_newer_decision_takes_the_place_of_the_older(self, bench: Bench) -> None:
        bench.propose("a", "b")
        bench.storage.decide(bench.search(), decision(0, "a"))
        bench.storage.decide(bench.search(), decision(0, "b"))
        assert _decided(bench) == [(0, "b")]

    def test_later_stages_no_longer_stand_when_an_earlier_is_decided(self, bench: Bench) -> None:
        bench.propose("a", "b")
        for stage in (0, 1, 2):
            bench.storage.decide(bench.search(), decision(stage, "a"))
        bench.storage.decide(bench.search(), decision(1, "b"))
        assert _decided(bench) == [(0, "a"), (1, "b")]

    def test_decisions_of_another_search_stand(self, bench: Bench) -> None:
        for search in ("ew", "stl/a"):
            bench.propose("a", search=search)
            bench.storage.decide(bench.search(search), decision(0, "a"))
        assert _decided(bench) == [(0, "a")]

    def test_decisions_that_no_longer_stand_are_kept(self, bench: Bench) -> None:
        bench.propose("a", "b")
        bench.storage.decide(bench.search(), decision(0, "a"))
        bench.storage.decide(bench.search(), decision(0, "b"))
        assert [row["standing"] for row in bench.view("stage_decisions")] == [0, 1]

    def test_reopening_says_how_many_decisions_stood(self, bench: Bench) -> None:
        bench.propose("a")
        bench.storage.decide(bench.search(), decision(0, "a"))
        bench.storage.decide(bench.search(), decision(0, "a"))
        assert bench.storage.reopen_decisions(bench.study.id) == 1
        assert _decided(bench) == []

    def test_there_is_no_baseline_at_first(self, bench: Bench) -> None:
        assert bench.storage.baseline(bench.study.id) is None

    def test_a_baseline_is_found_as_it_was_set(self, bench: Bench) -> None:
        bench.storage.set_baseline(bench.study.id, baseline())
        assert bench.storage.baseline(bench.study.id) == baseline()

    def test_a_measured_baseline_knows_its_points(self, bench: Bench) -> None:
        bench.plan("p", search="stl/a")
        value = BaselineValue(task="a", metric="error", split="test", value=0.2, params="p")
        measured = Baseline(hash="h", source="measured", values=(value,))
        bench.storage.set_baseline(bench.study.id, measured)
        assert bench.storage.baseline(bench.study.id) == measured

    def test_a_newer_baseline_takes_the_place_of_the_older(self, bench: Bench) -> None:
        bench.storage.set_baseline(bench.study.id, baseline("old"))
        bench.storage.set_baseline(bench.study.id, baseline("new", error=0.3))
        assert bench.storage.baseline(bench.study.id) == baseline("new", error=0.3)

    def test_going_back_to_an_older_baseline_brings_its_numbers_back(self, bench: Bench) -> None:
        bench.storage.set_baseline(bench.study.id, baseline("old"))
        bench.storage.set_baseline(bench.study.id, baseline("new", error=0.3))
        bench.storage.set_baseline(bench.study.id, baseline("old"))
        assert bench.storage.baseline(bench.study.id) == baseline("old")

    def test_going_back_adds_no_second_copy(self, bench: Bench) -> None:
        for name in ("old", "new", "old"):
            bench.storage.set_baseline(bench.study.id, baseline(name))
        assert len(bench.view("baseline_metrics")) == 2 * len(baseline().values)

    def test_baselines_of_two_studies_do_not_meet(self, bench: Bench) -> None:
        other = bench.save("other")
        bench.storage.set_baseline(bench.study.id, baseline())
        assert bench.storage.baseline(other.id) is None

    def test_delta_m_is_exact_against_numbers_made_by_hand(self, bench: Bench) -> None:
        # a: (0.25 - 0.2) / 0.2 = +25 %; b, higher is better: -(0.6 - 0.5) / 0.5 = -20 %
        outcome = _scored(bench, (0.25, 0.25), b=0.6)
        assert outcome.value == pytest.approx(2.5, abs=1e-12)

    def test_the_epoch_that_counts_is_the_earliest_best(self, bench: Bench) -> None:
        _scored(bench, (0.3, 0.4), (0.1, 0.2), (0.1, 0.05), (0.2, 0.0))
        (row,) = bench.view("run_results")
        assert row["epoch_selected"] == 2
        assert row["delta_m_test"] == pytest.approx(0.0, abs=1e-12)

    def test_a_test_value_never_moves_the_epoch(self, bench: Bench) -> None:
        _scored(bench, (0.1, 0.9), (0.2, 0.0))
        assert bench.view("run_results")[0]["epoch_selected"] == 1

    def test_the_last_epoch_counts_where_the_rule_says_so(self, bench: Bench) -> None:
        outcome = _scored(bench, (0.1, 0.1), (0.3, 0.1), selection=Selection(rule="last"))
        assert bench.view("run_results")[0]["epoch_selected"] == 2
        assert outcome.value == pytest.approx(25.0, abs=1e-12)

    def test_the_mean_of_the_last_epochs_counts_where_the_rule_says_so(self, bench: Bench) -> None:
        rule = Selection(rule="mean_last_k", k=2)
        outcome = _scored(bench, (9.0, 9.0), (0.2, 0.2), (0.3, 0.3), selection=rule)
        assert bench.view("run_results")[0]["epoch_selected"] == 3
        assert outcome.value == pytest.approx(12.5, abs=1e-12)

    def test_a_new_baseline_scores_anew(self, bench: Bench) -> None:
        before = _scored(bench, (0.3, 0.3))
        assert before.value == pytest.approx(25.0, abs=1e-12)
        _score(bench, baseline("b2", error=0.3))
        assert bench.outcome(before.run).value == pytest.approx(0.0, abs=1e-12)
        assert bench.view("run_results")[0]["baseline_hash"] == "b2"

    def test_a_score_under_the_same_baseline_stays(self, bench: Bench) -> None:
        outcome = _scored(bench, (0.3, 0.3))
        _score(bench, baseline(), Selection(rule="last"))
        assert bench.outcome(outcome.run) == outcome

    def test_only_the_named_runs_are_scored(self, bench: Bench) -> None:
        bench.plan("a", "b")
        first, second = bench.claim(2)
        for claim in (first, second):
            bench.train(claim, (0.2, 0.2))
        _score(bench, baseline(), only=[second.run])
        assert bench.outcome(first.run).value is None
        assert bench.outcome(second.run).value == 0.0

    def test_a_run_that_is_not_done_is_not_scored(self, bench: Bench) -> None:
        bench.plan("a")
        bench.claim_one()
        _score(bench, baseline())
        assert bench.outcomes()[0].value is None

    @pytest.mark.parametrize(("task", "best_epoch", "value"), [("a", 2, 0.1), ("b", 1, 0.5)])
    def test_single_task_runs_count_by_their_primary_metric(
        self, bench: Bench, task: str, best_epoch: int, value: float
    ) -> None:
        bench.plan("p", search=f"stl/{task}", role="baseline")
        claim = bench.claim_one()
        bench.train(claim, (0.3, 0.3), (0.1, 0.1), (0.2, 0.2))
        bench.storage.score(bench.study.id, PRIMARY, BEST)
        assert bench.outcome(claim.run, f"stl/{task}").value == value
        assert bench.view("run_results")[0]["epoch_selected"] == best_epoch

    def test_single_task_runs_where_higher_is_better_take_the_highest(self, bench: Bench) -> None:
        bench.plan("p", search="stl/a", role="baseline")
        claim = bench.claim_one()
        bench.train(claim, (0.3, 0.3), (0.1, 0.1), (0.4, 0.4))
        highest = replace(PRIMARY["stl/a"], direction="max")
        bench.storage.score(bench.study.id, {"stl/a": highest}, BEST)
        assert bench.outcome(claim.run, "stl/a").value == 0.4

    def test_single_task_runs_have_no_delta_m(self, bench: Bench) -> None:
        bench.plan("p", search="stl/a", role="baseline")
        bench.train(bench.claim_one(), (0.3, 0.3))
        bench.storage.score(bench.study.id, PRIMARY, BEST)
        _score(bench, baseline())
        (row,) = bench.view("run_results")
        assert (row["delta_m_val"], row["delta_m_test"]) == (None, None)

    def test_an_objective_without_a_baseline_has_its_own_epoch_and_value(
        self, bench: Bench
    ) -> None:
        claim = _trained(bench, (0.3, 0.4), (0.1, 0.2))
        bench.storage.score(bench.study.id, {"ew": OBJECTIVES["b.score"]}, BEST)
        row = _row(bench, claim.run)
        assert (row["objective"], row["epoch_selected"]) == ("b.score", 1), "the earliest best"
        assert (row["value_val"], row["value_test"]) == (0.5, 0.5)
        assert (row["delta_m_val"], row["delta_m_test"], row["baseline_hash"]) == (None,) * 3

    def test_delta_m_comes_beside_it_at_its_epoch(self, bench: Bench) -> None:
        claim = _trained(bench, (0.3, 0.4), (0.1, 0.2))
        objectives = {"ew": OBJECTIVES["b.score"]}
        bench.storage.score(bench.study.id, objectives, BEST)
        before = _row(bench, claim.run)
        against = reference(baseline())
        bench.storage.score(bench.study.id, objectives, BEST, reference=against)
        after = _row(bench, claim.run)
        beside = {name: after[name] for name in ("delta_m_val", "delta_m_test", "baseline_hash")}
        # a: (0.3 - 0.2) / 0.2 = +50 %, (0.4 - 0.2) / 0.2 = +100 %; b: 0 %
        assert beside == {
            "delta_m_val": pytest.approx(25.0),
            "delta_m_test": pytest.approx(50.0),
            "baseline_hash": "b1",
        }
        assert {
            name: v for name, v in after.items() if name not in beside
        }.items() <= before.items()

    def test_a_baseline_that_is_not_final_any_more_takes_no_delta_m_away(
        self, bench: Bench
    ) -> None:
        claim = _trained(bench, (0.3, 0.4))
        objectives = {"ew": OBJECTIVES["a.error"]}
        bench.storage.score(bench.study.id, objectives, BEST, reference=reference(baseline()))
        before = _row(bench, claim.run)
        bench.storage.score(bench.study.id, objectives, BEST)
        assert _row(bench, claim.run) == before

    @pytest.mark.parametrize(("last", "error"), [(1, 0.1), (2, 0.25)])
    def test_objectives_beside_the_first_are_of_its_epochs(
        self, bench: Bench, last: int, error: float
    ) -> None:
        claim = _trained(bench, (0.9, 0.4), (0.4, 0.3), (0.1, 0.2))
        rule = Selection(rule="last")
        bench.storage.score(bench.study.id, {"ew": OBJECTIVES["b.score"]}, rule)
        beside = [("a", "error"), ("b", "score")]
        (outcome,) = bench.storage.history(bench.search(), beside=beside, last=last).outcomes
        assert (outcome.run, outcome.others) == (claim.run, pytest.approx((error, 0.5)))

    def test_what_has_no_score_has_no_objectives_beside_it(self, bench: Bench) -> None:
        _trained(bench, (0.3, 0.4))
        (outcome,) = bench.storage.history(bench.search(), beside=[("a", "error")]).outcomes
        assert (outcome.value, outcome.others) == (None, ())

    def test_searches_that_are_not_named_are_not_scored(self, bench: Bench) -> None:
        claim = _trained(bench, (0.3, 0.4))
        bench.storage.score(bench.study.id, PRIMARY, BEST)
        assert bench.outcome(claim.run).value is None


def _trained(bench: Bench, *curve: tuple[float, float]) -> Claim:
    bench.plan("a")
    claim = bench.claim_one()
    bench.train(claim, *curve)
    return claim


def _row(bench: Bench, run: int) -> dict[str, Any]:
    (row,) = (dict(row) for row in bench.view("run_results") if row["run"] == run)
    return row


def _decided(bench: Bench) -> list[tuple[int, str]]:
    decisions = bench.storage.history(bench.search()).decisions
    return [(found.stage, found.params) for found in decisions]


def _score(
    bench: Bench,
    against: Baseline,
    selection: Selection = BEST,
    *,
    only: list[int] | None = None,
) -> None:
    bench.storage.set_baseline(bench.study.id, against)
    bench.storage.score(bench.study.id, DELTA_M, selection, reference=reference(against), only=only)


def _scored(
    bench: Bench, *curve: tuple[float, float], b: float = 0.5, selection: Selection = BEST
) -> RunOutcome:
    """A run with that curve, scored against the usual baseline (a: 0.2, b: 0.5)."""
    bench.plan("a")
    claim = bench.claim_one()
    bench.train(claim, *curve, b=b)
    _score(bench, baseline(), selection)
    return bench.outcome(claim.run)


class TestJudgingOnMemory(JudgingPromises, OnMemory):
    pass


class TestJudgingOnPostgres(JudgingPromises, OnPostgres):
    pass
