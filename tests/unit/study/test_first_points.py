"""Stages by a sampler of Optuna, and points that are tried first, as they are planned."""

from __future__ import annotations

import pytest

from study.errors import BadSpec
from tests.unit.study.specs import a_search

RATES = {"lr": [0.001, 0.01, 0.1]}


def test_a_sampler_of_optuna_and_points_to_begin_with_arrive_in_the_stage() -> None:
    stage = {
        "temperature": {"log_range": [1, 100]},
        "strategy": {"optuna": "NSGAIIISampler", "population_size": 4},
        "trials": 8,
        "first": [{"temperature": 3}],
        "stop": {"rule": "worse-than-cohort", "rungs": [1]},
    }
    found = a_search("uw-so", RATES, stage).stages[1]
    assert (found.kind, found.sampler, found.expected_trials) == ("optuna", "NSGAIIISampler", 8)
    assert found.options == {"population_size": 4}
    assert found.first == [{"temperature": 3}]
    assert found.label == "optuna:NSGAIII+worse-than-cohort"
    assert len(found.label) <= 32, "what the database holds"


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ([{"temperature": 3}], "a point has a value of each parameter that is there. Got temp"),
        ([{"temperature": 3, "weight_decay": 7}], "weight_decay = 7.0 is none of the stage's"),
        ([{"temperature": 300, "weight_decay": 0}], "temperature = 300.0 is none of the stage's"),
        ([{"temperature": 3, "weight_decay": 0}] * 2, "point 2 is there before. Drop it."),
        (
            [{"temperature": t, "weight_decay": 0} for t in (1, 2, 3)],
            "Got 3 of them, and trials = 2. Raise `trials`.",
        ),
    ],
)
def test_points_to_begin_with_are_the_stages(first: list[dict[str, float]], said: str) -> None:
    axes = {"temperature": {"log_range": [1, 100]}, "weight_decay": [0.0, 0.1]}
    stage = {**axes, "strategy": "random", "trials": 2, "first": first}
    with pytest.raises(BadSpec) as caught:
        a_search("uw-so", RATES, stage)
    assert said in str(caught.value)
