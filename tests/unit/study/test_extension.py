"""Extending a stored study is not changing it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from storage.records import StudyRecord
from study.errors import NotAnExtension
from study.planning.extension import check_extension
from study.planning.plan import make_plan
from study.spec.study_spec import parse
from tests.unit.study.specs import plain

Change = Callable[[dict[str, Any]], object]

HALVING = {"rule": "halving", "rungs": [1]}
METRICS = {"left": {"error_rate": 0.5}, "right": {"error_rate": 0.5}, "sum": {"mae": 2.0}}


def base() -> dict[str, Any]:
    def change(spec: dict[str, Any]) -> None:
        spec["confirm"] = {"seeds": 2}
        spec["search"].append(
            {
                "weighting": "uw-so",
                "name": "soft",
                "stages": [{"lr": [0.001, 0.01]}, {"temperature": {"line": [1, 4]}}],
                "budget": {"trials": 20},
            }
        )

    return plain(change)


def stored() -> StudyRecord:
    spec = parse(base(), source="s.toml")
    plan = make_plan(spec)
    return StudyRecord(
        id=1,
        name=spec.name,
        spec=spec.to_plain(),
        card=plan.card.to_plain(),
        fingerprint=plan.frozen,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        birth="b",
        key_name="b",
        first_name="b",
        plan="",
    )


def check(change: Change, card: Change | None = None) -> None:
    plain_spec = base()
    change(plain_spec)
    record = stored()
    new_card = deepcopy(dict(record.card))
    if card is not None:
        card(new_card)
    check_extension(record, parse(plain_spec, source="s.toml"), new_card)


def refusal(change: Change, card: Change | None = None) -> str:
    with pytest.raises(NotAnExtension) as caught:
        check(change, card)
    first, *changes, last = str(caught.value).splitlines()
    assert first == (
        "The stored study 'tried' can be extended (points, seeds, searches, budget), not changed. "
        "These differ:"
    )
    assert last == (
        "Give the study another `name`, use another --storage, or give the stored one another "
        "name: `weighbridge rename tried NEW_NAME`."
    )
    return "\n".join(changes)


TRAINING = [
    ("epochs", 4),
    ("batch_size", 16),
    ("optimizer", "sgd"),
    ("lr", 0.1),
    ("weight_decay", 0.1),
    ("momentum", 0.5),
    ("schedule", "cosine"),
    ("clip_norm", 1.0),
    ("eval_batch_size", 2),
    ("threads", 2),
    ("precision", "bfloat16"),
    ("compile", True),
    ("data_parallel", 2),
]


@pytest.mark.parametrize(("key", "value"), TRAINING)
def test_a_changed_training_key_is_named_with_both_values(key: str, value: Any) -> None:
    said = refusal(lambda spec: spec["training"].update({key: value}))
    assert said.startswith(f"  [training] {key}: stored ")
    assert said.endswith(f", now {value!r}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.update(problem="multimnist"), "  problem: stored 'digits', now 'multimnist'"),
        (lambda s: s.update(problem_options={"width": 8}), "  problem_options: stored {}, now"),
        (lambda s: s.update(compare={"margin": 2}), "  [compare] margin: stored 1.0, now 2.0"),
        (
            lambda s: s.update(compare={"select_epoch": "last"}),
            "  [compare] select_epoch: stored 'best', now 'last'",
        ),
        (lambda s: s.update(baseline={"metrics": METRICS}), "  [baseline] metrics: stored None,"),
        (
            lambda s: s.update(objective="sum.mae", baseline={}),
            "  objective: stored 'delta_m', now 'sum.mae'",
        ),
        (lambda s: s.update(objective="sum.mae"), "  [baseline] was removed"),
        (lambda s: s.update(seeds=[0, 5]), "  seed 1 was removed"),
        (lambda s: s.update(seeds=[5, 0, 1]), "  first seed: stored 0, now 5"),
        (lambda s: s["search"].pop(), "  search soft was removed"),
        (
            lambda s: s["search"][1].update(
                weighting="dwa", stages=[{"lr": [0.001]}, {"temperature": [1]}]
            ),
            "  search soft: weighting stored 'uw-so', now 'dwa'",
        ),
        (
            lambda s: s["search"][1].update(hyper={"temperature": 3}),
            "  search soft: hyper stored {}, now {'temperature': 3}",
        ),
        (
            lambda s: s["search"][1].update(joint=True),
            "  search soft: joint stored False, now True",
        ),
        (
            lambda s: s["search"][1].update(init_from="ew"),
            "  search soft: init_from stored None, now 'ew'",
        ),
        (
            lambda s: s.update(train_fraction={"left": 0.5}),
            "  train_fraction: stored None, now {'left': 0.5}",
        ),
        (
            lambda s: s.update(label_noise={"task": "left", "kind": "pair", "rate": 0.1}),
            "  label_noise: stored None, now {'task': 'left', 'seed': 0, 'kind': 'pair', 'rate': 0",
        ),
        (lambda s: s["search"][1]["stages"].pop(), "  search soft: 2 stages stored, now 1"),
        (
            lambda s: s["search"][1]["stages"][0].update(stop=HALVING),
            "  search soft: stage 1 stop: stored None, now {'rule': 'halving', 'rungs': [1]}",
        ),
        (
            lambda s: s["search"][1]["stages"][1].update(stop=HALVING | {"asynchronous": True}),
            "  search soft: stage 2 stop: stored None, now {'rule': 'halving', 'rungs': [1], 'asy",
        ),
        (lambda s: s.update(baseline={"stop": HALVING}), "  [baseline] stop: stored None, now {"),
    ],
)
def test_another_question_is_refused(change: Change, said: str) -> None:
    assert said in refusal(change)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (lambda c: c.update(data_version="other"), "  data: stored "),
        (lambda c: c.update(network="other"), "  network: stored "),
        (lambda c: c["tasks"][0]["metrics"][0].update(direction="max"), "  metrics: stored "),
    ],
)
def test_another_problem_behind_the_same_name_is_refused(card: Change, said: str) -> None:
    assert said in refusal(lambda spec: None, card)  # noqa: ARG005


def test_all_changes_are_named_at_once() -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["training"] |= {"epochs": 4, "threads": 2}
        spec["seeds"] = [0]

    said = refusal(change).splitlines()
    assert [line.split(":")[0].strip() for line in said] == [
        "[training] epochs",
        "[training] threads",
        "seed 1 was removed",
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda s: None,  # noqa: ARG005
        lambda s: s.update(seeds=[0, 1, 2]),
        lambda s: s.update(seeds=[0, 7, 1]),
        lambda s: s.update(budget={"trials": 3}),
        lambda s: s.update(confirm={"seeds": 9}),
        lambda s: s.update(keep={"networks": "all", "cap_mib": 7}),
        lambda s: s.update(baseline={"lr": [0.001, 0.01, 0.1]}),
        lambda s: s["training"].update(checkpoint_s=1.0),
        lambda s: s["search"].append({"weighting": "rlw", "stages": [{"lr": [0.1]}]}),
        lambda s: s["search"].reverse(),
        lambda s: s["search"][0].update(weighting=["ew", "gls"]),
        lambda s: s["search"][0]["stages"][0].update(lr=[0.001, 0.01, 0.1]),
        lambda s: s["search"][1]["stages"].append({"weight_decay": [0.0, 0.1]}),
        lambda s: s["search"][1].update(budget={}),
    ],
)
def test_an_extension_is_accepted(change: Change) -> None:
    check(change)


def test_a_study_without_a_baseline_may_be_given_one() -> None:
    spec = parse(base() | {"objective": "sum.mae"}, source="s.toml")
    record = replace(stored(), spec=spec.to_plain())
    asked = parse(base() | {"objective": "sum.mae", "baseline": {}}, source="s.toml")
    check_extension(record, asked, record.card)


def test_the_default_objective_may_be_written_down() -> None:
    check(lambda spec: spec.update(objective="delta_m"))
