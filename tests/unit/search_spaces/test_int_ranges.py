"""Ranges of whole numbers: walked, drawn, and found again."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Space
from search_spaces.errors import TooManyPoints, UnknownValue
from search_spaces.whole import IntRange, LogIntRange


@given(
    low=st.integers(-(2**40), 2**40),
    more=st.integers(0, 10**6),
    step=st.integers(1, 50),
    u=st.floats(0, 1),
)
def test_a_drawn_value_is_of_the_range_and_is_found_again(
    low: int, more: int, step: int, u: float
) -> None:
    axis = IntRange(low, low + more, step)
    value = axis.from_unit([u])
    assert type(value) is int
    assert low <= value <= low + more
    assert (value - low) % step == 0
    assert axis.from_unit(axis.to_unit(value)) == value
    assert axis.from_unit(axis.to_unit(float(value))) == value, "a database may write 3.0"


@given(low=st.integers(1, 2**30), more=st.integers(0, 10**6), u=st.floats(0, 1))
def test_so_it_is_on_a_log_axis(low: int, more: int, u: float) -> None:
    axis = LogIntRange(low, low + more)
    value = axis.from_unit([u])
    assert type(value) is int
    assert low <= value <= low + more
    assert axis.from_unit(axis.to_unit(value)) == value


def test_a_step_never_goes_beyond_the_upper_end() -> None:
    axis = IntRange(1, 10, step=4)
    assert list(axis.points()) == [1, 5, 9]
    assert axis.size == 3
    assert axis.from_unit([1.0]) == 9


def test_doublings_are_equally_likely_on_a_log_axis() -> None:
    drawn = Space({"n": LogIntRange(8, 512)}).random(3_000, key="k")
    octaves = Counter(math.floor(math.log2(point["n"])) for point in drawn)  # type: ignore[arg-type]
    assert all(400 < octaves[k] < 600 for k in range(3, 9))


def test_a_log_grid_is_geometric_and_holds_no_value_twice() -> None:
    assert list(LogIntRange(8, 512, 7).points()) == [8, 16, 32, 64, 128, 256, 512]
    assert list(LogIntRange(1, 4, 9).points()) == [1, 2, 3, 4]
    assert list(LogIntRange(1, 4).points()) == [1, 2, 3, 4]


@pytest.mark.parametrize("axis", [IntRange(0, 10**6), LogIntRange(1, 10**6)])
def test_a_million_values_are_no_grid_but_can_be_drawn(axis: IntRange | LogIntRange) -> None:
    assert type(axis.from_unit([0.3])) is int
    with pytest.raises(TooManyPoints, match="random or TPE strategy"):
        axis.points()


@pytest.mark.parametrize("value", [0, 5, 2.5, "2", True, (2,), math.inf, math.nan])
@pytest.mark.parametrize("axis", [IntRange(1, 4), LogIntRange(1, 4)])
def test_what_is_no_whole_number_of_the_range_is_unknown(
    axis: IntRange | LogIntRange, value: object
) -> None:
    with pytest.raises(UnknownValue, match=r"whole numbers from 1 to 4"):
        axis.to_unit(value)  # type: ignore[arg-type]


def test_a_value_between_two_steps_is_unknown() -> None:
    with pytest.raises(UnknownValue, match="no step of 8 from 8"):
        IntRange(8, 64, 8).to_unit(12)
