"""Specs that ask several studies at once: pairs of tasks, amounts of labels, rates of noise."""

from __future__ import annotations

from typing import Any

import pytest

from study.catalogue import presets
from study.errors import BadSpec
from study.planning.members import members
from study.planning.plan import make_plan
from tests.unit.study.specs import a_plan, spec_of


def names(**keys: Any) -> list[str]:
    return [one.name for one in members(spec_of(**keys))]


def test_most_specs_ask_one_study_themselves() -> None:
    spec = spec_of(tasks=["left", "sum"], train_fraction={"left": 0.5})
    assert members(spec) == [spec]


def test_pairs_and_shares_make_a_study_each() -> None:
    assert names(tasks="pairs") == ["tried.left-right", "tried.left-sum", "tried.right-sum"]
    assert names(train_fraction=[0.1, 1]) == ["tried.0.1", "tried.1"]
    both = members(spec_of(tasks="pairs", train_fraction=[0.25, 1.0]))
    assert [(one.name, one.tasks, one.train_fraction) for one in both][:2] == [
        ("tried.left-right.0.25", ["left", "right"], 0.25),
        ("tried.left-right.1", ["left", "right"], 1.0),
    ]


def test_shares_that_differ_late_make_names_that_differ() -> None:
    assert names(train_fraction=[0.1234567, 0.12345671]) == ["tried.0.1234567", "tried.0.12345671"]


def test_each_pair_has_the_shares_of_its_own_tasks() -> None:
    found = members(spec_of(tasks="pairs", train_fraction={"left": 0.1, "sum": 1}))
    shares = [{"left": 0.1}, {"left": 0.1, "sum": 1.0}, {"sum": 1.0}]
    assert [one.train_fraction for one in found] == shares
    kept = [make_plan(one).problem.train_fraction for one in found]
    assert kept == [{"left": 0.1}, {"left": 0.1}, {}]
    assert members(spec_of(tasks="pairs", train_fraction={"left": 0.1}))[2].train_fraction is None


def test_rates_of_noise_make_a_study_each_and_a_pair_has_that_of_its_own_tasks() -> None:
    noise = {"task": "left", "kind": "symmetric", "rate": [0, 0.4]}
    clean, noisy = members(spec_of(label_noise=noise))
    assert (clean.name, noisy.name) == ("tried.noise-0", "tried.noise-0.4")
    assert make_plan(clean).frozen == a_plan().frozen
    told = {"tasks": ["left"], "seed": 0, "kind": "symmetric", "rate": 0.4}
    assert make_plan(noisy).problem.label_noise == told
    pairs = members(spec_of(tasks="pairs", label_noise=noise | {"rate": 0.4}))
    assert [make_plan(one).problem.label_noise for one in pairs] == [told, told, {}]


def test_a_pair_without_noisy_tasks_is_one_study_whatever_the_rates() -> None:
    noise = {"task": "left", "kind": "symmetric", "rate": [0, 0.4]}
    assert names(tasks="pairs", label_noise=noise) == [
        *("tried.left-right.noise-0", "tried.left-right.noise-0.4"),
        *("tried.left-sum.noise-0", "tried.left-sum.noise-0.4"),
        "tried.right-sum",
    ]


def test_each_is_a_study_like_any_other() -> None:
    pair, *_ = members(spec_of(tasks="pairs", train_fraction=[0.5]))
    plan = make_plan(pair)
    assert plan.card.task_names == ("left", "right")
    assert [search.name for search in plan.searches] == ["stl/left", "stl/right", "ew"]
    assert plan.problem.train_fraction == {"left": 0.5, "right": 0.5}
    assert any("sum is not asked here" in caveat for caveat in plan.card.caveats)


def test_a_plan_of_several_is_refused_with_their_names() -> None:
    with pytest.raises(BadSpec, match=r"asks 3 studies at once: tried\.left-right, tried\.left-su"):
        a_plan(tasks="pairs")


def test_tasks_in_another_order_are_asked_in_it() -> None:
    assert a_plan(tasks=["sum", "left"]).card.task_names == ("sum", "left")
    assert a_plan(tasks=["sum", "left"]).frozen != a_plan().frozen


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"tasks": ["left", "rigth"]}, "Got `rigth`. Did you mean `right`?"),
        ({"tasks": ["left"]}, "`tasks` must be two tasks or more. Got"),
        ({"tasks": ["left", "left"]}, "must not repeat a task"),
        ({"tasks": "all"}, "`tasks` must be a list of tasks, or \"pairs\". Got 'all'. Write `["),
        ({"tasks": 3}, '`tasks` must be a list of tasks, or "pairs". Got 3.'),
        ({"tasks": 3}, "`tasks` must be"),
        ({"train_fraction": []}, "`train_fraction` must not be empty"),
        ({"train_fraction": [0.1, 0.1]}, "`train_fraction` must not repeat a value"),
        ({"train_fraction": [0.1, 2]}, "`train_fraction`, value 2, must be at most 1"),
        ({"tasks": ["left", "sum"], "train_fraction": {"right": 0.5}}, "Got `right`"),
        ({"tasks": "pairs", "train_fraction": {"mid": 0.5}}, "left, right, sum. Got `mid`"),
        ({"tasks": "pairs", "train_fraction": {"mid": 1}}, "left, right, sum. Got `mid`"),
        (
            {"tasks": "pairs", "label_noise": {"task": "mid", "kind": "pair", "rate": 0}},
            "`label_noise` must name tasks of the problem: left, right, sum. Got `mid`",
        ),
        ({"tasks": "pairs", "name": "a" * 95}, "which must have at most 100 characters. Got 106"),
        ({"train_fraction": [0.1, 1], "name": "a" * 100}, "at most 100 characters. Got 104"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec) as caught:
        a_plan(**keys)
    assert said in str(caught.value)


def test_gong_asks_all_pairs_at_four_amounts() -> None:
    spec = presets()["gong-multimnist"]
    found = members(spec)
    assert len(found) == 3 * 4
    assert [search.name for search in make_plan(found[0]).searches] == [
        *("stl/left", "stl/right"),
        *("ew", "dwa", "uw"),
    ]
