"""Spaces from their TOML and JSON form."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import (
    Axis,
    Choices,
    LogRange,
    Range,
    SimplexGrid,
    SimplexRandom,
    Space,
    axis_from_plain,
    space_from_plain,
)
from search_spaces.errors import BadAxis, BadValue, SpaceError, UnknownKey, WrongType

numbers = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5, unique=True)
ranges = st.builds(
    LogRange,
    st.floats(1e-6, 1.0),
    st.floats(2.0, 1e6),
    st.none() | st.integers(2, 9),
)
weight_axes = st.one_of(
    st.builds(SimplexGrid, st.just(3), st.sampled_from([0.1, 0.05, 0.5]), st.booleans()),
    st.builds(SimplexRandom, st.just(3), st.integers(1, 99), st.floats(0.0, 0.3)),
    st.just(Choices([(0.2, 0.3, 0.5), (1.0, 0.0, 0.0)])),
)
named_axes = st.one_of(
    st.tuples(st.sampled_from(["lr", "temperature", "alpha"]), numbers.map(Choices) | ranges),
    st.tuples(st.just("task_weights"), weight_axes),
    st.tuples(st.just("kind"), st.just(Choices(["a", "b", True]))),
)


@given(named_axes)
def test_an_axis_comes_back_through_json(named: tuple[str, Axis]) -> None:
    name, axis = named
    assert axis_from_plain(name, json.loads(json.dumps(axis.to_plain())), n_tasks=3) == axis


@given(st.lists(named_axes, max_size=4))
def test_a_space_comes_back_through_json(named: list[tuple[str, Axis]]) -> None:
    space = Space(dict(named))
    back = space_from_plain(json.loads(json.dumps(space.to_plain())), n_tasks=3)
    assert back == space
    assert list(back.axes) == list(space.axes)


@pytest.mark.parametrize(
    ("name", "plain", "axis"),
    [
        ("lr", [1, 0.1], Choices([1.0, 0.1])),
        ("weight_decay", [0, 1e-5], Choices([0.0, 1e-5])),
        ("temperature", {"line": [1, 5, 20]}, Choices([1.0, 5.0, 20.0])),
        ("lr", {"log_range": [1e-5, 0.1]}, LogRange(1e-5, 0.1)),
        ("lr", {"log_range": [1e-5, 0.1], "points": 5}, LogRange(1e-5, 0.1, points=5)),
        ("task_weights", {"simplex_step": 0.1}, SimplexGrid(3, 0.1)),
        ("task_weights", {"simplex_step": 0.1, "boundary": True}, SimplexGrid(3, 0.1, True)),
        ("task_weights", {"dirichlet": 50}, SimplexRandom(3, 50)),
        ("task_weights", {"dirichlet": 50, "floor": 0.02}, SimplexRandom(3, 50, 0.02)),
        ("task_weights", [[0.5, 0.5, 0]], Choices([(0.5, 0.5, 0.0)])),
        ("task_weights", {"line": [[0.5, 0.5, 0]]}, Choices([(0.5, 0.5, 0.0)])),
        ("depth", [1, 2], Choices([1, 2])),
        ("dropout", {"range": [0, 0.5]}, Range(0, 0.5)),
        ("weight_decay", {"range": [0, 1], "points": 3}, Range(0, 1, points=3)),
        ("norm", ["batch", "layer"], Choices(["batch", "layer"])),
    ],
)
def test_every_form_is_read(name: str, plain: object, axis: Axis) -> None:
    assert axis_from_plain(name, plain, n_tasks=3) == axis


def test_whole_numbers_of_unknown_parameters_stay_whole() -> None:
    (value,) = axis_from_plain("depth", [2], n_tasks=3).points()
    assert isinstance(value, int)


KEYS = (
    "Allowed: boundary, dirichlet, floor, groups, int_range, line, log_int_range, log_range, "
    "points, range, simplex_step, step"
)


@pytest.mark.parametrize(
    ("name", "plain", "error", "message"),
    [
        ("lr", [], BadAxis, "`lr`: The list of values is empty"),
        ("lr", [0.1, 0.1], BadAxis, "`lr`: Values must differ. Got 0.1 twice"),
        ("lr", [0.1, 0], BadValue, "`lr`: Value 2 must be above 0. Got 0.0"),
        ("lr", [-0.1], BadValue, "`lr`: Value 1 must be above 0. Got -0.1"),
        ("lr", [math.nan], BadValue, "`lr`: Value 1 must be finite"),
        ("lr", [math.inf], BadValue, "`lr`: Value 1 must be finite"),
        ("lr", [True], WrongType, "`lr`: Value 1 must be a number. Got True"),
        ("lr", ["0.1"], WrongType, "`lr`: Value 1 must be a number. Got '0.1'"),
        ("lr", [[0.1]], WrongType, r"`lr`: Value 1 must be a number. Got \[0.1\]"),
        ("lr", 0.1, WrongType, r"`lr`: An axis is a list or a table. Got 0.1. .*\[0.1\]"),
        ("lr", "0.1", WrongType, "`lr`: An axis is a list or a table"),
        ("temperature", [0], BadValue, "`temperature`: Value 1 must be above 0"),
        ("temperature", {"line": [-5]}, BadValue, "`temperature`: Value 1 must be above 0"),
        ("weight_decay", [-1e-5], BadValue, "`weight_decay`: Value 1 must be 0 or above"),
        ("alpha", [math.nan], BadValue, "`alpha`: Value 1 must be finite"),
        ("alpha", [object()], WrongType, "`alpha`: Value 1 must be a number, a string"),
        ("lr", {"line": 5}, WrongType, "`lr`: The values must be a list. Got 5"),
        ("lr", {}, BadAxis, "Exactly one of `line`, `log_range`.* Got none"),
        ("lr", {"points": 5}, BadAxis, "Exactly one of .* Got `points`"),
        ("lr", {"line": [1], "log_range": [1, 2]}, BadAxis, "Got `line`, `log_range`"),
        ("lr", {"log_rnge": [1, 2]}, UnknownKey, f"`log_rnge`. Did you mean `log_range`. {KEYS}"),
        ("lr", {"zzz": 1}, UnknownKey, f"Unknown key `zzz`. {KEYS}"),
        ("lr", {"line": [1], "points": 5}, UnknownKey, "`points` does not go with `line`"),
        ("lr", {"log_range": [1, 2], "floor": 0}, UnknownKey, "Allowed beside it: `points`"),
        ("lr", {"log_range": [1]}, WrongType, r"`log_range` must be two numbers. Got \[1\]"),
        ("lr", {"log_range": 1}, WrongType, "`log_range` must be two numbers. Got 1"),
        ("lr", {"log_range": [0, 1]}, BadAxis, "`lr`: `low` must be above 0"),
        ("lr", {"log_range": [1, 2], "points": 1}, BadValue, "`points` must be at least 2"),
        ("lr", {"range": [0, 1]}, BadValue, "`lr`: Value 1 must be above 0"),
        ("depth", {"range": [1]}, WrongType, r"`range` must be two numbers. Got \[1\]"),
        ("n", {"int_range": [1, 2.5]}, WrongType, "`high` must be a whole number. Got 2.5"),
        ("n", {"int_range": [True, 3]}, WrongType, "`low` must be a whole number. Got True"),
        ("n", {"int_range": [3, 1]}, BadAxis, "`high` must not be below `low`"),
        ("n", {"int_range": [1, 2**70 + 1]}, BadValue, "`high` must be finite and exact"),
        ("n", {"int_range": [1, 9], "step": 0}, BadValue, "`step` must be at least 1"),
        ("n", {"int_range": [1, 9], "points": 3}, UnknownKey, "Allowed beside it: `step`"),
        ("n", {"log_int_range": [0, 9]}, BadAxis, "`low` must be 1 or above on a log axis"),
        ("n", {"log_int_range": [1, 9], "step": 2}, UnknownKey, "Allowed beside it: `points`"),
        ("lr", {"int_range": [0, 1]}, BadValue, "`lr`: Value 1 must be above 0"),
        ("task_weights", {"int_range": [1, 2]}, BadAxis, "`int_range` is for parameters with one"),
        ("lr", {"simplex_step": 0.1}, BadAxis, "`simplex_step` is for `task_weights`. .*`line`"),
        ("lr", {"dirichlet": 5}, BadAxis, "`dirichlet` is for `task_weights`"),
        ("task_weights", {"log_range": [1, 2]}, BadAxis, "`log_range` is for parameters with one"),
        ("task_weights", {"simplex_step": 0.3}, BadAxis, "must divide 1 exactly"),
        ("task_weights", {"dirichlet": 5, "floor": 0.5}, BadAxis, "`floor` must be at least 0"),
        ("task_weights", {"dirichlet": True}, WrongType, "must be a whole number. Got True"),
        ("task_weights", [], BadAxis, "`task_weights`: The list of values is empty"),
        ("task_weights", [0.5, 0.5], WrongType, "Row 1 must be a list of 3 weights. Got 0.5"),
        ("task_weights", [[0.5, 0.5]], BadValue, "Row 1 must have one .* 3 tasks. Got 2"),
        ("task_weights", [[0.5, 0.6, -0.1]], BadValue, "Row 1 must not have a negative weight"),
        ("task_weights", [[0.5, 0.5, "0"]], WrongType, "Weight 3 of row 1 must be a number"),
        ("task_weights", [[0.5, math.nan, 0.5]], BadValue, "Weight 2 of row 1 must be finite"),
        (
            "task_weights",
            [[0.2, 0.3, 0.5], [0.2, 0.3, 0.4]],
            BadValue,
            r"Row 2 must sum to 1. Got \[0.2, 0.3, 0.4\], which sums to 0.9",
        ),
    ],
)
def test_bad_forms_are_refused(
    name: str, plain: object, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        axis_from_plain(name, plain, n_tasks=3)


def test_sums_may_miss_one_by_rounding() -> None:
    row = [0.3333333333] * 3
    assert math.fsum(row) == pytest.approx(1 - 1e-10, abs=1e-15)
    assert axis_from_plain("task_weights", [row], n_tasks=3).size == 1


@pytest.mark.parametrize("n_tasks", [0, True, 2.0])
def test_a_number_of_tasks_is_a_count(n_tasks: int) -> None:
    with pytest.raises(SpaceError, match="`n_tasks` must be"):
        axis_from_plain("lr", [0.1], n_tasks=n_tasks)


def test_a_space_is_a_table() -> None:
    with pytest.raises(WrongType, match="A space is a table of parameters"):
        space_from_plain([0.1], n_tasks=3)  # type: ignore[arg-type]


def test_a_message_of_a_space_names_the_parameter() -> None:
    with pytest.raises(BadValue, match=r"^Parameter `temperature`: Value 1"):
        space_from_plain({"lr": [0.1], "temperature": [0]}, n_tasks=3)
