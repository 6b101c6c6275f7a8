"""A training function in the place of a problem: what may be said of it, and what is planned."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from typing import Any

import pytest

from search_spaces import Choices, LogRange
from study.deciding.advance import Propose
from study.deciding.trials import to_point
from study.errors import BadSpec, NotAnExtension
from study.planning.extension import check_extension
from study.planning.function import as_listed
from study.planning.keys import frozen_part
from study.planning.plan import Plan, make_plan
from study.spec.study_spec import StudySpec, parse
from tests.unit.study.specs import spec_of
from tests.unit.study.world import World
from trainers.jobs import ProblemRef
from trainers.problems import build

_BASE: dict[str, Any] = {
    "name": "tried",
    "function": {"target": "my.training:train", "metric": "loss"},
    "seeds": [0, 1],
    "training": {"epochs": 3},
    "search": [{"stages": [{"lr": [0.001, 0.01], "depth": [1, 2, 3]}]}],
}


def spec(change: Callable[[dict[str, Any]], object] = lambda _spec: None) -> StudySpec:
    plain = deepcopy(_BASE)
    change(plain)
    return parse(plain, source="s.toml")


def plan(*stages: dict[str, Any], **keys: Any) -> Plan:
    return make_plan(spec(lambda s: s.update(search=[{"stages": list(stages), **keys}])))


class TestSpec:
    def test_it_comes_back_from_its_plain_form(self) -> None:
        assert parse(spec().to_plain(), source="again") == spec()

    def test_what_an_objective_returns_counts(self) -> None:
        assert spec().compare.select_epoch == "best"
        assert spec(lambda s: s["function"].update(kind="optuna")).compare.select_epoch == "last"

    def test_other_epochs_may_be_asked_for(self) -> None:
        def best(s: dict[str, Any]) -> None:
            s["function"]["kind"] = "optuna"
            s["compare"] = {"select_epoch": "best"}

        assert spec(best).compare.select_epoch == "best"

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda s: s.update(problem="digits"), "`problem` and `function` exclude each other"),
            (lambda s: s.pop("function"), "`problem` is missing. Add it"),
            (lambda s: s["function"].pop("metric"), r"\[function\] `metric` is missing"),
            (lambda s: s["function"].update(kind="keras"), "`kind` must be 'plain', 'ray' or"),
            (lambda s: s["function"].update(target="train"), "Write `my_training:train` for"),
            (lambda s: s["function"].update(goal="min"), "Unknown key `goal`"),
            (lambda s: s.update(objective="loss"), "`objective` goes with a problem. Got 'loss'"),
            (lambda s: s.update(train_fraction=0.5), "`train_fraction` goes with a problem"),
            (
                lambda s: s.update(label_noise={"task": "a", "kind": "pair", "rate": 0.1}),
                "`label_noise` goes with a problem",
            ),
            (lambda s: s.update(confirm={}), r"\[confirm\] goes with a problem"),
            (lambda s: s.update(baseline={"lr": [1.0]}), r"\[baseline\] goes with a problem"),
            (
                lambda s: s["training"].update(optimizer="sgd", clip_norm=1.0),
                r"\[training\] `optimizer`, `clip_norm` goes with a problem",
            ),
            (
                lambda s: s["training"].update(engine="fused", pack_size=2, checkpoint_s=1),
                r"\[training\] `engine`, `pack_size`, `checkpoint_s` goes with a problem",
            ),
            (lambda s: s.update(keep={"networks": "all"}), r"\[keep\] goes with a problem"),
            (lambda s: s["search"][0].update(init_from="x"), "`init_from` goes with a problem"),
            (
                lambda s: s["search"][0]["stages"][0].update(
                    stop={"rule": "patience", "patience": 1, "rungs": [1]}
                ),
                "a function returns when it has had enough",
            ),
            (lambda s: s["search"][0].update(weighting="ew"), "`weighting` goes with a problem"),
        ],
    )
    def test_what_does_not_go_with_a_function_is_refused(
        self, change: Callable[[dict[str, Any]], object], why: str
    ) -> None:
        with pytest.raises(BadSpec, match=why):
            spec(change)


class TestPlan:
    def test_every_name_in_a_stage_is_a_parameter(self) -> None:
        found = plan({"lr": [0.1], "width": [8, 16]}, {"act": ["relu", "tanh"]})
        (search,) = found.searches
        assert (search.role, search.name, search.tasks) == ("function", "function", ("train",))
        assert [stage.tuned for stage in search.stages] == [("lr", "width"), ("act",)]
        assert found.expected_runs == (2 + 2) * 2

    def test_the_card_has_one_task_with_the_metric(self) -> None:
        found = make_plan(spec(lambda s: s["function"].update(direction="max")))
        assert found.card.kind == "function"
        objective = found.searches[0].objective
        assert (objective.name, objective.direction) == ("loss", "max")
        assert objective.metrics == (("train", "loss", "max"),)

    @pytest.mark.parametrize("kind", ["plain", "ray", "optuna"])
    def test_workers_are_told_who_calls_it(self, kind: str) -> None:
        ref = make_plan(spec(lambda s: s["function"].update(kind=kind))).problem
        home, _, name = ref.caller.partition(":")
        assert callable(getattr(import_module(home), name))
        assert (ref.target, ref.options) == ("my.training:train", {"metric": "loss"})

    def test_a_parameter_rests_at_a_value_that_was_written(self) -> None:
        (search,) = plan(
            {"lr": {"log_range": [0.01, 1.0]}, "strategy": "random", "trials": 2},
            {"depth": [1, 2, 3, 4]},
            {"act": ["relu", "tanh"]},
            hyper={"momentum": 0.9},
        ).searches
        assert search.anchors == {"lr": 0.1, "depth": 2, "act": "relu", "momentum": 0.9}

    def test_the_learning_rate_is_a_parameter_like_others(self) -> None:
        (search,) = plan({"lr": [0.1, 0.2]}, {"width": [8, 16]}).searches
        assert [stage.kind for stage in search.stages] == ["grid", "grid"], "no closing stage"

    def test_stages_can_be_joined_and_stopped(self) -> None:
        stop = {"rule": "halving", "rungs": [1]}
        assert plan({"lr": [0.1, 0.2], "stop": stop}).searches[0].stages[0].stop is not None
        joint = plan({"lr": [0.1, 0.2]}, {"width": [8, 16]}, joint=True).searches[0]
        assert joint.expected_trials == 4

    @pytest.mark.parametrize(
        ("stage", "why"),
        [
            ({}, "must tune something"),
            ({"lr": []}, "The list of values is empty"),
            ({"lr": {"log_range": [1, 2]}}, "continuous, it has no grid"),
            ({"lr": [0.1], "strategy": "tpe"}, "`trials` is missing"),
        ],
    )
    def test_bad_stages_are_refused(self, stage: dict[str, Any], why: str) -> None:
        with pytest.raises(BadSpec, match=why):
            plan(stage)

    def test_values_of_an_old_database_come_back_as_they_are_listed(self) -> None:
        (search,) = plan(
            {"depth": [1, 2], "flag": [True, False], "lr": [1, 2.5]},
            {"width": {"line": [8, 16]}, "at": {"depth": 3}},
            hyper={"layers": 4, "hidden": [8, 16]},
        ).searches
        stored = to_point(
            '{"depth":3.0,"flag":true,"hidden":[8.0,16.0],"layers":4.0,"lr":2.5,"width":16.0}'
        )
        point = as_listed(search, stored)
        assert point == {
            "depth": 3,
            "flag": True,
            "layers": 4,
            "lr": 2.5,
            "width": 16,
            "hidden": (8, 16),
        }
        assert repr(point["hidden"]) == "(8, 16)"
        assert [type(point[name]) for name in ("depth", "flag", "layers", "lr")] == [
            *(int, bool, int, float)
        ]

    def test_whole_numbers_stay_whole_from_stage_to_stage(self) -> None:
        (search,) = plan(
            {"hidden": [[8, 16], [4]]}, {"depth": [1, 2]}, hyper={"layers": [64, 32]}
        ).searches
        world = World(search, lambda point, _seed: float(len(point["hidden"])))
        first = world.step
        assert isinstance(first, Propose)
        assert [proposal.written for proposal in first.new] == [
            '{"depth":1,"hidden":[8,16],"layers":[64,32]}',
            '{"depth":1,"hidden":[4],"layers":[64,32]}',
        ]
        assert first.new[1].params == '{"depth":1.0,"hidden":[4.0],"layers":[64.0,32.0]}'
        world.run()
        written = [entry.written for entry in world.entries if entry.stage == 1]
        assert written == [
            '{"depth":1,"hidden":[4],"layers":[64,32]}',
            '{"depth":2,"hidden":[4],"layers":[64,32]}',
        ]

    def test_axes_of_ranges_keep_their_kind(self) -> None:
        (search,) = plan(
            {"lr": {"log_range": [0.1, 1]}, "depth": [1, 2], "strategy": "tpe", "trials": 4}
        ).searches
        axes = search.stages[0].space.axes
        assert axes == {"lr": LogRange(0.1, 1), "depth": Choices([1, 2])}


class TestLongPoints:
    @pytest.mark.parametrize(
        ("stages", "keys"),
        [
            ([{"layers": [[1], list(range(600))]}], {}),
            ([{"layers": ["a" * 1500, "b"]}, {"text": ["c" * 1500, "d"]}], {}),
            ([{"lr": [1.0], "at": {"text": "c" * 2500}}], {}),
            ([{"lr": [1.0]}], {"hyper": {"table": {f"key {i}": i for i in range(200)}}}),
        ],
    )
    def test_what_no_index_holds_is_refused(
        self, stages: list[dict[str, Any]], keys: dict[str, Any]
    ) -> None:
        with pytest.raises(BadSpec, match="at most 2,500 characters as JSON"):
            plan(*stages, **keys)

    def test_the_longest_of_each_parameter_counts(self) -> None:
        plan({"a": ["x" * 1200, "y" * 1200]}, {"b": ["x" * 1200, "y" * 1200]})


CONDITIONAL: dict[str, Any] = {
    "optimizer": ["adam", "sgd"],
    "momentum": {"line": [0.5, 0.9], "when": {"optimizer": "sgd"}},
}


class TestConditions:
    def test_a_plan_counts_a_conditional_parameter_where_it_is(self) -> None:
        found = plan({**CONDITIONAL, "layers": {"int_range": [1, 3]}})
        assert found.searches[0].expected_trials == (1 + 2) * 3

    def test_an_anchor_lacks_what_does_not_apply_to_it(self) -> None:
        (search,) = plan({"lr": [0.1]}, CONDITIONAL).searches
        assert search.anchors == {"lr": 0.1, "optimizer": "adam"}

    def test_a_conditional_parameter_is_dropped_with_its_reason(self) -> None:
        stages = [{"optimizer": ["sgd"], "momentum": {"line": [0.5], "when": {"optimizer": "sgd"}}}]
        (search,) = plan({"lr": [0.1]}, *stages).searches
        assert search.anchors["momentum"] == 0.5

    def test_whole_numbers_of_a_range_come_back_whole(self) -> None:
        (search,) = plan(
            {"n": {"log_int_range": [1, 512]}, "strategy": "random", "trials": 2}
        ).searches
        (value,) = as_listed(search, to_point('{"n":12.0}')).values()
        assert type(value) is int

    @pytest.mark.parametrize(
        ("stages", "keys"),
        [
            ([CONDITIONAL, {"optimizer": ["adam"]}], {}),
            ([CONDITIONAL, {"lr": [0.1], "at": {"momentum": 0.9}}], {}),
            ([CONDITIONAL], {"hyper": {"momentum": 0.9}}),
        ],
    )
    def test_what_depends_and_on_what_are_tuned_together(
        self, stages: list[dict[str, Any]], keys: dict[str, Any]
    ) -> None:
        with pytest.raises(BadSpec, match=r"in one stage only. Got .* Put them into one stage"):
            plan(*stages, **keys)

    @pytest.mark.parametrize(
        ("table", "why"),
        [
            ({"optimiser": "sgd"}, "tuned beside this one. Got `optimiser`"),
            ({"optimizer": "sdg"}, "'sdg' is not among"),
            ("sgd", "is a table from another parameter"),
        ],
    )
    def test_a_condition_that_can_never_hold_is_refused(self, table: object, why: str) -> None:
        with pytest.raises(BadSpec, match=f"`momentum`: .*{why}"):
            plan(CONDITIONAL | {"momentum": {"line": [0.5], "when": table}})

    def test_runs_of_a_problem_have_all_parameters(self) -> None:
        stage = {"lr": [0.1], "weight_decay": {"line": [0.1], "when": {"lr": 0.1}}}
        with pytest.raises(BadSpec, match="`when` goes with a training function"):
            make_plan(spec_of(search=[{"weighting": "ew", "stages": [stage]}]))


def test_another_function_is_no_extension() -> None:
    class Stored:
        name, spec, card = "tried", spec().to_plain(), make_plan(spec()).card.to_plain()

    other = spec(lambda s: s["function"].update(target="my.training:other"))
    with pytest.raises(NotAnExtension, match="function: stored"):
        check_extension(Stored, other, make_plan(other).card.to_plain())  # type: ignore[arg-type]
    more = spec(lambda s: s.update(seeds=[0, 1, 2]))
    check_extension(Stored, more, make_plan(more).card.to_plain())  # type: ignore[arg-type]


def test_studies_of_problems_are_what_they_were() -> None:
    card = build(ProblemRef(target="digits")).card.to_plain()
    assert "function" not in frozen_part(spec_of(), card)
