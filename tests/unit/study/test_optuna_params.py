"""Parameters of a search as Optuna knows them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search_spaces import Axis, Choices, LogRange, Range, Space, from_optuna
from search_spaces.whole import IntRange, LogIntRange
from study.searches.optuna_params import Scalar, distributions, flat, typed

_ENDS = st.tuples(st.floats(1e-6, 1e3), st.floats(1.5, 1e3)).map(lambda e: (e[0], e[0] * e[1]))
_RANGES = _ENDS.flatmap(lambda e: st.sampled_from([LogRange(*e), Range(*e)]))
_WORDS = st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True).map(Choices)
_COUNTS = st.tuples(st.integers(-5, 5), st.integers(0, 5)).map(
    lambda e: Choices(list(range(e[0], e[0] + e[1] + 1)))
)
_WHOLE = st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(1, 7)).flatmap(
    lambda e: st.sampled_from(
        [IntRange(e[0], e[0] + e[1] * e[2], e[2]), LogIntRange(e[0], e[0] + e[1])]
    )
)
_NUMBERS = st.lists(st.floats(-9, 9).map(float), min_size=1, max_size=4, unique=True).map(Choices)
_EVERY = _RANGES | _WORDS | _COUNTS | _WHOLE | _NUMBERS


@given(st.dictionaries(st.sampled_from("abc"), _RANGES | _WORDS | _WHOLE, max_size=3))
def test_a_space_comes_back_from_its_distributions(axes: dict[str, Axis]) -> None:
    space = Space(axes)
    known = distributions(space.random(3, key="k"), {name: [axes[name]] for name in axes})
    assert from_optuna(known) == space


@given(
    st.dictionaries(
        st.sampled_from("abc"), _RANGES | _WORDS | _COUNTS | _WHOLE | _NUMBERS, max_size=3
    )
)
def test_every_point_lies_within_the_distributions(axes: dict[str, Axis]) -> None:
    points = Space(axes).random(5, key="k")
    known = distributions(points, {name: [axes[name]] for name in axes})
    for point in points:
        for name, value in typed(point, known).items():
            assert known[name]._contains(known[name].to_internal_repr(value))


@pytest.mark.parametrize(
    ("tried", "axes", "distribution"),
    [
        ([0.01, 0.1], [Choices([0.01, 0.1])], FloatDistribution(0.01, 0.1, log=True)),
        ([0.01], [], FloatDistribution(0.01, 0.01)),
        ([0.0, 0.1], [Choices([0.0, 0.1])], FloatDistribution(0.0, 0.1)),
        ([5.0, 40.0], [Choices([5, 20])], IntDistribution(5, 40)),
        ([5.0, 2.5], [Choices([5, 20])], FloatDistribution(2.5, 20.0, log=True)),
        ([1.0], [LogRange(0.1, 10), Choices([20.0])], FloatDistribution(0.1, 20.0, log=True)),
        ([0.5], [Range(0.25, 0.75)], FloatDistribution(0.25, 0.75)),
        ([16.0], [IntRange(8, 30, 8)], IntDistribution(8, 24, step=8)),
        ([16.0], [LogIntRange(8, 64)], IntDistribution(8, 64, log=True)),
        ([3.0], [IntRange(1, 4), Choices([9])], IntDistribution(1, 9)),
        (["b"], [Choices(["a", "b"])], CategoricalDistribution(["a", "b"])),
        ([False, True], [], CategoricalDistribution([False, True])),
    ],
)
def test_a_distribution_holds_all_that_may_be_tried(
    tried: list[Scalar], axes: list[Axis], distribution: BaseDistribution
) -> None:
    assert distributions([{"x": value} for value in tried], {"x": axes}) == {"x": distribution}


def test_task_weights_are_one_parameter_a_task() -> None:
    point = flat({"lr": 0.1, "task_weights": (0.2, 0.8)}, ["left", "right"])
    assert point == {"lr": 0.1, "w_left": 0.2, "w_right": 0.8}
    assert distributions([point], {})["w_left"] == FloatDistribution(0.0, 1.0)


def test_other_rows_are_numbered() -> None:
    assert flat({"betas": (0.9, 0.99)}, ["left", "right"]) == {"betas.0": 0.9, "betas.1": 0.99}


def test_whole_numbers_are_whole_again() -> None:
    known = distributions([{"depth": 2.0}], {"depth": [Choices([1, 2])]})
    (value,) = typed({"depth": 2.0}, known).values()
    assert isinstance(value, int)


def test_lists_tables_and_none_are_parameters_of_optuna() -> None:
    points = [
        flat({"hidden": (8, 16), "act": None, "net": {"b": (1, 2), "a": "x"}}, ()),
        flat({"hidden": (4,), "act": "relu", "net": ((1, 2), (3,))}, ()),
    ]
    assert points[0] == {
        "hidden.0": 8,
        "hidden.1": 16,
        "act": None,
        "net": '{"a": "x", "b": [1, 2]}',
    }
    known = distributions(points, {"act": [Choices([None, "relu", "tanh"])]})
    assert known["act"] == CategoricalDistribution((None, "relu", "tanh"))
    assert known["net"] == CategoricalDistribution(('{"a": "x", "b": [1, 2]}', "[[1, 2], [3]]"))
