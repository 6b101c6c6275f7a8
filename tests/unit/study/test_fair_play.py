"""What is unfair by construction is told by the plan."""

from __future__ import annotations

import re
from typing import Any

import pytest

from study.planning.fair_play import unfair
from tests.unit.study.specs import a_plan

FAIR: dict[str, Any] = {"seeds": [0, 1, 2], "training": {"epochs": 3, "batch_size": 8}}
EW = {"weighting": "ew", "stages": [{"lr": [0.001, 0.01]}]}


def uw(*stages: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"weighting": "uw", "stages": list(stages or EW["stages"]), **keys}


def test_methods_that_are_treated_alike_are_fair() -> None:
    assert unfair(a_plan(EW, uw(), **FAIR)) == []


@pytest.mark.parametrize(
    ("other", "more", "why"),
    [
        (uw(), {"seeds": [0, 1]}, "2 seeds: differences between methods may be luck"),
        (uw({"lr": [0.001, 0.1]}), {}, r"same learning rates \(0.001, 0.01: EW; 0.001, 0.1: UW\)"),
        (
            uw({"lr": [0.001, 0.01], "weight_decay": [0.0, 0.1]}),
            {},
            r"unequal numbers of trials \(2: EW; 4: UW\)",
        ),
        (
            uw({"lr": [0.001, 0.01], "stop": {"rule": "median", "rungs": [1]}}),
            {},
            r"stopped by the same rules \(none: EW; median at 1: UW\)",
        ),
        (uw(budget={"epochs": 9}), {}, r"same budget of their own \(none: EW; epochs 9: UW\)"),
        (uw(init_from="ew"), {}, r"begin from the same network \(none: EW; ew: UW\)"),
        (
            {"weighting": "uw", "stages": [{"weight_decay": [0.0, 0.1]}]},
            {"training": {"epochs": 3, "batch_size": 8, "lr": 0.001}},
            r"same learning rates \(0.001, 0.01: EW; 0.001: UW\)",
        ),
    ],
)
def test_each_inequality_is_told(other: dict[str, Any], more: dict[str, Any], why: str) -> None:
    (sentence,) = unfair(a_plan(EW, other, **{**FAIR, **more}))
    assert re.search(why, sentence), sentence


def test_searches_of_one_method_are_told_by_their_names() -> None:
    more = uw({"lr": [0.001, 0.01], "weight_decay": [0.0, 0.1]}, name="uw-decay")
    (sentence,) = unfair(a_plan(EW, uw(), more, **FAIR))
    assert "(2: EW, uw; 4: uw-decay)" in sentence


def test_a_baseline_of_one_rate_is_told() -> None:
    one = {"weighting": "ew", "stages": [{"weight_decay": [0.0, 0.1]}]}
    training = {"epochs": 3, "batch_size": 8, "lr": 0.001}
    (sentence,) = unfair(a_plan(one, **{**FAIR, "training": training}))
    assert "The single-task networks have one learning rate" in sentence
