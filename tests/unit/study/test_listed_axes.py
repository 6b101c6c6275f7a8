"""What a search may try, read off its stages."""

from __future__ import annotations

from typing import Any

from search_spaces import Choices, LogRange, SimplexGrid
from study.cli._optuna import listed_axes
from study.spec.study_spec import StudySpec, parse


def spec(*searches: dict[str, Any]) -> StudySpec:
    head = {"name": "a", "problem": "no:Where", "seeds": [0]}
    training = {"epochs": 1, "batch_size": 1}
    return parse({**head, "training": training, "search": list(searches)}, source="here")


def test_each_stage_that_tunes_a_parameter_adds_its_axis() -> None:
    stages = [
        {"lr": [0.1, 0.2], "at": {"weight_decay": 0.0}},
        {"temperature": {"line": [1, 5], "refine": 2}},
        {"lr": {"log_range": [0.01, 1]}, "strategy": "tpe", "trials": 5, "round_size": 2},
        {"lr": "neighbours"},
    ]
    assert listed_axes(spec({"weighting": "uw-so", "stages": stages}), "uw-so", n_tasks=2) == {
        "lr": [Choices([0.1, 0.2]), LogRange(0.01, 1)],
        "temperature": [Choices([1.0, 5.0])],
    }


def test_searches_are_known_by_name_or_weighting() -> None:
    found = spec(
        {"weighting": ["ew", "uw"], "stages": [{"lr": [0.1]}]},
        {"weighting": "ew", "name": "fine", "stages": [{"lr": [0.2]}]},
        {
            "weighting": "scalarization",
            "stages": [{"task_weights": {"simplex_step": 0.5}, "strategy": "random", "trials": 2}],
        },
    )
    assert listed_axes(found, "uw", n_tasks=2) == {"lr": [Choices([0.1])]}
    assert listed_axes(found, "fine", n_tasks=2) == {"lr": [Choices([0.2])]}
    assert listed_axes(found, "scalarization", n_tasks=2) == {"task_weights": [SimplexGrid(2, 0.5)]}
    assert listed_axes(found, "stl/left", n_tasks=2) == {}
