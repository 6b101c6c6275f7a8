"""Equal points have equal keys, different points different ones; whole numbers are told on."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import canonical
from search_spaces.errors import BadValue, WrongType
from search_spaces.written import as_written

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**53), 2**53)
values = st.recursive(
    finite | whole | st.booleans() | st.text() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
points = st.dictionaries(st.text(), values, max_size=3)


def kinds(value: object) -> object:
    """A value with the type of each part beside it: 1, 1.0 and true are equal in Python."""
    if isinstance(value, list):
        return [kinds(entry) for entry in value]
    if isinstance(value, dict):
        return {name: kinds(entry) for name, entry in value.items()}
    return (type(value), value)


@given(points)
def test_a_point_can_be_read_back_as_it_was_written(point: dict[str, object]) -> None:
    assert kinds(json.loads(as_written(point))) == kinds(point)  # type: ignore[arg-type]


@given(points)
def test_what_is_written_has_the_same_key(point: dict[str, object]) -> None:
    assert canonical(json.loads(as_written(point))) == canonical(point)  # type: ignore[arg-type]


@given(points)
def test_the_order_of_the_parameters_does_not_matter(point: dict[str, object]) -> None:
    backwards = dict(reversed(point.items()))
    assert canonical(point) == canonical(backwards)  # type: ignore[arg-type]


@given(finite, finite)
def test_different_numbers_have_different_keys(a: float, b: float) -> None:
    assert (canonical({"x": a}) == canonical({"x": b})) == (a == b)


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ({"lr": 1}, '{"lr":1.0}'),
        ({"lr": 1.0}, '{"lr":1.0}'),
        ({"x": -0.0}, '{"x":0.0}'),
        ({"on": True}, '{"on":true}'),
        ({"b": "é", "a": (1, 0.5)}, '{"a":[1.0,0.5],"b":"\\u00e9"}'),
        ({"x": None}, '{"x":null}'),
        ({"hidden": [8, 16]}, '{"hidden":[8.0,16.0]}'),
        ({"net": {"width": 8, "act": None}}, '{"net":{"act":null,"width":8.0}}'),
        ({}, "{}"),
    ],
)
def test_the_text_of_a_point(point: dict[str, object], text: str) -> None:
    assert canonical(point) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, 2**53 + 1, 10**400, (0.5, math.nan), {"a": math.inf}]
)
def test_values_without_an_exact_key_are_refused(value: object) -> None:
    with pytest.raises(BadValue, match="`x`"):
        canonical({"x": value})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([8, 16], "[8,16]"),
        ([[8, 16], [4]], "[[8,16],[4]]"),
        ({"width": 8, "rate": 1.0}, '{"rate":1.0,"width":8}'),
        (np.int64(3), "3"),
        (np.array([8, 16]), "[8,16]"),
        (np.float64(0.5), "0.5"),
    ],
)
def test_whole_numbers_are_written_whole(value: object, text: str) -> None:
    assert as_written({"x": value}) == f'{{"x":{text}}}'  # type: ignore[dict-item]


def test_values_that_no_point_holds_are_refused() -> None:
    with pytest.raises(WrongType, match="`x` must be a number, a string"):
        canonical({"x": object()})  # type: ignore[dict-item]
