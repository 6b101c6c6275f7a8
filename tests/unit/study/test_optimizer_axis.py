"""The optimiser as an axis: what is tried, refused, packed together and told to workers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from search_spaces import Point, canonical
from study.errors import BadSpec
from study.planning.keys import segment_key
from study.planning.optimisers import of_optimizer
from study.running.packing import Packer
from study.searches.strategy import wish
from study.searches.view import StageView, Tried
from tests.unit.study.specs import a_plan, a_search
from tests.unit.study.test_failure_policy import a_claim

SGD, ADAMS = {"optimizer": "sgd"}, {"optimizer": ["adam", "adatask"]}
STAGE: dict[str, Any] = {
    "optimizer": ["adam", "adatask", "sgd"],
    "lr@adams": {"line": [0.001, 0.01], "when": ADAMS},
    "lr@sgd": {"line": [0.5], "when": SGD},
    "momentum": {"line": [0.0, 0.9], "when": SGD},
}
DRAWN = STAGE | {
    "strategy": "tpe",
    "trials": 9,
    "lr@adams": {"log_range": [0.001, 0.01], "when": ADAMS},
    "lr@sgd": {"log_range": [0.1, 1.0], "when": SGD},
}


def view(stage: dict[str, Any], tried: list[Tried]) -> StageView:
    search = a_search("uw", stage, baseline={"lr": [0.001, 0.01, 0.5]})
    return StageView(
        stage=search.stages[0], base=search.anchors, tried=tried, tried_rates=[], address="a"
    )


def points(stage: dict[str, Any], tried: list[Tried] | None = None) -> list[Point]:
    return [point for _, point in wish(view(stage, tried or [])).points]


def test_each_optimiser_has_its_rates_and_sgd_its_momenta() -> None:
    found = [(p["optimizer"], p["lr"], p.get("momentum")) for p in points(STAGE)]
    adams = [(name, lr, None) for name in ("adam", "adatask") for lr in (0.001, 0.01)]
    assert sorted(found, key=str) == sorted([*adams, ("sgd", 0.5, 0.0), ("sgd", 0.5, 0.9)], key=str)
    search = a_search("uw", STAGE)
    assert search.stages[0].tuned == ("optimizer", "lr", "momentum")
    assert search.expected_trials == 6


def test_before_it_is_tuned_it_is_the_studys() -> None:
    rates = {"lr": [0.1, 0.2]}
    search = a_search("ew", rates, {"optimizer": ["sgd", "signsgd"]})
    assert search.anchors["optimizer"] == "adam"
    assert "optimizer" not in a_search("ew", rates).anchors


def test_a_sampler_learns_from_points_as_they_are_stored() -> None:
    first = points(DRAWN)
    tried = [
        Tried(
            params=canonical(point),
            point=point,
            round=0,
            final=True,
            settled=True,
            value=float(number),
            cost=1,
            trial=number,
        )
        for number, point in enumerate(first)
    ]
    second = points(DRAWN, tried)
    assert second[: len(first)] == first
    assert len({canonical(point) for point in second}) == len(second) == 2 * len(first)
    for point in second:
        assert (0.1 <= point["lr"] <= 1.0) == (point["optimizer"] == "sgd")  # type: ignore[operator]


def test_the_baseline_has_all_rates() -> None:
    plan = a_plan({"weighting": "uw", "stages": [STAGE]}, baseline={})
    (rates,) = plan.searches[0].stages[0].axes_of("lr")
    assert list(rates.points()) == [0.001, 0.01, 0.5]


@pytest.mark.parametrize(
    ("weighting", "change", "said"),
    [
        ("ew", {"optimizer": ["adan", "sgd"]}, "no optimiser `adan` here. Did you mean `adam`"),
        ("ew", {"optimizer": ["sgd", 3]}, "`optimizer` is a name, or a list of names. Got 3"),
        ("ew", {"optimizer": {"range": [0, 1], "points": 2}}, "`optimizer` is a name, or a list"),
        ("ew", {"optimizer": ["no_such:Mine"]}, "no_such"),
        ("pcgrad", {"optimizer": ["sgd", "adatask"]}, "does not train with a gradient-level"),
        ("ew", {"momentum": [0.5, 1.0]}, "`momentum` must be a number from 0 to below 1. Got 1.0"),
        ("ew", {"momentum": {"range": [-0.1, 0.5]}}, "from 0 to below 1. Got -0.1"),
        ("ew", {"momentum": ["much"]}, "from 0 to below 1. Got 'much'"),
        ("ew", {"momentum": [True]}, "from 0 to below 1. Got True"),
    ],
)
def test_what_no_run_could_be_trained_with_is_refused(
    weighting: str, change: dict[str, Any], said: str
) -> None:
    stage = {"lr": [0.1]} | change
    if "momentum" in change:
        stage |= {"strategy": "random", "trials": 1}
    with pytest.raises(BadSpec, match=r"\[\[search\]\] ") as caught:
        a_search(weighting, stage)
    assert said in str(caught.value)


def test_what_a_stage_fixes_is_refused_alike() -> None:
    with pytest.raises(BadSpec, match="no optimiser `adan`"):
        a_search("ew", {"lr": [0.1], "at": {"optimizer": "adan"}})


MOMENTA = {"momentum": [0.0, 0.9]}
OF_ADAM = {"momentum": {"line": [0.0, 0.9], "when": {"optimizer": ["adam", "sgd"]}}}


@pytest.mark.parametrize(
    ("stages", "idle"),
    [
        ([{"optimizer": ["adam", "adatask"], **MOMENTA}], "adam, adatask"),
        ([{"optimizer": ["adamw", "sgd"], **MOMENTA}], "adamw"),
        ([{"optimizer": ["adam", "sgd"], **OF_ADAM}], "adam"),
        ([MOMENTA], "adam"),  # that of [training]
        ([{"optimizer": ["adamw", "sgd"]}, MOMENTA], "adam, adamw"),  # whichever wins
        ([MOMENTA | {"at": {"optimizer": "adam"}}], "adam"),
    ],
)
def test_a_momentum_that_is_ignored_is_not_tuned(stages: list[dict[str, Any]], idle: str) -> None:
    with pytest.raises(BadSpec, match=r"\[\[search\]\] ew: adam, adamw, adatask ignore") as caught:
        a_search("ew", {"lr": [0.1]}, *stages)
    assert f"Got it tuned with {idle}. Drop it, or" in str(caught.value)
    assert 'when = { optimizer = "sgd" }' in str(caught.value)


@pytest.mark.parametrize(
    ("training", "stage"),
    [
        ("sgd", MOMENTA),
        ("adam", {"optimizer": ["sgd", "signsgd"], **MOMENTA}),
        ("adam", MOMENTA | {"at": {"optimizer": "sgd"}}),
    ],
)
def test_a_momentum_that_counts_is_tuned(training: str, stage: dict[str, Any]) -> None:
    of_study = {"epochs": 3, "batch_size": 8, "optimizer": training}
    assert a_search("ew", {"lr": [0.1]} | stage, training=of_study).expected_trials % 2 == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"optimizer": ["adam", "adatask", "sgd", "signsgd"]},
            "every run of a problem has a value of `lr`. Got none for the optimizer signsgd. Add",
        ),
        (
            {"weight_decay": {"line": [0.1], "when": SGD}},
            "every run of a problem has a value of `weight_decay`. Got none for the optimizer adam",
        ),
        (
            {"s0": {"line": [0.1], "when": {"momentum": 0.9}}},
            "it names the `optimizer` alone. Got `s0` with momentum",
        ),
        ({"lr@sgd": {"line": [0.5], "when": ADAMS}}, "different values of one other"),
        ({"lr@sgd": [0.5]}, "a variant of `lr` is tuned where a condition holds. Got `lr@sgd`"),
        ({"s0@x": {"line": [0.5]}}, "a variant of `s0` is tuned where a condition holds. Got `s0@"),
        ({"at": {"weight_decay@x": 0.1}}, "`at`: a variant of `weight_decay` is tuned where a"),
        ({"strategy@x": "random"}, "unknown key `strategy@x`"),
        ({"lrs@sgd": {"line": [0.5], "when": SGD}}, "unknown key `lrs@sgd`"),
        ({"at": {"lr": 0.1}}, "`at` fixes what the stage does not tune. Got lr in both"),
    ],
)
def test_a_run_without_a_rate_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec) as caught:
        a_search("uw", STAGE | change)
    assert said in str(caught.value)


def test_what_hangs_together_is_tuned_together() -> None:
    with pytest.raises(BadSpec, match=r"in one stage only. Got optimizer elsewhere"):
        a_search("uw", STAGE, {"optimizer": ["adam"]})


def test_a_momentum_is_the_same_however_it_is_written() -> None:
    assert of_optimizer({"lr": 0.1, "momentum": 0}) == of_optimizer({"lr": 0.1, "momentum": 0.0})
    assert of_optimizer({"lr": 0.1}) == ()


def test_packs_have_one_optimiser_and_are_trained_by_it() -> None:
    plan = a_plan({"weighting": "uw", "stages": [STAGE]})
    search = next(search for search in plan.searches if search.name == "uw")
    where: dict[str, Any] = {"frozen": plan.frozen, "epochs": 3, "seed": 0, "first": 0, "last": 3}
    tried = points(STAGE)
    keys = {canonical(point): segment_key(search, point=point, **where) for point in tried}
    assert len({*keys.values()}) == 4  # adam, adatask, and sgd with two momenta
    engine: Any = SimpleNamespace(of=lambda _: "fused", rows=lambda _: None, unsaved=lambda _: "")
    packer = Packer(plan, engine, checkpoints="here", device="cpu")
    for point in tried:
        claim = replace(a_claim(1), search="uw", written=canonical(point))
        pack = packer.pack([claim], "code")
        assert pack.training.optimizer == point["optimizer"]
        assert pack.training.momentum == point.get("momentum", plan.training.momentum)
        assert pack.jobs[0].hyper == {"s0": 0.0}
