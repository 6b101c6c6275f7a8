"""Optuna's own distributions become spaces."""

from typing import Any

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search_spaces import Axis, Choices, LogRange, Range, from_optuna
from search_spaces.errors import BadAxis, BadValue, SpaceError, TooManyPoints, WrongType
from search_spaces.whole import IntRange, LogIntRange


@pytest.mark.parametrize(
    ("distribution", "axis"),
    [
        (FloatDistribution(0, 1), Range(0, 1)),
        (FloatDistribution(0.0, 0.5, step=0.1), Range(0, 0.5, points=6)),
        (FloatDistribution(0.1, 0.7, step=0.2), Range(0.1, 0.7, points=4)),
        (FloatDistribution(1e-5, 1e-1, log=True), LogRange(1e-5, 1e-1)),
        (FloatDistribution(0.5, 0.5), Choices([0.5])),
        (FloatDistribution(0.5, 0.5, log=True), Choices([0.5])),
        (IntDistribution(1, 3), IntRange(1, 3)),
        (IntDistribution(0, 10**6), IntRange(0, 10**6)),
        (IntDistribution(8, 32, step=8), IntRange(8, 32, step=8)),
        (IntDistribution(4, 128, log=True), LogIntRange(4, 128)),
        (IntDistribution(4, 4, log=True), IntRange(4, 4)),
        (CategoricalDistribution(["adam", "sgd"]), Choices(["adam", "sgd"])),
        (CategoricalDistribution([True, False]), Choices([True, False])),
        (CategoricalDistribution([None, "relu"]), Choices([None, "relu"])),
    ],
)
def test_each_distribution_has_its_axis(distribution: BaseDistribution, axis: Axis) -> None:
    assert from_optuna({"x": distribution}).axes == {"x": axis}


def test_whole_numbers_stay_whole() -> None:
    points = from_optuna({"depth": IntDistribution(1, 2)}).grid()
    assert [type(point["depth"]) for point in points] == [int, int]


@pytest.mark.filterwarnings("ignore:Choices for a categorical distribution")
def test_layers_stay_whole() -> None:
    (axis,) = from_optuna({"hidden": CategoricalDistribution([(8, 16), (4,)])}).axes.values()
    assert repr(list(axis.points())) == "[(8, 16), (4,)]"


def test_a_float_range_with_whole_ends_is_no_range_of_whole_numbers() -> None:
    assert from_optuna({"x": FloatDistribution(1, 4)}).size is None


@pytest.mark.parametrize(
    ("name", "found", "error", "message"),
    [
        ("x", FloatDistribution(0, 1, step=1e-6), TooManyPoints, "`x`: 1,000,001 steps"),
        ("lr", FloatDistribution(0, 1), BadValue, "`lr`: Value 1 must be above 0"),
        ("lr", IntDistribution(0, 1), BadValue, "`lr`: Value 1 must be above 0"),
        ("lr", CategoricalDistribution(["a"]), WrongType, "`lr`: Value 1 must be a number"),
        ("task_weights", FloatDistribution(0, 1), BadAxis, "rows that sum to 1.*simplex_step"),
        ("x", 0.5, WrongType, "`x`: Not a distribution of Optuna: 0.5"),
    ],
)
def test_what_has_no_axis_is_refused_by_name(
    name: str, found: Any, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        from_optuna({name: found})


def test_a_study_is_not_its_distributions() -> None:
    with pytest.raises(WrongType, match="Optuna's distributions must be a mapping"):
        from_optuna([FloatDistribution(0, 1)])  # type: ignore[arg-type]


def test_what_an_objective_asks_for_behind_an_if_has_a_condition() -> None:
    space = from_optuna(
        {
            "opt": CategoricalDistribution(["adam", "sgd", "rmsprop"]),
            "layers": IntDistribution(1, 2),
            "momentum": FloatDistribution(0.0, 0.9, step=0.45),
        },
        when={"momentum": {"opt": ["sgd", "rmsprop"]}},
    )
    assert space.size == 2 + 2 * 2 * 3
    assert space.to_plain()["momentum"] == {
        "range": [0.0, 0.9],
        "points": 3,
        "when": {"opt": ["sgd", "rmsprop"]},
    }


def test_a_range_that_hangs_on_a_choice_is_a_variant_for_each() -> None:
    space = from_optuna(
        {
            "optimizer": CategoricalDistribution(["adam", "sgd"]),
            "lr@adam": FloatDistribution(1e-4, 1e-2, log=True),
            "lr@sgd": FloatDistribution(1e-2, 1.0, log=True),
        },
        when={"lr@adam": {"optimizer": "adam"}, "lr@sgd": {"optimizer": "sgd"}},
    )
    rates = [space.named(point) for point in space.random(20, key="k")]
    assert all((p["lr"] < 1e-2) == (p["optimizer"] == "adam") for p in rates)
