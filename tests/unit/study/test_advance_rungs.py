"""A search with a stopping rule judges whole rounds at rungs, in whatever order runs end."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import RunState
from study.deciding.advance import AddRuns, Finished, Propose, SearchStopped, WaitForBaseline
from study.deciding.rungs import Judge
from tests.unit.study.specs import METRIC, a_search
from tests.unit.study.world import EPOCHS, RULES, World, bowl

RATES = {"lr": [0.0001, 0.001, 0.01, 0.1]}
HALVING = {"rule": "halving", "rungs": [1, 2]}
MEDIAN = {"rule": "median", "rungs": [1]}
LINE = {"temperature": {"line": [1, 10, 100], "refine": 2}, "stop": MEDIAN}
TPE = {
    "temperature": {"log_range": [1, 100]},
    "strategy": "tpe",
    "trials": 6,
    "round_size": 3,
    "stop": HALVING,
}
SEARCHES = {
    "grid": a_search("ew", RATES | {"stop": HALVING}),
    "line": a_search("uw-so", RATES, LINE),
    "tpe": a_search("uw-so", RATES | {"stop": MEDIAN}, TPE),
}


def slope(point: Mapping[str, Any], _: int) -> float:
    """Best at a rate of 0.008, no two rates are as good."""
    return abs(math.log(float(point["lr"]) / 0.008))


def troubled(point: Mapping[str, Any], seed: int) -> float | RunState:
    chance = random.Random(f"{sorted(point.items())} {seed} trouble").random()
    if chance < 0.15:
        return RunState.DIVERGED
    return RunState.FAILED if chance < 0.25 else bowl(point, seed)


def by_rate(world: World) -> dict[float, set[tuple[RunState, int]]]:
    """Learning rate -> how its runs stand: state and last epoch."""
    found: dict[float, set[tuple[RunState, int]]] = {}
    for run in world.outcomes:
        rate = float(
            next(e for e in world.entries if e.trial == run.trial).params[6:].split(",")[0]
        )
        found.setdefault(rate, set()).add((run.state, run.until_epoch))
    return found


@given(
    name=st.sampled_from(list(SEARCHES)),
    order=st.randoms(use_true_random=False),
    trouble_at=st.sampled_from([1, 2, EPOCHS]),
)
def test_the_order_in_which_runs_end_changes_nothing(
    name: str, order: random.Random, trouble_at: int
) -> None:
    straight = World(SEARCHES[name], train=troubled, trouble_at=trouble_at)
    shuffled = World(SEARCHES[name], train=troubled, trouble_at=trouble_at)
    assert straight.run() == shuffled.run(order)
    assert straight.history == shuffled.history


def test_halving_at_two_rungs() -> None:
    world = World(SEARCHES["grid"], train=slope)
    assert isinstance(world.run(), Finished)
    assert by_rate(world) == {
        0.01: {(RunState.DONE, EPOCHS)},
        0.001: {(RunState.PRUNED, 2)},
        0.0001: {(RunState.PRUNED, 1)},
        0.1: {(RunState.PRUNED, 1)},
    }
    assert world.winners[0]["lr"] == 0.01


def test_each_round_is_judged_by_itself() -> None:
    world = World(SEARCHES["tpe"])
    world.run()
    judged = [(s.stage, s.round, s.rung) for s in world.log if isinstance(s, Judge)]
    assert judged == [(0, 0, 1), (1, 0, 1), (1, 0, 2), (1, 1, 1), (1, 1, 2)]


def test_the_kind_of_a_stage_names_its_rule() -> None:
    world = World(SEARCHES["grid"])
    step = world.step
    assert isinstance(step, Propose)
    assert step.kind == "grid+halving"


def test_runs_are_first_trained_up_to_the_first_rung() -> None:
    world = World(SEARCHES["grid"])
    world.apply(world.step)
    step = world.step
    assert isinstance(step, AddRuns)
    assert step.first_rung == 1


def test_winners_on_fresh_seeds_meet_no_rung() -> None:
    rules = replace(RULES, confirm_seeds=(10**9,), confirm_top=1)
    world = World(SEARCHES["grid"], rules=rules)
    assert isinstance(world.run(), Finished)
    assert {o.until_epoch for o in world.outcomes if o.role == "confirm"} == {EPOCHS}


def test_a_pruned_trial_cannot_win() -> None:
    def train(point: Mapping[str, Any], _: int) -> float | RunState:
        return RunState.DIVERGED if point["lr"] == 0.01 else float(point["lr"])

    world = World(a_search("ew", RATES | {"stop": HALVING}), train=train, trouble_at=EPOCHS)
    # until it diverges in its last segment the third rate is worth 0, better than all
    assert world.run() == SearchStopped(
        stage=0, reason="no trial can win: 1 diverged, 3 pruned, 0 with failed runs"
    )


def test_what_has_diverged_takes_nobody_s_place() -> None:
    def train(point: Mapping[str, Any], _: int) -> float | RunState:
        return RunState.DIVERGED if point["lr"] in (0.01, 0.1) else float(point["lr"])

    world = World(a_search("ew", RATES | {"stop": MEDIAN}), train=train)
    world.run()
    assert world.winners[0]["lr"] == 0.0001
    assert by_rate(world)[0.001] == {(RunState.PRUNED, 1)}


def test_what_is_left_of_a_diverged_trial_is_pruned() -> None:
    def train(point: Mapping[str, Any], seed: int) -> float | RunState:
        return RunState.DIVERGED if point["lr"] == 0.01 and seed == 0 else bowl(point, seed)

    world = World(a_search("ew", RATES | {"stop": MEDIAN}), train=train)
    world.run()
    assert by_rate(world)[0.01] == {(RunState.DIVERGED, 1), (RunState.PRUNED, 1)}


def test_a_trial_with_a_failed_run_goes_on_until_somebody_mends_it() -> None:
    def train(point: Mapping[str, Any], seed: int) -> float | RunState:
        return RunState.FAILED if point["lr"] == 0.1 and seed == 0 else bowl(point, seed)

    world = World(a_search("ew", RATES | {"stop": MEDIAN}), train=train)
    world.run()
    assert by_rate(world)[0.1] == {(RunState.FAILED, 1), (RunState.DONE, EPOCHS)}


class TestBaseline:
    UNBASED = replace(RULES, baseline_hash=None)

    def test_a_rung_of_delta_m_waits_for_it(self) -> None:
        world = World(SEARCHES["grid"], rules=self.UNBASED)
        assert world.run() == WaitForBaseline(0)
        assert {run.state for run in world.outcomes} == {RunState.PAUSED}
        world.rules = RULES
        assert isinstance(world.run(), Finished)

    def test_a_cohort_needs_none(self) -> None:
        stop = {"rule": "worse-than-cohort", "rungs": [1]}
        world = World(a_search("ew", RATES | {"stop": stop}), rules=self.UNBASED)
        assert world.run() == WaitForBaseline(0)
        assert {run.state for run in world.outcomes} == {RunState.DONE, RunState.PRUNED}

    def test_single_tasks_need_none(self) -> None:
        search = replace(SEARCHES["grid"], role="baseline", objective=METRIC)
        world = World(search, rules=self.UNBASED)
        world.run()
        assert RunState.PRUNED in {run.state for run in world.outcomes}


class TestExtending:
    def extended(self, world: World, **changes: Any) -> World:
        """The same search later on, under other rules or with more points."""
        world.run()
        for name, value in changes.items():
            setattr(world, name, value)
        world.log.clear()
        return world

    def test_verdicts_stand_for_seeds_that_are_added(self) -> None:
        seeds = (*RULES.seeds, 2)
        world = self.extended(World(SEARCHES["grid"]), rules=replace(RULES, seeds=seeds))
        assert isinstance(world.run(), Finished)
        new = {run.trial: run.state for run in world.outcomes if run.seed == 2}
        old = {run.trial: run.state for run in world.outcomes if run.seed == 0}
        assert new == old
        assert not any(step.needs_values for step in world.log if isinstance(step, Judge))

    def test_new_points_are_compared_with_those_that_were_judged(self) -> None:
        wider = a_search("ew", {"lr": [*RATES["lr"], 0.011, 1.0], "stop": HALVING})
        before = World(SEARCHES["grid"], train=slope)
        world = self.extended(before, search=wider)
        assert isinstance(world.run(), Finished)
        found = by_rate(world)
        assert found[1.0] == {(RunState.PRUNED, 1)}
        assert found[0.001] == {(RunState.PRUNED, 2)}
        assert found[0.011] == {(RunState.DONE, EPOCHS)}

    def test_a_search_replayed_from_its_history_waits_at_once(self) -> None:
        world = self.extended(World(SEARCHES["tpe"]))
        assert isinstance(world.settle(), Finished)
        assert world.log == []


MANY = {"lr": {"log_range": [1e-4, 1e-1], "points": 9}}
EARLY = a_search("ew", MANY | {"stop": HALVING | {"asynchronous": True}})


class TestAsynchronous:
    @given(order=st.randoms(use_true_random=False), trouble_at=st.sampled_from([1, 2, EPOCHS]))
    def test_a_trial_is_judged_once_at_each_rung(
        self, order: random.Random, trouble_at: int
    ) -> None:
        world = World(EARLY, train=troubled, trouble_at=trouble_at)
        world.run(order)
        judged = [
            (step.rung, at.trial)
            for step in world.log
            if isinstance(step, Judge)
            for at in step.trials
            if at.standing is None
        ]
        assert len(judged) == len(set(judged))
        assert not {run.state for run in world.outcomes} & {RunState.PAUSED, RunState.WAITING}

    @given(order=st.randoms(use_true_random=False))
    def test_the_best_is_never_pruned(self, order: random.Random) -> None:
        world = World(EARLY, train=slope)
        assert isinstance(world.run(order), Finished)
        best = min((json.loads(entry.params) for entry in world.entries), key=lambda p: slope(p, 0))
        assert world.winners[0] == best

    @given(order=st.randoms(use_true_random=False))
    def test_a_verdict_never_changes(self, order: random.Random) -> None:
        world = World(EARLY, train=slope)
        settled: dict[int, tuple[RunState, int]] = {}
        world.settle()
        while world.open:
            world.complete(order.choice(world.open))
            world.settle()
            for run in world.outcomes:
                state, until = settled.get(run.run, (RunState.WAITING, 0))
                assert run.until_epoch >= until
                assert state is not RunState.PRUNED or run.state is RunState.PRUNED
                settled[run.run] = run.state, run.until_epoch

    @pytest.mark.parametrize(("first", "n_done"), [("worst", 9), ("best", 1)])
    def test_a_trial_is_compared_with_those_before_it_only(self, first: str, n_done: int) -> None:
        """Worst first, each is the best so far; best first, all behind the first are pruned."""
        sign = -1 if first == "worst" else 1
        world = World(EARLY, train=slope)
        world.settle()
        while world.open:
            run = min(world.open, key=lambda run: sign * slope(json.loads(run.params), 0))
            world.complete(run)
            world.settle()
        done = {run.trial for run in world.outcomes if run.state is RunState.DONE}
        assert len(done) == n_done

    def test_a_search_replayed_from_its_history_waits_at_once(self) -> None:
        world = World(EARLY)
        world.run()
        world.log.clear()
        assert isinstance(world.settle(), Finished)
        assert world.log == []
