from __future__ import annotations

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from tests.pairwise import pairwise

SIZES = st.lists(st.integers(1, 4), min_size=2, max_size=4)


@given(sizes=SIZES)
def test_any_two_values_of_different_columns_meet(sizes: list[int]) -> None:
    columns = [range(size) for size in sizes]
    rows = pairwise(*columns)
    for one, other in combinations(range(len(columns)), 2):
        met = {(row[one], row[other]) for row in rows}
        assert met == set(product(columns[one], columns[other]))
    assert len(rows) == len(set(rows))
    assert pairwise(*columns) == rows


def test_there_are_far_fewer_rows_than_in_the_product() -> None:
    assert len(pairwise("abcdefghi", "123", "xyz")) < 36
