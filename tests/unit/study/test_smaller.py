"""Smaller versions of a spec: each is one, and what is pasted makes it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from study.catalogue import presets
from study.planning.plan import make_plan
from study.planning.smaller import Smaller, smaller
from study.spec.study_spec import StudySpec, parse
from tests.unit.study.specs import spec_of

RATES = {"lr": [0.001, 0.01]}


def n_trials(plain: Any) -> int:
    plan = make_plan(parse(plain, source="of the test"))
    return sum(search.expected_trials for search in plan.searches)


KINDS = ("claims-mini-8", "diamonds-mini", "celeba-mini", "uw-so-cityscapes-segnet", "quickstart")
"""Presets with all kinds of stages; the others differ in problem and network."""


@pytest.mark.parametrize("name", KINDS)
def test_each_version_of_a_preset_is_a_study_no_larger_than_it(name: str) -> None:
    spec = presets()[name]
    whole, *others = smaller(spec)
    before = n_trials(whole.plain)
    assert (whole.said, whole.toml, whole.n_cuts) == ("as it is", "", 0)
    assert whole.plain == spec.to_plain()
    for one in others:
        assert n_trials(one.plain) <= before
        assert len(one.seeds) <= len(spec.seeds)
        assert one.n_cuts > 0


def pasted(one: Smaller, spec: StudySpec) -> dict[str, Any]:
    """The spec with the lines of a version in it, under their [[search]]."""
    plain, lines = spec.to_plain(), one.toml.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("seeds"):
            plain |= tomllib.loads(line)
        if line.startswith("# in [[search]] of "):
            names = line.removeprefix("# in [[search]] of ").split(", ")
            for part in plain["search"]:
                named = part["name"] or part["weighting"]
                if names == ([named] if isinstance(named, str) else named):
                    part |= tomllib.loads(lines[number + 1])
    return plain


@pytest.mark.parametrize("name", KINDS)
def test_what_is_pasted_makes_the_version(name: str) -> None:
    spec = presets()[name]
    for one in smaller(spec):
        made = parse(pasted(one, spec), source="as pasted")
        assert made == parse(one.plain, source="of the version")


@pytest.mark.parametrize(
    ("stage", "coarser"),
    [
        ({"task_weights": {"simplex_step": 0.1}}, {"task_weights": {"simplex_step": 0.2}}),
        (  # a third would leave no point inside
            {"task_weights": {"simplex_step": 0.25}},
            {"task_weights": {"simplex_step": 0.25}},
        ),
        (
            {"weight_decay": [0.0, 0.1, 0.2, 0.3]},
            {"weight_decay": [0.0, 0.2, 0.3]},
        ),
        ({"weight_decay": [0.0, 0.1, 0.2]}, {"weight_decay": [0.0, 0.1, 0.2]}),
        ({"lr": [0.1, 0.2, 0.3, 0.4, 0.5]}, {"lr": [0.1, 0.2, 0.3, 0.4, 0.5]}),
        (
            {"weight_decay": {"range": [0, 0.5], "points": 9}},
            {"weight_decay": {"range": [0, 0.5], "points": 5}},
        ),
    ],
)
def test_every_second_value_is_kept_but_not_fewer_than_three(
    stage: dict[str, Any], coarser: dict[str, Any]
) -> None:
    fixed = {} if "task_weights" in stage else {"hyper": {"task_weights": [0.2, 0.3, 0.5]}}
    table = {"weighting": "scalarization", "stages": [RATES, stage], **fixed}
    versions = smaller(spec_of(search=[table], training={"epochs": 1, "batch_size": 8}, seeds=[0]))
    found = [one.plain["search"][0]["stages"][1] for one in versions if one.every <= 2][-1]
    assert {name: found[name] for name in coarser} == coarser


def test_sampled_trials_are_halved_and_halving_lies_within_the_epochs() -> None:
    tpe = {"weight_decay": {"range": [0, 0.5]}, "strategy": "tpe", "trials": 30}
    table = {"weighting": "ew", "stages": [RATES, tpe]}
    versions = [*smaller(spec_of(search=[table], training={"epochs": 8, "batch_size": 8}))]
    stages = [one.plain["search"][0]["stages"][1] for one in versions]
    assert [stage["trials"] for stage in stages] == [30, 30, 15, 15, 8, 8]
    assert stages[1]["stop"] == {"rule": "halving", "rungs": [2, 4], "keep": 0.5}


def test_seeds_are_cut_down_to_two() -> None:
    seeds = [5, 6, 7, 8, 9, 10]
    found = {tuple(one.seeds) for one in smaller(spec_of(seeds=seeds))}
    assert found == {tuple(seeds[:n]) for n in (6, 5, 4, 3, 2)}
    assert {tuple(one.seeds) for one in smaller(spec_of(seeds=[3]))} == {(3,)}
