"""Which trials no other one beats: what holds for all values, and a few by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage.objectives import beats, named, on_front

VALUES = st.integers(1, 3).flatmap(
    lambda m: st.lists(st.tuples(*[st.integers(0, 4) for _ in range(m)]), max_size=12)
)


@given(VALUES)
def test_they_are_those_that_none_beats(values: list[tuple[int, ...]]) -> None:
    assert on_front(values) == [not any(beats(other, one) for other in values) for one in values]


def test_equal_ones_are_on_it_together() -> None:
    assert on_front([(1, 2), (1, 2), (2, 1), (2, 2)]) == [True, True, True, False]


def test_names_are_read_as_a_spec_has_them() -> None:
    assert named(None) == ("delta_m",)
    assert named("sum.mae") == ("sum.mae",)
    assert named(["a.b", "c.d"]) == ("a.b", "c.d")
