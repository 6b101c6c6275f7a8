"""What searches and parameters are called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports._naming import called, point_of, titles_of

KNOWN = {"uw-so": "UW-SO", "ew": "EW", "stl": "STL"}


def test_a_search_is_called_as_its_method() -> None:
    assert titles_of(KNOWN, {"mine": "uw-so", "ew": "ew"}) == {"mine": "UW-SO", "ew": "EW"}


def test_searches_of_one_method_are_told_apart_by_their_names() -> None:
    weightings = {"stl/a": "stl", "stl/b": "stl", "fine": "uw-so", "coarse": "uw-so"}
    assert list(titles_of(KNOWN, weightings).values()) == [
        *("STL (a)", "STL (b)", "UW-SO (fine)", "UW-SO (coarse)"),
    ]


def test_what_has_no_title_has_its_name() -> None:
    weightings = {"a": "my:Own", "b": "", "c": "ew, uw-so"}
    assert list(titles_of(KNOWN, weightings).values()) == ["my:Own", "b", "EW, UW-SO"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *(("lr", "learning rate"), ("weight_decay", "weight decay")),
        *(("w_price", "weight of price"), ("temperature", "temperature")),
    ],
)
def test_a_parameter_has_the_fields_words(name: str, words: str) -> None:
    assert called(name) == words


@pytest.mark.parametrize(
    "text", ["", "a", "[1]", "null", '{"lr":', "[" * 10_000, "1" * 5_000, "1e"]
)
def test_a_text_that_names_no_parameters_stands_for_itself(text: str) -> None:
    assert point_of(text) == {"params": text}


@given(st.dictionaries(st.text(), st.floats(allow_nan=False) | st.text() | st.lists(st.integers())))
def test_parameters_are_those_of_the_json_as_far_as_they_can_be_written(
    point: dict[str, object],
) -> None:
    found = point_of(json.dumps(point))
    assert found == point


def test_letters_that_no_encoding_has_are_question_marks() -> None:
    assert point_of('{"a\\ud800":"\\udfff"}') == {"a?": "?"}
    assert point_of(f'{{"a":{"9" * 5_000},"b":3}}') == {"a": "9" * 5_000, "b": 3}
