"""What must be told of a study is read off its spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from storage.notices import (
    OBJECTIVES_RETRAIN,
    STOPPED_ASYNCHRONOUSLY,
    before_training,
    notices,
)
from study.spec.study_spec import parse
from tests.unit.study.specs import spec_of

EARLY = {"rule": "median", "rungs": [1], "asynchronous": True}
WHOLE = {"rule": "median", "rungs": [1]}
RATES = {"lr": [0.001]}


def spec(*stages: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """As the database has it."""
    return spec_of(search=[{"weighting": "ew", "stages": list(stages)}], **keys).to_plain()


@pytest.mark.parametrize(
    "plain",
    [
        spec(RATES | {"stop": EARLY}),
        spec(RATES, RATES | {"stop": EARLY}),
        spec(RATES | {"stop": WHOLE}, baseline={"stop": EARLY}),
    ],
)
def test_asynchronous_stopping_is_told(plain: dict[str, Any]) -> None:
    assert notices(plain) == (STOPPED_ASYNCHRONOUSLY,)


@pytest.mark.parametrize(
    "plain",
    [
        {},
        spec(RATES),
        spec(RATES | {"stop": WHOLE}, baseline={"stop": WHOLE}),
        spec(RATES | {"stop": WHOLE | {"asynchronous": False}}),
    ],
)
def test_without_it_there_is_nothing_to_tell(plain: dict[str, Any]) -> None:
    assert notices(plain) == ()


def objective(
    *stops: dict[str, Any], kind: str = "optuna", seeds: Sequence[int] = (0,)
) -> dict[str, Any]:
    plain = {
        "name": "o",
        "seeds": list(seeds),
        "function": {"target": "m:f", "metric": "loss", "kind": kind},
        "training": {"epochs": 4},
        "search": [{"stages": [{"lr": [0.1], "stop": stop} for stop in stops] or [RATES]}],
    }
    return parse(plain, source="s.toml").to_plain()


def test_objectives_that_wait_at_rungs_are_told_of_before_they_train() -> None:
    assert before_training(objective(WHOLE)) == (OBJECTIVES_RETRAIN,)
    assert before_training(objective(EARLY, WHOLE)) == (STOPPED_ASYNCHRONOUSLY, OBJECTIVES_RETRAIN)
    assert before_training(objective(EARLY)) == (STOPPED_ASYNCHRONOUSLY,)
    waits_for_seeds = objective(EARLY, seeds=(0, 1))
    assert before_training(waits_for_seeds) == (STOPPED_ASYNCHRONOUSLY, OBJECTIVES_RETRAIN)
    assert before_training(objective()) == ()
    assert before_training(objective(WHOLE, kind="plain")) == ()
