"""What a search has yet to train is expected well before it is proposed."""

from __future__ import annotations

from typing import Any

import pytest

from storage.records import Unfinished
from study.deciding.advance import Finished
from study.deciding.outlook import Outlook, outlook
from study.planning.search_plan import Search
from tests.unit.study.specs import a_search
from tests.unit.study.world import EPOCHS, RULES, World

RATES = {"lr": [0.001, 0.01, 0.1]}
SEARCHES = {
    "grid": a_search("scalarization", RATES, {"task_weights": {"simplex_step": 0.25}}),
    "line": a_search("uw-so", RATES, {"temperature": {"line": [1, 10, 100], "refine": 2}}),
    "repeats": a_search("ew", RATES, {"weight_decay": [0.0, 0.1, 0.2]}),
    "random": a_search(
        "dwa", RATES, {"weight_decay": [0.0, 0.1], "strategy": "random", "trials": 2}
    ),
}


def ahead(world: World, **keys: Any) -> Outlook:
    return outlook(world.search, world.history, world.settle(), n_seeds=2, epochs=EPOCHS, **keys)


@pytest.mark.parametrize("name", list(SEARCHES))
def test_what_is_expected_is_what_comes(name: str) -> None:
    world, expected = World(SEARCHES[name]), []
    while not isinstance(world.settle(), Finished):
        to_come = sum(of.runs for of in ahead(world).coming)
        expected.append(len(world.outcomes) + to_come)
        world.complete(world.open[0])
    assert ahead(world) == Outlook(stage=len(world.search.stages))
    two_trials = 2 * len(RULES.seeds)  # the winner may have fewer neighbours than most points
    assert all(abs(of - len(world.outcomes)) <= two_trials for of in expected)


def new_epochs(search: Search) -> float:
    """Epochs of a run of the last stage, before anything is proposed."""
    world = World(search)
    last = outlook(search, world.history, world.step, n_seeds=1, epochs=EPOCHS).coming[-1]
    return last.epochs / last.runs


@pytest.mark.parametrize(
    ("stop", "epochs"),
    [
        ({"rule": "halving", "rungs": [3], "keep": 0.5}, 3 + 0.5 * 6),
        ({"rule": "halving", "rungs": [1, 3], "keep": 0.25}, 1 + 0.25 * 2 + 0.0625 * 6),
        ({"rule": "median", "rungs": [3]}, 3 + 0.5 * 6),
    ],
)
def test_runs_that_a_rule_will_end_are_not_expected_to_take_all_epochs(
    stop: dict[str, Any], epochs: float
) -> None:
    training = {"epochs": EPOCHS, "batch_size": 8}
    search = a_search("ew", {**RATES, "stop": stop}, training=training)
    assert new_epochs(search) == pytest.approx(epochs)


def test_runs_on_their_way_to_a_rung_are_counted_beyond_it() -> None:
    training = {"epochs": EPOCHS, "batch_size": 8}
    stop = {"rule": "halving", "rungs": [3], "keep": 0.5}
    world = World(a_search("ew", {**RATES, "stop": stop}, training=training))
    unfinished = [
        Unfinished(until_epoch=3, runs=4, epochs_done=2),
        Unfinished(until_epoch=9, runs=2, epochs_done=10),
    ]
    assert ahead(world).epochs_left(unfinished, EPOCHS) == 4 * (3 + 3) - 2 + 2 * 9 - 10


def test_winners_on_fresh_seeds_are_expected_until_they_are_there() -> None:
    world = World(SEARCHES["repeats"])
    world.settle()
    with_them = ahead(world, confirm=(1, 5))
    assert sum(of.runs for of in with_them.coming) == sum(of.runs for of in ahead(world).coming) + 5
