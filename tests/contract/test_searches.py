"""What every strategy promises, whatever its space."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces import Point, Space, canonical, space_from_plain
from study.planning.search_plan import Stage
from study.searches import StageView, Tried, wish
from study.searches.optuna_rounds import distributions, from_coordinates, to_coordinates

N_TASKS = 3
BASE: Point = {"lr": 0.01, "weight_decay": 0.0}
SPACES: dict[str, dict[str, Any]] = {
    "log range": {"lr": {"log_range": [1e-4, 1.0]}},
    "weights on a grid": {"task_weights": {"simplex_step": 0.1}},
    "random weights": {"task_weights": {"dirichlet": 50}},
    "choices": {"lr": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]},
    "mixed": {
        "lr": {"log_range": [1e-4, 1.0]},
        "weight_decay": [0.0, 0.1],
        "task_weights": {"simplex_step": 0.25},
    },
    "categories": {
        "activation": ["relu", "gelu", "tanh"],
        "norm": [True, False],
        "width": {"log_int_range": [8, 1_000_000]},
        "layers": {"int_range": [1, 9], "step": 2},
    },
    "conditions": {
        "momentum": {"range": [0.5, 0.99], "when": {"optimizer": ["sgd", "rmsprop"]}},
        "optimizer": ["adam", "sgd", "rmsprop"],
        "nesterov": {"line": [True, False], "when": {"optimizer": "sgd"}},
        "width": {"log_int_range": [8, 512]},
    },
}
BY_NAME = ["GPSampler", "NSGAIISampler", "QMCSampler", "RandomSampler"]
SAMPLING = ["random", "quasi-random", "tpe", *BY_NAME]
EVERY = [
    *[(kind, space) for kind in SAMPLING for space in SPACES],
    ("grid", "weights on a grid"),
    ("grid", "random weights"),
    ("grid", "choices"),
    ("line", "choices"),
    ("neighbours", "choices"),
]


def _best_is_c(point: Mapping[str, Any]) -> float:
    return (point["kind"] != "c") + 0.1 * float(point["x"])


def stage_of(kind: str, space: str, trials: int = 6, **options: Any) -> Stage:
    axes = {} if kind == "neighbours" else SPACES[space]
    if kind == "QMCSampler":
        options = {"scramble": True, **options}  # else all seeds have one sequence
    return Stage(
        kind="optuna" if kind in BY_NAME else kind,
        sampler=kind if kind in BY_NAME else "",
        options=options,
        space=space_from_plain(axes, n_tasks=N_TASKS),
        trials=trials if kind in SAMPLING else 0,
        round_size=2,
        refine=1 if kind == "line" else 0,
    )


def view_of(stage: Stage, tried: Sequence[Tried] = (), address: str = "study/0/a/1") -> StageView:
    return StageView(
        stage=stage, base=BASE, tried=tried, tried_rates=[0.001, 0.01, 0.1], address=address
    )


def value_of(point: Mapping[str, Any]) -> float:
    return math.cos(float(random.Random(canonical(dict(point))).random()) * 7)


def tried(point: Point, number: int, round_number: int, value: float | None) -> Tried:
    return Tried(
        params=canonical(point),
        point=point,
        round=round_number,
        final=value is not None,
        settled=value is not None,
        value=value,
        cost=1,
        trial=number,
    )


def played(stage: Stage, *, address: str = "study/0/a/1", value: Any = value_of) -> list[Tried]:
    """All that a stage asks for, each round with values before the next."""
    known: list[Tried] = []
    while True:
        wanted = wish(view_of(stage, known, address))
        standing = {one.params for one in known}
        new = [(n, point) for n, point in wanted.points if canonical(point) not in standing]
        if not new:
            assert wanted.complete
            return known
        for number, point in new:
            if canonical(point) not in {one.params for one in known}:
                known.append(tried(point, len(known), number, value(point)))


@pytest.mark.parametrize(("kind", "space"), EVERY)
class TestEveryStrategy:
    def test_points_lie_in_the_space(self, kind: str, space: str) -> None:
        stage = stage_of(kind, space)
        for one in played(stage):
            for name, axis in stage.space.axes.items():
                if name in one.point and (kind != "line" or one.round == 0):
                    axis.to_unit(one.point[name])

    def test_points_keep_what_the_stage_does_not_tune(self, kind: str, space: str) -> None:
        stage = stage_of(kind, space)
        for one in played(stage):
            applying = {n for n in stage.tuned if stage.space.has(n, one.point)}
            assert {*one.point} == ({*BASE} - {*stage.tuned}) | applying
            for name in {*BASE} - {*stage.tuned}:
                assert one.point[name] == BASE[name]

    def test_the_same_address_and_history_give_the_same_points(self, kind: str, space: str) -> None:
        stage = stage_of(kind, space)
        assert played(stage) == played(stage)

    def test_asking_twice_asks_for_the_same(self, kind: str, space: str) -> None:
        view = view_of(stage_of(kind, space))
        assert wish(view) == wish(view)

    def test_points_that_stand_are_asked_for_again_in_their_order(
        self, kind: str, space: str
    ) -> None:
        stage = stage_of(kind, space)
        known = played(stage)
        again = wish(view_of(stage, known))
        assert [canonical(point) for _, point in again.points] == [one.params for one in known]


@pytest.mark.parametrize("kind", SAMPLING)
@pytest.mark.parametrize("space", SPACES)
class TestSampling:
    def test_more_trials_begin_with_the_same_points(self, kind: str, space: str) -> None:
        few, many = (played(stage_of(kind, space, trials)) for trials in (4, 8))
        assert [one.params for one in many[: len(few)]] == [one.params for one in few]
        assert len(many) > len(few)

    def test_another_address_gives_other_points(self, kind: str, space: str) -> None:
        stage = stage_of(kind, space)
        here, there = (
            {one.params for one in played(stage, address=f"study/{seed}/a/1")} for seed in (0, 1)
        )
        assert here != there

    def test_no_point_is_tried_twice(self, kind: str, space: str) -> None:
        params = [one.params for one in played(stage_of(kind, space))]
        assert len(set(params)) == len(params)


FINITE = {"lr": [0.01, 0.1], "weight_decay": [0.0, 0.1]}


@pytest.mark.parametrize("kind", SAMPLING)
def test_a_finite_space_that_runs_out_ends_the_stage(kind: str) -> None:
    space = space_from_plain(FINITE, n_tasks=N_TASKS)
    stage = replace(stage_of(kind, "mixed"), space=space, trials=40, round_size=3)
    params = {one.params for one in played(stage)}
    assert params <= {canonical(BASE | point) for point in space.grid()}
    assert len(params) == 4


class TestTpe:
    def second_round(self, known: Sequence[Tried]) -> list[Point]:
        wanted = wish(view_of(stage_of("tpe", "mixed", 8), known))
        return [point for number, point in wanted.points if number == 1]

    def first_round(self) -> list[Tried]:
        points = wish(view_of(stage_of("tpe", "mixed", 8))).points
        return [tried(p, n, number, value_of(p)) for n, (number, p) in enumerate(points)]

    def test_it_proposes_a_round_at_a_time(self) -> None:
        wanted = wish(view_of(stage_of("tpe", "mixed", 5)))
        assert [number for number, _ in wanted.points] == [0, 0]
        assert not wanted.complete

    def test_the_last_round_has_what_is_left(self) -> None:
        rounds = [one.round for one in played(stage_of("tpe", "mixed", 5))]
        assert rounds == [0, 0, 1, 1, 2]

    def test_the_next_round_waits_for_every_value_of_this_one(self) -> None:
        first, second = self.first_round()
        unknown = tried(second.point, second.trial, 0, None)
        assert self.second_round([first, unknown]) == []

    @given(st.permutations(range(12)))
    @settings(max_examples=5, deadline=None)
    def test_the_order_in_which_results_arrived_does_not_matter(self, order: list[int]) -> None:
        stage = stage_of("tpe", "mixed", 14)
        known = [one for one in played(stage) if one.trial < 12]
        shuffled = [known[place] for place in order]

        def new(history: Sequence[Tried]) -> list[Point]:
            return [point for _, point in wish(view_of(stage, history)).points[12:]]

        assert new(shuffled) == new(known)

    def test_values_matter_once_it_has_enough_of_them(self) -> None:
        stage = stage_of("tpe", "log range", 20)
        up, down = (
            played(stage, value=lambda point, sign=sign: sign * math.log(point["lr"]))
            for sign in (1.0, -1.0)
        )
        low, high = (sum(math.log(one.point["lr"]) for one in known[12:]) for known in (up, down))
        assert low < high

    def test_the_best_category_is_found(self) -> None:
        names = ["a", "b", "c", "d", "e"]
        space = space_from_plain({"kind": names, "x": {"range": [0, 1]}}, n_tasks=1)
        stage = Stage(kind="tpe", space=space, trials=60, round_size=4)
        chosen = Counter(one.point["kind"] for one in played(stage, value=_best_is_c)[30:])
        assert chosen["c"] > 2 * chosen.total() / len(names), "twice as often as by chance"

    @pytest.mark.parametrize(
        ("plain", "kinds"),
        [
            (["relu", "gelu"], [CategoricalDistribution]),
            ([True, False], [CategoricalDistribution]),
            ([3, 1, 2], [CategoricalDistribution]),
            ([1, 2, 4], [FloatDistribution]),
            ([4, 2, 1.5], [FloatDistribution]),
            (["only"], [FloatDistribution]),
            ({"int_range": [1, 9]}, [IntDistribution]),
            ({"log_int_range": [1, 9]}, [IntDistribution]),
            ({"log_int_range": [1, 9], "points": 3}, [FloatDistribution]),
        ],
    )
    def test_each_kind_of_axis_is_seen_as_what_it_is(self, plain: Any, kinds: list[type]) -> None:
        axis = space_from_plain({"x": plain}, n_tasks=1).axes["x"]
        assert [type(known) for known in distributions("x", axis).values()] == kinds
        for share in (0.0, 0.3, 0.5, 0.99):
            value = axis.from_unit([share])
            assert from_coordinates("x", axis, to_coordinates("x", axis, value)) == value

    @pytest.mark.parametrize("space", SPACES)
    def test_it_lives_with_diverged_and_failed_trials(self, space: str) -> None:
        def value(point: Mapping[str, Any]) -> float:
            return math.inf if random.Random(canonical(dict(point))).random() < 0.5 else 1.0

        assert len(played(stage_of("tpe", space, 6), value=value)) == 6
        failed = tried(next(self.points(space)), 0, 0, None)
        settled = Tried(
            **{name: getattr(failed, name) for name in Tried.__slots__ if name != "settled"},
            settled=True,
        )
        assert len(wish(view_of(stage_of("tpe", space), [settled])).points) == 3

    def points(self, space: str) -> Any:
        stage = stage_of("tpe", space)
        return (point for _, point in wish(view_of(stage)).points)

    def test_a_stage_that_asks_for_less_keeps_the_first(self) -> None:
        known = played(stage_of("tpe", "mixed", 6))
        fewer = wish(view_of(stage_of("tpe", "mixed", 4), known))
        assert [canonical(point) for _, point in fewer.points] == [one.params for one in known[:4]]
        assert fewer.complete


def test_an_empty_space_has_one_point() -> None:
    assert wish(view_of(Stage(kind="grid", space=Space({})))).points == [(0, BASE)]
