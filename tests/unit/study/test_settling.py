"""What a driver would do at once is told without one."""

from __future__ import annotations

import random
import sys
from dataclasses import replace

import pytest

from storage.records import Unfinished
from study.deciding.advance import Finished, WaitForRuns
from study.deciding.settling import settled
from tests.unit.study.specs import a_search
from tests.unit.study.world import EPOCHS, RULES, World

RATES = {"lr": [0.001, 0.01, 0.1]}
SEARCHES = {
    "grid": a_search("scalarization", RATES, {"task_weights": {"simplex_step": 0.25}}),
    "line": a_search("uw-so", RATES, {"temperature": {"line": [1, 10, 100], "refine": 2}}),
}


@pytest.mark.parametrize("name", list(SEARCHES))
def test_it_comes_to_what_a_driver_comes_to(name: str) -> None:
    world, order = World(SEARCHES[name]), random.Random(name)
    while True:
        before = world.history
        found = settled(world.search, before, world.rules, epochs=EPOCHS)
        assert found.step == world.settle()
        done = world.history
        assert (found.history.entries, found.history.decisions) == (done.entries, done.decisions)
        new = len(done.outcomes) - len(before.outcomes)
        assert sum(of.runs for of in found.added) == new
        assert all((of.until_epoch, of.epochs_done) == (EPOCHS, 0) for of in found.added)
        if isinstance(found.step, Finished):
            return
        world.complete(order.choice(world.open))


def test_more_seeds_are_runs_to_come() -> None:
    world = World(SEARCHES["grid"])
    world.run()
    rules = replace(RULES, seeds=(0, 1, 2))
    more = settled(world.search, world.history, rules, epochs=EPOCHS)
    n_trials = len({outcome.trial for outcome in world.outcomes})
    assert (more.trials, more.step) == (0, WaitForRuns(len(world.search.stages) - 1))
    assert sum(of.runs for of in more.added) == n_trials


def test_a_budget_of_trials_is_kept() -> None:
    rules = replace(RULES, trials_left=2)
    found = settled(SEARCHES["grid"], World(SEARCHES["grid"]).history, rules, epochs=EPOCHS)
    assert found.trials == 2


def test_tpe_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    search = a_search("ew", {**RATES, "strategy": "tpe", "trials": 5})
    found = settled(search, World(search).history, RULES, epochs=EPOCHS)
    assert (found.step, found.added) == (WaitForRuns(0), [])


def test_runs_of_points_that_no_longer_stand_are_dropped() -> None:
    world = World(SEARCHES["grid"])
    world.settle()
    world.complete(world.open[0])  # of the first rate; its second seed waits
    stored = [Unfinished(until_epoch=EPOCHS, runs=5, epochs_done=10)]
    grid = {"task_weights": {"simplex_step": 0.25}}
    fewer = a_search("scalarization", {"lr": [0.001, 0.01]}, grid)
    found = settled(fewer, world.history, RULES, epochs=EPOCHS)
    assert found.dropped == {EPOCHS: 2}
    assert found.unfinished(stored) == [Unfinished(until_epoch=EPOCHS, runs=3, epochs_done=6)]
