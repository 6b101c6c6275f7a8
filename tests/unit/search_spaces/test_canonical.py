"""Equal points have equal keys, different points different ones."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import canonical
from search_spaces.errors import BadValue, WrongType

promised = settings(max_examples=40, deadline=None)

finite = st.floats(allow_nan=False, allow_infinity=False)
values = finite | st.booleans() | st.text() | st.lists(finite, min_size=1).map(tuple)
points = st.dictionaries(st.text(), values)


@promised
@given(points)
def test_a_point_can_be_read_back(point: dict[str, object]) -> None:
    read = json.loads(canonical(point))  # type: ignore[arg-type]
    assert {k: tuple(v) if isinstance(v, list) else v for k, v in read.items()} == point


@promised
@given(points)
def test_the_order_of_the_parameters_does_not_matter(point: dict[str, object]) -> None:
    backwards = dict(reversed(point.items()))
    assert canonical(point) == canonical(backwards)  # type: ignore[arg-type]


@promised
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
        ({}, "{}"),
    ],
)
def test_the_text_of_a_point(point: dict[str, object], text: str) -> None:
    assert canonical(point) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53 + 1, 10**400, (0.5, math.nan), ()])
def test_values_without_an_exact_key_are_refused(value: object) -> None:
    with pytest.raises(BadValue, match="`x`"):
        canonical({"x": value})  # type: ignore[dict-item]


def test_values_that_no_point_holds_are_refused() -> None:
    with pytest.raises(WrongType, match="`x` must be a number, a string"):
        canonical({"x": None})  # type: ignore[dict-item]
