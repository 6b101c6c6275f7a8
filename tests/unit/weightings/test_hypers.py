from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from trainers.weightings import BadHyper, Hyper, MissingHyper, UnknownHyper, scalar, weighting


@pytest.mark.parametrize(
    ("name", "given", "checked"),
    [
        ("ew", {}, {}),
        ("dwa", {}, {"temperature": 2.0}),
        ("dwa", {"temperature": 5}, {"temperature": 5.0}),
        ("uw", {}, {"s0": 0.0}),
        ("uw", {"s0": -0.5}, {"s0": -0.5}),
        ("uw-o", {}, {"normalise": 0.0}),
        ("uw-o", {"normalise": True}, {"normalise": 1.0}),
        ("uw-so", {"temperature": 1e-6}, {"temperature": 1e-6}),
        ("scalarization", {"task_weights": [0.1, 0.2, 0.7]}, {"task_weights": (0.1, 0.2, 0.7)}),
        ("scalarization", {"task_weights": [0, 0, 1]}, {"task_weights": (0.0, 0.0, 1.0)}),
    ],
)
def test_good_values_come_back_as_floats_with_defaults(
    name: str, given: dict[str, Any], checked: dict[str, Any]
) -> None:
    found = weighting(name).checked(given, n_tasks=3)
    assert repr(found) == repr(checked)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("uw-so", {"temperature": 0.0}, "must be a finite number above 0. Got 0.0."),
        ("uw-so", {"temperature": -1.0}, "must be a finite number above 0. Got -1.0."),
        ("uw-so", {"temperature": nan}, "Got nan"),
        ("uw-so", {"temperature": inf}, "Got inf"),
        ("uw-so", {"temperature": True}, "Got True"),
        ("uw-so", {"temperature": "2"}, "Got '2'"),
        ("uw-so", {"temperature": [2.0, 2.0, 2.0]}, "must be a finite number"),
        ("uw", {"s0": -inf}, "must be a finite number. Got -inf"),
        ("uw-o", {"normalise": 0.5}, "must be one of 0, 1. Got 0.5"),
        ("scalarization", {"task_weights": [0.5, 0.5]}, "3 in all. Got \\[0.5, 0.5\\]"),
        ("scalarization", {"task_weights": 1.0}, "3 in all. Got 1.0"),
        ("scalarization", {"task_weights": "abc"}, "3 in all. Got 'abc'"),
        ("scalarization", {"task_weights": [-0.1, 0.1, 1.0]}, "at least 0. Got -0.1"),
        ("scalarization", {"task_weights": [0.5, 0.5, 0.5]}, "must sum to 1. Got a sum of 1.5"),
        ("scalarization", {"task_weights": [0.5, 0.5, 2e-9]}, "must sum to 1"),
    ],
)
def test_a_bad_value_is_refused_with_its_rule(
    name: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadHyper, match=message):
        weighting(name).checked(given, n_tasks=3)


def test_an_unknown_hyperparameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownHyper, match=r"Did you mean `temperature`\? Known: temperature\."):
        weighting("uw-so").checked({"temprature": 2.0}, n_tasks=3)


def test_a_weighting_without_hyperparameters_says_so() -> None:
    with pytest.raises(UnknownHyper, match=r"EW has no hyperparameter `lr`\. Known: none\."):
        weighting("ew").checked({"lr": 0.1}, n_tasks=3)


@pytest.mark.parametrize(
    ("name", "missing"), [("uw-so", "temperature"), ("scalarization", "task_weights")]
)
def test_what_has_no_default_must_be_given(name: str, missing: str) -> None:
    with pytest.raises(MissingHyper, match=f"needs a value for `{missing}`"):
        weighting(name).checked({}, n_tasks=3)


def test_a_per_task_default_is_for_each_task() -> None:
    assert Hyper(name="rates", doc="rate of each task", default=0.5, per_task=True).filled(3) == (
        0.5,
        0.5,
        0.5,
    )


def test_a_vector_is_no_start_value() -> None:
    with pytest.raises(BadHyper, match="must be one number"):
        scalar((0.5, 0.5))
