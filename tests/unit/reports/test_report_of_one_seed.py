"""A report of one seed says no more than one seed tells."""

from __future__ import annotations

import pytest

from reports import compare
from reports.html._budgets import budgets
from reports.html._table import tables
from reports.spending import equal_budgets
from tests.unit.reports import synthetic

SURE = ("with their 95 % interval over seeds", "2,000 draws", "Who is better at")


@pytest.mark.parametrize("seeds", [(1,), (1, 2, 3)])
def test_tables_promise_intervals_where_there_are_some(seeds: tuple[int, ...]) -> None:
    frames = synthetic.frames(seeds=seeds)
    found = compare(frames)
    page = f"{tables(frames, found)}{budgets(frames, found, equal_budgets(frames))}"
    several = len(seeds) > 1
    assert [said in page for said in SURE] == [several] * len(SURE)
    assert ("One seed does not tell how sure they are" in page) is not several
