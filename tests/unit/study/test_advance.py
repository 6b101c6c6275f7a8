"""What a search does next is a function of its plan and its history, and of nothing else."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import RunState
from storage.objectives.task_metric import task_metric
from study.deciding.advance import (
    AddRuns,
    Decide,
    Finished,
    Propose,
    SearchStopped,
    WaitForBaseline,
    WaitForRuns,
)
from study.planning.search_plan import Search
from tests.unit.study.specs import a_search
from tests.unit.study.world import RULES, World, bowl

RATES = {"lr": [0.001, 0.01, 0.1]}
LINE = {"temperature": {"line": [1, 10, 100], "refine": 2}}
TPE = {
    "temperature": {"log_range": [1, 100]},
    "strategy": "tpe",
    "trials": 5,
    "round_size": 2,
}
SEARCHES = {
    "grid": a_search("scalarization", RATES, {"task_weights": {"simplex_step": 0.25}}),
    "line": a_search("uw-so", RATES, LINE),
    "tpe": a_search("uw-so", RATES, TPE),
    "random": a_search(
        "dwa", RATES, {"weight_decay": [0.0, 0.1], "strategy": "random", "trials": 2}
    ),
}


def troubled(point: Mapping[str, Any], seed: int) -> float | RunState:
    """As `bowl`, but some runs diverge and some fail."""
    chance = random.Random(f"{sorted(point.items())} {seed} trouble").random()
    if chance < 0.1:
        return RunState.DIVERGED
    return RunState.FAILED if chance < 0.15 else bowl(point, seed)


@given(name=st.sampled_from(list(SEARCHES)), order=st.randoms(use_true_random=False))
def test_the_order_in_which_runs_end_changes_nothing(name: str, order: random.Random) -> None:
    straight = World(SEARCHES[name], train=troubled)
    shuffled = World(SEARCHES[name], train=troubled)
    assert straight.run() == shuffled.run(order)
    assert straight.log == shuffled.log
    assert straight.winners == shuffled.winners


@pytest.mark.parametrize("name", list(SEARCHES))
def test_a_search_ends_with_a_winner_for_each_stage(name: str) -> None:
    world = World(SEARCHES[name])
    assert isinstance(world.run(), Finished)
    assert len(world.winners) == len(SEARCHES[name].stages)


@pytest.mark.parametrize("name", list(SEARCHES))
def test_doing_a_step_twice_changes_nothing(name: str) -> None:
    once, twice = World(SEARCHES[name]), World(SEARCHES[name])
    for world in (once, twice):
        while not isinstance(step := world.step, Finished):
            if isinstance(step, WaitForRuns):
                world.complete(world.open[0])
                continue
            world.apply(step)
            if world is twice and not isinstance(step, Propose):
                world.apply(step)
    assert once.history == twice.history


@pytest.mark.parametrize("name", list(SEARCHES))
def test_a_search_replayed_from_its_history_waits_at_once(name: str) -> None:
    world = World(SEARCHES[name])
    world.run()
    n_steps = len(world.log)
    assert isinstance(world.settle(), Finished)
    assert len(world.log) == n_steps


@pytest.mark.parametrize("name", list(SEARCHES))
def test_the_winner_beats_every_other_trial(name: str) -> None:
    world = World(SEARCHES[name])
    world.run()
    best = min(
        sum(bowl(point, seed) for seed in RULES.seeds)
        for stage in range(len(world.search.stages))
        for point in world.points(stage)
    )
    assert sum(bowl(world.winners[-1], seed) for seed in RULES.seeds) == best


def one_stage(train: Any, values: Mapping[str, Any] = RATES, **keys: Any) -> World:
    return World(a_search("ew", dict(values)), train=train, **keys)


class TestOneStage:
    def test_the_first_step_proposes_the_whole_grid(self) -> None:
        step = one_stage(bowl).step
        assert isinstance(step, Propose)
        assert (step.stage, step.kind, step.tuned) == (0, "grid", ("lr",))
        assert len(step.new) == 3
        assert step.retired == []

    def test_the_second_step_adds_a_run_for_each_point_and_seed(self) -> None:
        world = one_stage(bowl)
        world.apply(world.step)
        step = world.step
        assert isinstance(step, AddRuns)
        assert [seed for _, seed in step.runs] == [0, 1] * 3
        assert (step.role, step.stages_left) == ("search", 1)

    def test_it_waits_while_a_single_run_is_open(self) -> None:
        world = one_stage(bowl)
        world.settle()
        while len(world.open) > 1:
            world.complete(world.open[0])
            assert world.step == WaitForRuns(0)

    def test_the_decision_holds_the_seed_mean_and_the_baseline(self) -> None:
        world = one_stage(lambda point, seed: point["lr"] + seed)
        world.run()
        (decision,) = world.decisions
        assert decision.value == pytest.approx(0.501)
        assert decision.baseline_hash == "b"

    def test_a_diverged_seed_never_wins(self) -> None:
        def train(point: Mapping[str, Any], seed: int) -> float | RunState:
            best = point["lr"] == 0.001
            return RunState.DIVERGED if best and seed == 1 else point["lr"]

        world = one_stage(train)
        world.run()
        assert world.winners[0]["lr"] == 0.01

    def test_a_failed_seed_makes_its_trial_ineligible(self) -> None:
        def train(point: Mapping[str, Any], seed: int) -> float | RunState:
            return RunState.FAILED if point["lr"] == 0.001 and seed == 0 else point["lr"]

        world = one_stage(train)
        world.run()
        assert world.winners[0]["lr"] == 0.01

    def test_with_everything_diverged_it_stops_and_says_so(self) -> None:
        step = one_stage(lambda *_: RunState.DIVERGED).run()
        assert step == SearchStopped(
            stage=0, reason="no trial can win: 3 diverged, 0 with failed runs"
        )

    def test_with_everything_failed_it_stops_and_says_so(self) -> None:
        step = one_stage(lambda *_: RunState.FAILED).run()
        assert step == SearchStopped(
            stage=0, reason="no trial can win: 0 diverged, 3 with failed runs"
        )

    def test_of_equal_values_the_cheapest_wins(self) -> None:
        world = one_stage(lambda *_: 1.0, costs=lambda point: 1 if point["lr"] == 0.01 else 2)
        world.run()
        assert world.winners[0]["lr"] == 0.01

    def test_of_equal_values_and_costs_the_first_wins(self) -> None:
        world = one_stage(lambda *_: 1.0, {"lr": [0.1, 0.001, 0.01]})
        world.run()
        assert world.winners[0]["lr"] == 0.1


class TestBaseline:
    def unbased(self, search: Search) -> World:
        return World(search, rules=replace(RULES, baseline_hash=None))

    def test_running_never_waits_for_it_deciding_does(self) -> None:
        world = self.unbased(a_search("ew", RATES))
        assert world.run() == WaitForBaseline(0)
        assert world.open == []

    def test_it_decides_once_the_baseline_is_there(self) -> None:
        world = self.unbased(a_search("ew", RATES))
        world.run()
        world.rules = RULES
        world.score()
        assert isinstance(world.run(), Finished)

    def test_runs_that_nobody_has_scored_yet_are_waited_for(self) -> None:
        world = self.unbased(a_search("ew", RATES))
        world.run()
        world.rules = RULES
        assert world.step == WaitForBaseline(0)

    @pytest.mark.parametrize("name", ["line", "tpe"])
    def test_values_of_an_earlier_baseline_do_not_count(self, name: str) -> None:
        world = World(SEARCHES[name])
        world.run()
        world.decisions = []
        world.rules = replace(RULES, baseline_hash=None)
        assert world.step == WaitForBaseline(0)

    def test_adaptive_stages_wait_for_it_before_their_second_round(self) -> None:
        line = {"lr": {"line": [0.001, 0.1], "refine": 1}}
        world = self.unbased(a_search("ew", line))
        assert world.run() == WaitForBaseline(0)
        assert len(world.points(0)) == 2

    @pytest.mark.parametrize(
        ("lower", "winner", "value"), [(True, 0.001, 0.001), (False, 0.1, 0.1)]
    )
    def test_single_task_searches_decide_by_their_metric_s_direction(
        self, lower: bool, winner: float, value: float
    ) -> None:
        metric = task_metric(("a", "score", "min" if lower else "max"), ())
        search = replace(a_search("ew", RATES), role="baseline", objective=metric)
        world = World(search, train=lambda point, _: point["lr"])
        world.run()
        world.rules = replace(RULES, baseline_hash=None)
        world.decisions = []
        assert isinstance(world.settle(), Finished)
        assert world.winners[0]["lr"] == winner
        assert world.decisions[0].value == value


class TestStages:
    def test_a_stage_starts_at_the_winner_of_the_one_before(self) -> None:
        world = World(SEARCHES["grid"])
        world.run()
        assert {point["lr"] for point in world.points(1)} == {0.01}
        assert {tuple(point["task_weights"]) for point in world.points(0)} == {(1 / 3,) * 3}

    def test_the_closing_stage_tries_the_rates_beside_the_winner(self) -> None:
        world = World(SEARCHES["grid"])
        world.run()
        assert sorted(point["lr"] for point in world.points(2)) == [0.001, 0.1]
        assert all(p["task_weights"] == world.winners[1]["task_weights"] for p in world.points(2))

    def test_at_an_edge_the_closing_stage_has_one_neighbour(self) -> None:
        world = World(SEARCHES["grid"], train=lambda point, _: float(point["lr"]))
        world.run()
        assert [point["lr"] for point in world.points(2)] == [0.01]

    def test_values_of_at_hold_for_the_stage(self) -> None:
        stage = {"task_weights": {"simplex_step": 0.25}, "at": {"lr": 0.1}}
        world = World(a_search("scalarization", RATES, stage))
        world.run()
        assert {point["lr"] for point in world.points(1)} == {0.1}

    def test_an_earlier_winner_stays_the_incumbent(self) -> None:
        def train(point: Mapping[str, Any], _: int) -> float:
            return 0.0 if point["temperature"] == 10.0 else 1.0

        world = World(a_search("uw-so", RATES, {"temperature": [1, 100]}), train=train)
        world.run()
        assert {winner["temperature"] for winner in world.winners} == {10.0}

    def test_a_stage_without_survivors_falls_back_to_the_incumbent(self) -> None:
        def train(point: Mapping[str, Any], _: int) -> float | RunState:
            return 1.0 if point["temperature"] == 10.0 else RunState.DIVERGED

        world = World(a_search("uw-so", RATES, {"temperature": [1, 100]}), train=train)
        assert isinstance(world.run(), Finished)


class TestRefinement:
    def line(self, values: list[float], refine: int, best: float) -> list[float]:
        stage = {"lr": {"line": values, "refine": refine}}
        world = World(
            a_search("ew", stage),
            train=lambda point, _: abs(math.log(point["lr"]) - math.log(best)),
        )
        world.run()
        return [point["lr"] for point in world.points(0)]

    def test_a_round_adds_the_midpoints_beside_the_best(self) -> None:
        assert self.line([1.0, 4.0, 16.0], 1, 4.0) == [1.0, 4.0, 16.0, 2.0, 8.0]

    def test_the_second_round_goes_on_from_the_first(self) -> None:
        assert self.line([1.0, 4.0, 16.0], 2, 2.0)[5:] == pytest.approx([1.41421, 2.82843])

    def test_at_an_edge_it_steps_outward_twice_at_most(self) -> None:
        tried = self.line([1.0, 4.0], 4, 1e9)
        assert tried[2:] == pytest.approx([2.0, 16.0, 8.0, 64.0, 32.0, 45.2548])

    def test_all_diverged_ends_the_line(self) -> None:
        stage = {"lr": {"line": [1, 4], "refine": 2}}
        world = World(a_search("ew", stage), train=lambda *_: RunState.DIVERGED)
        assert isinstance(world.run(), SearchStopped)
        assert len(world.points(0)) == 2


class TestConfirmation:
    RULES = replace(RULES, confirm_seeds=(10**9, 10**9 + 1), confirm_top=2)

    def test_the_best_trials_get_fresh_seeds(self) -> None:
        world = World(a_search("ew", RATES), rules=self.RULES)
        assert isinstance(world.run(), Finished)
        fresh = [(o.params, o.seed) for o in world.outcomes if o.role == "confirm"]
        assert len(fresh) == 4
        assert '{"lr":0.01,"weight_decay":0.0}' in {params for params, _ in fresh}

    def test_they_do_not_enter_any_decision(self) -> None:
        def train(point: Mapping[str, Any], seed: int) -> float:
            return bowl(point, seed) if seed < 10**9 else 1000.0

        world = World(a_search("ew", RATES), train=train, rules=self.RULES)
        world.run()
        again = World(a_search("ew", RATES))
        again.run()
        assert world.decisions == again.decisions

    def test_the_search_ends_only_after_them(self) -> None:
        world = World(a_search("ew", RATES), rules=self.RULES)
        world.settle()
        while any(o.role == "search" for o in world.open):
            world.complete(world.open[0])
        assert world.settle() == WaitForRuns(1)

    def test_the_baseline_is_not_confirmed(self) -> None:
        search = replace(a_search("ew", RATES), role="baseline")
        world = World(search, rules=self.RULES)
        world.run()
        assert {o.role for o in world.outcomes} == {"baseline"}


def test_proposals_of_a_stage_name_its_kind_and_what_it_tunes() -> None:
    world = World(SEARCHES["tpe"])
    world.run()
    kinds = {step.stage: (step.kind, step.tuned) for step in world.log if isinstance(step, Propose)}
    assert kinds == {
        0: ("grid", ("lr",)),
        1: ("tpe", ("temperature",)),
        2: ("neighbours", ("lr",)),
    }


def test_decisions_come_in_the_order_of_stages() -> None:
    world = World(SEARCHES["line"])
    world.run()
    assert [s.decision.stage for s in world.log if isinstance(s, Decide)] == [0, 1, 2]
