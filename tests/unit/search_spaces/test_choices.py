"""An explicit list of values."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choices
from search_spaces.errors import BadAxis, BadValue, SpaceError, UnknownValue, WrongType


def _nested(depth: int) -> list[Any]:
    return [_nested(depth - 1)] if depth else []


numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30, unique=True)


@given(numbers)
def test_the_points_are_the_values_in_their_order(values: list[float]) -> None:
    axis = Choices(values)
    assert list(axis.points()) == values
    assert axis.size == len(values)


@given(numbers)
def test_to_unit_leads_back(values: list[float]) -> None:
    axis = Choices(values)
    assert [axis.from_unit(axis.to_unit(v)) for v in values] == values


@given(numbers, st.integers(1, 7))
def test_all_buckets_are_equally_wide(values: list[float], per_value: int) -> None:
    axis = Choices(values)
    n = len(values) * per_value
    drawn = [axis.from_unit([(i + 0.5) / n]) for i in range(n)]
    assert drawn == [v for v in values for _ in range(per_value)]


def test_the_ends_of_the_unit_interval_are_the_ends_of_the_list() -> None:
    axis = Choices(["a", "b", "c"])
    assert (axis.from_unit([0.0]), axis.from_unit([1.0])) == ("a", "c")


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([[8, 16], [4]], [(8, 16), (4,)]),
        ([[0.5, 1], []], [(0.5, 1), ()]),
        ([["adam", 0.1], ["sgd", None]], [("adam", 0.1), ("sgd", None)]),
        ([[[8], [16]], [[4, 2]]], [((8,), (16,)), ((4, 2),)]),
        ([None, "relu"], [None, "relu"]),
        ([{"name": "sgd", "hidden": [8]}, {}], [{"name": "sgd", "hidden": (8,)}, {}]),
        ([np.int64(8), np.float32(0.5), np.True_], [8, 0.5, True]),
        (np.array([8, 16]), [8, 16]),
        ([np.array([8, 16])], [(8, 16)]),
    ],
)
def test_values_are_what_was_listed(values: list[Any], points: list[Any]) -> None:
    axis = Choices(values)
    assert repr(list(axis.points())) == repr(points), "1 is not 1.0, and True is neither"
    assert [axis.from_unit(axis.to_unit(point)) for point in points] == points


def test_the_plain_form_is_lists_and_tables() -> None:
    axis = Choices([[8, [16]], {"hidden": [4]}, None])  # type: ignore[list-item]
    assert repr(axis.to_plain()) == "[[8, [16]], {'hidden': [4]}, None]"


def test_true_is_not_one() -> None:
    axis = Choices([True, 1, False])
    assert axis.to_unit(True) != axis.to_unit(1)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([], BadAxis, "list of values is empty. Write at least one"),
        ([0.1, 0.2, 0.1], BadAxis, "Got 0.1 twice. Drop one"),
        ([1, 1.0], BadAxis, "Got 1.0 twice"),
        ([(0.5, 0.5), (0.5, 0.5)], BadAxis, r"Got \(0.5, 0.5\) twice"),
        ([0.1, math.nan], BadValue, "Value 2 must be finite"),
        ([0.1, -math.inf], BadValue, "Value 2 must be finite"),
        ([None, None], BadAxis, "Got None twice"),
        ([[8, 16], [8.0, 16]], BadAxis, r"Got \(8.0, 16\) twice"),
        ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], BadAxis, "twice"),
        ([{1: 2}], WrongType, "keys of Value 1 must be strings. Got 1"),
        ([{"a": [math.nan]}], BadValue, "Entry 1 of `a` of Value 1 must be finite"),
        ([_nested(30)], BadValue, "lies more than 20 lists and tables deep"),
        ([(0.5, math.nan)], BadValue, "Entry 2 of Value 1 must be finite"),
        ([object()], WrongType, "Value 1 must be a number, a string"),
        ([{1, 2}], WrongType, "Value 1 must be a number, a string"),
        ("abc", WrongType, "The values must be a list. Got 'abc'"),
        (0.1, WrongType, "The values must be a list. Got 0.1"),
    ],
)
def test_bad_lists_are_refused(values: object, error: type[SpaceError], message: str) -> None:
    with pytest.raises(error, match=message):
        Choices(values)  # type: ignore[arg-type]


@pytest.mark.parametrize("stranger", [0.3, "0.1", True, math.nan, (0.1,), None])
def test_a_stranger_has_no_coordinates(stranger: object) -> None:
    with pytest.raises(UnknownValue, match="is not among"):
        Choices([0.1, 0.2, 1]).to_unit(stranger)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("u", "message"),
    [
        ([], "takes 1 unit coordinates. Got 0"),
        ([0.1, 0.2], "Got 2"),
        ([-0.1], r"lies in \[0, 1\]. Got -0.1"),
        ([1.1], "Got 1.1"),
        ([math.nan], "Got nan"),
    ],
)
def test_bad_coordinates_are_refused(u: list[float], message: str) -> None:
    with pytest.raises(BadValue, match=message):
        Choices([0.1]).from_unit(u)
