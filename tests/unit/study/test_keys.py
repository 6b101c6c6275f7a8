"""Identities: a run is the same run if and only if everything that makes it is the same."""

from __future__ import annotations

from typing import Any

import pytest

from study.planning.keys import pack_key, run_key, shape_keys
from study.planning.plan import make_plan
from tests.unit.study.specs import spec_of

RUN: dict[str, Any] = {
    "study": "a",
    "search": "ew",
    "frozen": "f",
    "weighting": "ew",
    "params": '{"lr":0.1}',
    "seed": 0,
}
PACK: dict[str, Any] = {"frozen": "f", "tasks": ("left", "right"), "seed": 0}


@pytest.mark.parametrize("name", list(RUN))
def test_a_run_key_depends_on(name: str) -> None:
    other = 1 if name == "seed" else "other"
    assert run_key(**RUN) != run_key(**RUN | {name: other})


@pytest.mark.parametrize(
    ("name", "other"),
    [
        *(("frozen", "g"), ("tasks", ("left",)), ("seed", 1), ("segment", (0, 2))),
        ("solo_only", True),
        ("alone", True),
    ],
)
def test_a_pack_key_depends_on(name: str, other: Any) -> None:
    assert pack_key(**PACK) != pack_key(**PACK | {name: other})


def test_keys_never_change_between_versions() -> None:
    assert run_key(**RUN)[:12] == "ae20f20af9e2"
    assert pack_key(**PACK)[:12] == "d216d035effa"


def frozen(**keys: Any) -> str:
    return make_plan(spec_of(**keys)).frozen


@pytest.mark.parametrize(
    "keys",
    [
        {"problem": "multimnist"},
        {"problem_options": {"width": 8}},
        {"problem_options": {"train_pairs": 100}},
        {"training": {"epochs": 4, "batch_size": 8}},
        {"training": {"epochs": 3, "batch_size": 8, "threads": 2}},
        {"training": {"epochs": 3, "batch_size": 8, "precision": "bfloat16"}},
        {"training": {"epochs": 3, "batch_size": 8, "precision": "float16"}},
        {"training": {"epochs": 3, "batch_size": 8, "compile": True}},
        {"training": {"epochs": 3, "batch_size": 8, "data_parallel": 2}},
        {"training": {"epochs": 3, "batch_size": 8, "channels_last": True}},
        {"training": {"epochs": 3, "batch_size": 8, "micro_batch_size": 4}},
        {"training": {"epochs": 3, "batch_size": 8, "channels_last": False}},
        {"compare": {"margin": 2}},
        {"train_fraction": {"left": 0.5}},
        {"train_fraction": 0.5},
        {"label_noise": {"task": "left", "kind": "pair", "rate": 0.1}},
    ],
)
def test_a_fingerprint_depends_on(keys: dict[str, Any]) -> None:
    assert frozen(**keys) != frozen()


@pytest.mark.parametrize(
    "keys",
    [
        {"name": "another"},
        {"seeds": [0, 1, 2]},
        {"budget": {"trials": 3}},
        {"train_fraction": {"left": 1.0}},
        {"label_noise": {"task": "left", "kind": "pair", "rate": 0}},
        {"training": {"epochs": 3, "batch_size": 8, "checkpoint_s": 1}},
        {"search": [{"weighting": "uw", "stages": [{"lr": [0.5]}]}]},
    ],
)
def test_a_fingerprint_leaves_out(keys: dict[str, Any]) -> None:
    assert frozen(**keys) == frozen()


def test_a_study_of_an_older_version_is_the_same_study() -> None:
    assert frozen()[:12] == "4abb090fd323"
    assert shape()[:12] == "0bf2d4a39483"


@pytest.mark.parametrize("key", [{"precision": "bfloat16"}, {"compile": True}, {"threads": 2}])
def test_steps_of_another_training_cost_something_else(key: dict[str, Any]) -> None:
    assert shape(training={"epochs": 3, "batch_size": 8, **key}) != shape()


def shape(**keys: Any) -> str:
    plan = make_plan(spec_of(**keys))
    (key,) = shape_keys(plan.spec, plan.card.to_plain(), [("left",)]).values()
    return key


def test_options_that_change_no_sample_are_left_out() -> None:
    def of(**options: Any) -> str:
        return frozen(problem="cityscapes", problem_options=options)

    assert of(loaders=0, cache="mapped") == of()
    assert of(classes=19) != of()
