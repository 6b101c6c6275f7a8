"""The conductor puts what `advance` says into the database, baseline first."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from storage import RunState
from storage.records import Claim
from study.deciding.advance import WaitForBaseline
from study.errors import BaselineMissing
from study.planning.plan import Plan
from tests.unit.study.fake_trainer import FakeStudy, smooth
from tests.unit.study.specs import a_plan

RATES = {"lr": [0.001, 0.01]}
EW = {"weighting": "ew", "stages": [RATES]}
SOFT = {
    "weighting": "uw-so",
    "stages": [RATES, {"temperature": {"line": [1, 4], "refine": 1}}],
}
TPE = {
    "weighting": "dwa",
    "stages": [
        {
            "temperature": {"log_range": [1, 10]},
            "strategy": "tpe",
            "trials": 4,
            "round_size": 2,
            "at": {"lr": 0.01},
        }
    ],
}
METRICS = {"left": {"error_rate": 2.0}, "right": {"error_rate": 2.0}, "sum": {"mae": 2.0}}


def planned(*searches: dict[str, Any], **keys: Any) -> Plan:
    training = {"epochs": 2, "batch_size": 8, "lr": 0.01}
    return a_plan(*searches, **{"training": training, **keys})


def only_stl(claim: Claim) -> bool:
    return claim.role == "baseline"


@pytest.fixture(scope="module")
def straight() -> FakeStudy:
    """A study whose runs ended in the order of their claims."""
    return FakeStudy(planned(SOFT, TPE, seeds=[0])).run()


@pytest.mark.parametrize("shuffle", range(3))
def test_the_order_in_which_runs_end_changes_nothing(shuffle: int, straight: FakeStudy) -> None:
    shuffled = FakeStudy(straight.plan).run(random.Random(shuffle))
    assert straight.conductor.finished
    for search in straight.plan.searches:
        assert straight.history(search.name) == shuffled.history(search.name)
    assert straight.conductor.baseline == shuffled.conductor.baseline


def test_the_baseline_is_the_mean_over_seeds_at_the_best_rate() -> None:
    study = FakeStudy(planned(EW), level=lambda claim, point: 1.0 + point["lr"] + claim.seed).run()
    baseline = study.conductor.baseline
    assert baseline is not None
    assert baseline.source == "trained"
    values = {(v.task, v.split): (v.value, v.params) for v in baseline.values}
    params = '{"lr":0.001,"weight_decay":0.0}'
    for task in ("left", "right", "sum"):
        assert values[task, "validation"] == (pytest.approx(1.501), params)
        assert values[task, "test"] == (pytest.approx(2.501), params)


@pytest.mark.parametrize(
    ("rule", "validation"), [("best", 1.0), ("last", 1.1), ("mean_last_2", 1.05)]
)
def test_the_baseline_s_epoch_follows_the_rule_of_the_study(rule: str, validation: float) -> None:
    plan = planned(EW, compare={"select_epoch": rule})
    baseline = FakeStudy(plan, level=lambda *_: 1.0).run().conductor.baseline
    assert baseline is not None
    found = [v.value for v in baseline.values if v.split == "validation"]
    assert found == [pytest.approx(validation)] * 3


def test_imported_numbers_serve_both_splits_at_once() -> None:
    study = FakeStudy(planned(EW, baseline={"metrics": METRICS}))
    study.conductor.move()
    baseline = study.conductor.baseline
    assert baseline is not None
    assert baseline.source == "imported"
    assert {(v.split, v.value) for v in baseline.values} == {("validation", 2.0), ("test", 2.0)}


def test_values_are_delta_m_against_the_baseline() -> None:
    study = FakeStudy(planned(EW, baseline={"metrics": METRICS}), level=lambda *_: 1.0).run()
    _, outcomes, _ = study.history("ew")
    assert [value for *_, value, _ in outcomes] == [pytest.approx(-50.0)] * 4


def test_all_searches_start_before_the_baseline_is_there() -> None:
    study = FakeStudy(planned(EW, SOFT))
    study.conductor.move()
    assert {claim.search for claim in study.claim()} >= {"ew", "uw-so", "stl/left"}


def test_single_task_runs_come_first_then_the_longest_chain_of_stages() -> None:
    study = FakeStudy(planned(EW, SOFT, seeds=[0]))
    study.conductor.move()
    ranks: dict[str, int] = {}
    while claims := study.storage.claim(
        study.record.id, holder_id=1, worker_id=1, n=1, lease_s=60.0
    ).claims:
        ranks.setdefault(claims[0].search, len(ranks))
    assert list(ranks)[-2:] == ["uw-so", "ew"]


def test_deciding_waits_for_the_baseline() -> None:
    study = FakeStudy(planned(EW))
    study.conductor.move()
    claims = study.claim()
    for claim in claims:
        if not only_stl(claim):
            study.end(claim)
            study.conductor.move([claim.run])
    assert study.conductor.steps["ew"] == WaitForBaseline(0)
    for claim in claims:
        if only_stl(claim):
            study.end(claim)
            study.conductor.move([claim.run])
    assert study.conductor.finished


def test_runs_that_another_driver_has_ended_are_scored_before_deciding() -> None:
    plan = planned(EW, baseline={"metrics": METRICS})
    mine = FakeStudy(plan)
    mine.conductor.move()
    for claim in mine.claim():
        mine.end(claim)  # as another driver does, which has not scored them yet
    mine.conductor.move([])
    assert mine.conductor.finished
    assert len(mine.history("ew")[2]) == 1


def test_single_task_runs_of_another_driver_are_scored_too() -> None:
    study = FakeStudy(planned(EW))
    study.conductor.move()
    for claim in study.claim():
        study.end(claim)
    study.conductor.move([])
    assert study.conductor.finished


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (RunState.FAILED, "0 diverged, 2 with failed runs"),
        (RunState.DIVERGED, "2 diverged, 0 with failed runs"),
    ],
)
def test_a_task_without_a_baseline_ends_the_study(state: RunState, why: str) -> None:
    def level(claim: Claim, point: Mapping[str, Any]) -> float | RunState:
        return state if claim.search == "stl/right" else smooth(claim, point)

    with pytest.raises(BaselineMissing) as caught:
        FakeStudy(planned(EW), level=level).run()
    said = str(caught.value)
    assert said.startswith(f"The baseline of task right is missing: no trial can win: {why}.")
    assert "give numbers in [baseline] `metrics`" in said
    failed = state is RunState.FAILED
    assert ("smaller learning rates" in said) is not failed
    assert ("weighbridge log" in said and "weighbridge retry" in said) is failed


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (0.0, "is 0 on the validation split, and Δm divides by it. Choose another"),
        (1e-6, "is 1e-06 on the validation split, less than one of its .* samples"),
    ],
)
def test_a_baseline_that_says_nothing_is_refused(value: float, why: str) -> None:
    with pytest.raises(BaselineMissing, match=f"The baseline's error_rate of task left {why}"):
        FakeStudy(planned(EW), level=lambda *_: value).run()


def test_one_bad_rate_leaves_the_baseline_to_the_others() -> None:
    def level(claim: Claim, point: Mapping[str, Any]) -> float | RunState:
        return RunState.DIVERGED if point["lr"] == 0.01 else smooth(claim, point)

    baseline = FakeStudy(planned(EW), level=level).run().conductor.baseline
    assert baseline is not None
    assert {v.params for v in baseline.values} == {'{"lr":0.001,"weight_decay":0.0}'}


def test_a_finished_study_is_finished_when_it_is_opened_again() -> None:
    first = FakeStudy(planned(EW, SOFT)).run()
    again = FakeStudy(first.plan, first.storage)
    again.conductor.move()
    assert again.conductor.finished
    assert again.claim() == []


def test_a_search_that_diverges_throughout_is_reported_as_stopped() -> None:
    def level(claim: Claim, point: Mapping[str, Any]) -> float | RunState:
        return RunState.DIVERGED if claim.search == "ew" else smooth(claim, point)

    study = FakeStudy(planned(EW, SOFT), level=level).run()
    assert study.conductor.finished
    assert study.conductor.stopped == {
        "ew": "no trial can win: 2 diverged, 0 with failed runs",
    }


def test_a_study_s_trial_budget_is_shared_and_leaves_the_baseline_out() -> None:
    study = FakeStudy(planned(EW, SOFT, budget={"trials": 3})).run()
    assert study.conductor.finished
    assert study.storage.totals(study.record.id).trials == 3
    assert "uw-so" in study.conductor.stopped


Extension = Callable[[Plan], Plan]


class TestExtending:
    def extended(self, before: Plan, after: Plan) -> tuple[FakeStudy, int]:
        first = FakeStudy(before).run()
        second = FakeStudy(after, first.storage)
        second.conductor.move()
        return second, len(second.claim())

    def test_a_new_seed_adds_its_runs_only(self) -> None:
        before = planned(EW)
        study, new = self.extended(before, planned(EW, seeds=[0, 1, 2]))
        assert new == 2 + 3 * 2
        assert not study.conductor.finished

    def test_a_new_search_adds_its_runs_only(self) -> None:
        other = {"weighting": "gls", "stages": [RATES]}
        _, new = self.extended(planned(EW), planned(EW, other))
        assert new == 2 * 2

    def test_a_new_rate_of_one_search_makes_the_others_wait_for_the_new_baseline(self) -> None:
        first = FakeStudy(planned(EW, SOFT)).run()
        first.storage.reopen_decisions(first.record.id)
        wider = {"weighting": "ew", "stages": [{"lr": [0.001, 0.01, 0.1]}]}
        second = FakeStudy(planned(wider, SOFT), first.storage)
        second.conductor.move()
        assert second.conductor.steps["uw-so"] == WaitForBaseline(0)
        second.run()
        assert second.conductor.finished

    def test_decisions_stand_when_the_baseline_changes(self) -> None:
        first = FakeStudy(planned(EW, SOFT)).run()
        decisions = first.history("uw-so")[2]
        second = FakeStudy(planned(EW, SOFT, seeds=[0, 1, 2]), first.storage).run()
        assert second.conductor.baseline != first.conductor.baseline
        assert second.history("uw-so")[2] == decisions

    def test_reopened_decisions_are_taken_under_the_baseline_of_now(self) -> None:
        first = FakeStudy(planned(EW)).run()
        second = FakeStudy(planned(EW, seeds=[0, 1, 2]), first.storage).run()
        second.storage.reopen_decisions(second.record.id)
        third = FakeStudy(second.plan, first.storage)
        third.conductor.move()
        assert third.conductor.finished
        (decision,) = third.history("ew")[2]
        baseline = third.conductor.baseline
        assert baseline is not None
        assert decision.baseline_hash == baseline.hash

    def test_a_raised_budget_goes_on(self) -> None:
        first = FakeStudy(planned(EW, budget={"trials": 1})).run()
        assert first.conductor.stopped
        second = FakeStudy(planned(EW, budget={"trials": 2}), first.storage).run()
        assert second.conductor.finished
        assert second.conductor.stopped == {}


def test_winners_get_fresh_seeds() -> None:
    plan = planned(EW, confirm={"seeds": 2})
    study = FakeStudy(plan).run()
    _, outcomes, _ = study.history("ew")
    fresh = [(params, seed) for params, seed, role, *_ in outcomes if role == "confirm"]
    assert [seed for _, seed in fresh] == list(plan.confirm_seeds)
    assert len({params for params, _ in fresh}) == 1


def test_a_metric_to_be_maximised_picks_the_highest_rate() -> None:
    plan = planned(EW)
    searches = [
        replace(search, objective=replace(search.objective, direction="max"))
        if search.name == "stl/sum"
        else search
        for search in plan.searches
    ]
    study = FakeStudy(replace(plan, searches=searches), level=lambda _, point: 1.0 + point["lr"])
    study.conductor.move()
    while claims := study.claim():
        for claim in claims:
            study.end(claim)
            study.conductor.move([claim.run])
    decided = {name: study.history(name)[2][0].params for name in ("stl/sum", "stl/left")}
    assert decided["stl/sum"] == '{"lr":0.01,"weight_decay":0.0}'
    assert decided["stl/left"] == '{"lr":0.001,"weight_decay":0.0}'
