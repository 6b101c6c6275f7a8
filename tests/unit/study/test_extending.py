"""A search that is extended goes on from what it has: nothing is trained twice or thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from storage import RunState
from study.deciding.advance import AddRuns, Finished, Propose, SearchStopped, WaitForRuns
from tests.unit.study.specs import a_search
from tests.unit.study.world import RULES, World, bowl

RATES = {"lr": [0.001, 0.01, 0.1]}
WEIGHTS = {"task_weights": {"simplex_step": 0.25}}
TPE = {"temperature": {"log_range": [1, 100]}, "strategy": "tpe", "round_size": 2}


def finished(*stages: dict[str, Any], weighting: str = "scalarization", train: Any = bowl) -> World:
    world = World(a_search(weighting, *stages), train=train)
    assert isinstance(world.run(), Finished)
    return world


class TestSeeds:
    def test_adding_seeds_leaves_decisions_standing_and_adds_only_new_runs(self) -> None:
        world = finished(RATES, WEIGHTS)
        decided, n_runs = list(world.decisions), len(world.outcomes)
        n_trials = len({entry.trial for entry in world.entries})
        world.rules = replace(RULES, seeds=(0, 1, 7))
        assert isinstance(world.run(), Finished)
        assert world.decisions == decided
        new = world.outcomes[n_runs:]
        assert len(new) == n_trials
        assert {outcome.seed for outcome in new} == {7}

    def test_a_search_with_new_seeds_is_not_finished_before_they_are(self) -> None:
        world = finished(RATES, WEIGHTS)
        world.rules = replace(RULES, seeds=(0, 1, 7))
        assert isinstance(world.settle(), WaitForRuns)

    def test_an_undecided_stage_waits_for_the_new_seeds_of_its_incumbents(self) -> None:
        def train(point: Mapping[str, Any], _: int) -> float:
            return 0.0 if point["lr"] == 0.01 and point["temperature"] == 10.0 else 1.0

        world = World(a_search("uw-so", RATES, {"temperature": [1, 100]}), train=train)
        while not any(entry.stage == 1 for entry in world.entries):
            world.settle()
            world.complete(world.open[0])
        world.settle()
        world.rules = replace(RULES, seeds=(0, 1, 7))
        world.settle()
        in_stage_1 = {entry.params for entry in world.entries if entry.stage == 1}
        for outcome in [o for o in world.open if o.params in in_stage_1]:
            world.complete(outcome)
        assert world.settle() == WaitForRuns(1)
        world.run()
        assert world.winners[1]["temperature"] == 10.0


class TestGrowing:
    def test_a_grown_grid_adds_only_new_points_and_decides_anew(self) -> None:
        world = finished(RATES, weighting="ew")
        n_steps, n_runs, before = len(world.log), len(world.outcomes), world.decisions[0]
        world.search = a_search("ew", {"lr": [0.001, 0.01, 0.1, 0.5]})
        assert isinstance(world.run(), Finished)
        first = world.log[n_steps]
        assert isinstance(first, Propose)
        assert len(first.new) == 1
        assert first.retired == []
        assert len(world.outcomes) == n_runs + 2
        assert world.decisions[0].members != before.members
        assert world.decisions[0].params == before.params

    def test_a_changed_winner_retires_the_points_of_later_stages(self) -> None:
        def train(point: Mapping[str, Any], seed: int) -> float:
            return -9.0 if point["lr"] == 0.5 else bowl(point, seed)

        world = finished(RATES, WEIGHTS, train=train)
        old = world.points(1)
        world.search = a_search("scalarization", {"lr": [0.001, 0.01, 0.1, 0.5]}, WEIGHTS)
        assert isinstance(world.run(), Finished)
        assert {point["lr"] for point in world.points(1)} == {0.5}
        assert {entry.stage for entry in world.retired} == {1, 2}
        assert len([e for e in world.retired if e.stage == 1]) == len(old)

    def test_the_same_winner_keeps_later_stages_and_decides_them_anew(self) -> None:
        world = finished(RATES, WEIGHTS)
        winners = world.winners
        n_runs = len(world.outcomes)
        world.search = a_search("scalarization", {"lr": [0.001, 0.01, 0.1, 0.5]}, WEIGHTS)
        assert isinstance(world.run(), Finished)
        assert world.retired == []
        assert world.winners == winners
        assert len(world.outcomes) == n_runs + 2

    def test_a_shrunk_grid_retires_what_it_no_longer_has(self) -> None:
        world = finished(RATES, weighting="ew")
        world.search = a_search("ew", {"lr": [0.001, 0.1]})
        assert isinstance(world.run(), Finished)
        assert [entry.params for entry in world.retired] == ['{"lr":0.01,"weight_decay":0.0}']
        assert world.winners[0]["lr"] in (0.001, 0.1)

    def test_a_point_that_comes_back_is_not_trained_again(self) -> None:
        world = finished(RATES, weighting="ew")
        n_runs = len(world.outcomes)
        for rates in ([0.001, 0.1], RATES["lr"]):
            world.search = a_search("ew", {"lr": rates})
            world.run()
        assert len(world.outcomes) == n_runs
        assert world.winners[0]["lr"] == 0.01

    def test_a_new_last_stage_starts_at_the_winner(self) -> None:
        world = finished(RATES, weighting="ew")
        world.search = a_search("ew", RATES, {"weight_decay": [0.0, 0.1]}, {"lr": "neighbours"})
        assert isinstance(world.run(), Finished)
        assert len(world.winners) == 3
        assert {point["lr"] for point in world.points(1)} == {0.01}

    def test_a_stage_that_the_spec_no_longer_has_decides_nothing(self) -> None:
        world = finished(RATES, {"weight_decay": [0.0, 0.1]}, weighting="ew")
        winner = world.decisions[0].params
        world.search = a_search("ew", RATES)
        assert world.run() == Finished(winner=winner)

    def test_more_tpe_trials_keep_those_that_stand(self) -> None:
        world = finished(RATES, TPE | {"trials": 4}, weighting="uw-so")
        few = world.points(1)
        world.search = a_search("uw-so", RATES, TPE | {"trials": 7})
        assert isinstance(world.run(), Finished)
        assert world.points(1)[:4] == few
        assert len(world.points(1)) == 7

    def test_tpe_grown_later_equals_tpe_asked_for_all_at_once(self) -> None:
        grown = finished(RATES, TPE | {"trials": 4}, weighting="uw-so")
        grown.search = a_search("uw-so", RATES, TPE | {"trials": 8})
        grown.run()
        at_once = finished(RATES, TPE | {"trials": 8}, weighting="uw-so")
        assert grown.points(1) == at_once.points(1)


class TestBudgets:
    def test_a_search_s_budget_cuts_its_trials_in_order(self) -> None:
        world = World(a_search("ew", RATES, budget={"trials": 2}))
        assert world.run() == SearchStopped(
            stage=0, reason="the trial budget ended in stage 1, with 1 point of it left"
        )
        assert [point["lr"] for point in world.points(0)] == [0.001, 0.01]

    def test_no_later_stage_starts_from_an_unfinished_one(self) -> None:
        world = World(a_search("scalarization", RATES, WEIGHTS, budget={"trials": 4}))
        assert isinstance(world.run(), SearchStopped)
        assert len(world.points(1)) == 1
        assert len(world.decisions) == 1

    def test_a_study_s_budget_cuts_too(self) -> None:
        world = World(a_search("ew", RATES), rules=replace(RULES, trials_left=1))
        world.apply(world.step)
        world.rules = replace(RULES, trials_left=0)
        assert isinstance(world.run(), SearchStopped)
        assert len(world.points(0)) == 1

    def test_the_smaller_budget_counts(self) -> None:
        search = a_search("ew", RATES, budget={"trials": 2})
        step = World(search, rules=replace(RULES, trials_left=1)).step
        assert isinstance(step, Propose)
        assert len(step.new) == 1

    def test_no_budget_left_proposes_nothing(self) -> None:
        world = World(a_search("ew", RATES), rules=replace(RULES, trials_left=0))
        assert world.step == SearchStopped(
            stage=0, reason="the trial budget ended in stage 1, with 3 points of it left"
        )

    def test_a_budget_that_is_lowered_below_what_stands_adds_nothing(self) -> None:
        world = World(a_search("scalarization", RATES, WEIGHTS))
        world.apply(world.step)
        world.search = a_search("scalarization", RATES, WEIGHTS, budget={"trials": 1})
        assert isinstance(world.run(), SearchStopped)
        assert (len(world.points(0)), world.points(1)) == (3, [])

    def test_a_budget_that_cuts_a_line_before_its_refinement_stops_it(self) -> None:
        line = {"lr": {"line": [0.001, 0.01, 0.1], "refine": 1}}
        world = World(a_search("ew", line, budget={"trials": 2}))
        assert isinstance(world.run(), SearchStopped)

    def test_a_budget_that_cuts_a_tpe_round_stops_it(self) -> None:
        stages = [{"lr": [0.01]}, TPE | {"trials": 6}]
        world = World(a_search("uw-so", *stages, budget={"trials": 4}))
        assert isinstance(world.run(), SearchStopped)
        assert len(world.points(1)) == 3

    def test_a_raised_budget_goes_on(self) -> None:
        world = World(a_search("ew", RATES, budget={"trials": 2}))
        world.run()
        world.search = a_search("ew", RATES, budget={"trials": 3})
        assert isinstance(world.run(), Finished)

    def test_points_that_another_stage_has_tried_cost_nothing(self) -> None:
        stages = [{"lr": [0.01]}, {"weight_decay": [0.0, 0.1]}]
        world = World(a_search("ew", *stages, budget={"trials": 2}))
        assert isinstance(world.run(), Finished)
        assert len(world.outcomes) == 2 * len(RULES.seeds)


def test_a_point_of_two_stages_is_one_trial() -> None:
    world = finished({"lr": [0.01]}, {"weight_decay": [0.0, 0.1]}, weighting="ew")
    assert [entry.trial for entry in world.entries] == [0, 0, 1]


def test_failed_runs_that_wait_again_are_waited_for() -> None:
    world = World(a_search("ew", RATES), train=lambda *_: RunState.FAILED)
    assert isinstance(world.run(), SearchStopped)
    world.outcomes[0] = replace(world.outcomes[0], state=RunState.WAITING)
    assert world.step == WaitForRuns(0)


def test_missing_runs_are_added_to_what_stands() -> None:
    world = World(a_search("ew", RATES))
    world.apply(world.step)
    step = world.step
    assert isinstance(step, AddRuns)
    world.apply(replace(step, runs=step.runs[:3]))
    assert world.step == replace(step, runs=step.runs[3:])
