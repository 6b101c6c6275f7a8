"""[diagnostics] says what is compared, and refuses what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from study.errors import BadSpec
from study.planning.keys import fingerprint, plan_key
from study.spec.study_spec import StudySpec, parse
from tests.unit.study.specs import plain, spec_of


def _spec(gradients: Any, **training: Any) -> StudySpec:
    asked = {"diagnostics": {"gradients": gradients}}
    return parse(plain(lambda spec: spec["training"].update(training)) | asked, source="a test")


def test_gradients_are_compared_every_fifth_step_on_eight_samples() -> None:
    asked = _spec({}).diagnostics.gradients
    assert asked is not None
    assert (asked.every, asked.samples) == (5, 8)


def test_without_it_they_are_not() -> None:
    assert spec_of().diagnostics.gradients is None


def test_a_study_is_the_same_with_and_without() -> None:
    with_it, without = _spec({"every": 2}), spec_of()
    card = {"tasks": [], "data_version": "1", "network": "n"}
    assert fingerprint(with_it, card) == fingerprint(without, card)
    assert plan_key(with_it, "f") == plan_key(without, "f")


@pytest.mark.parametrize(
    ("gradients", "training", "said"),
    [
        ({"every": 0}, {}, "every"),
        ({"every": 2.5}, {}, "every"),
        ({"samples": 1}, {}, "samples"),
        ({"samples": "all"}, {}, "samples"),
        ({"sample": 3}, {}, "sample"),
        (True, {}, "gradients"),
        ({}, {"batch_size": 1}, "Take 2 or more, or drop `gradients`."),
        ({}, {"data_parallel": 2}, "compared in one process"),
    ],
)
def test_what_cannot_be_is_refused(gradients: Any, training: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec) as refused:
        _spec(gradients, **training)
    assert said in str(refused.value)


def test_a_training_function_has_no_gradients_that_are_seen() -> None:
    spec = {
        "name": "s",
        "function": {"target": "my:train", "metric": "loss"},
        "seeds": [1],
        "training": {"epochs": 2},
        "diagnostics": {"gradients": {}},
        "search": [{"stages": [{"x": [1, 2]}]}],
    }
    with pytest.raises(BadSpec, match="a function's gradients are not seen"):
        parse(spec, source="a test")
