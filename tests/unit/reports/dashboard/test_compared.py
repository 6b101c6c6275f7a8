"""Studies side by side on the dashboard: what `compare` says of them, and at one budget."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.across import compare_studies
from reports.dashboard.concluding.studies import compared
from reports.errors import NotComparable
from reports.frames import StudyFrames
from reports.spending import equal_budgets
from reports.spending.budget import parse_budgets
from reports.spending.equal import not_held_said, value_said
from tests.unit.reports import several


@pytest.fixture(scope="module")
def two() -> list[StudyFrames]:
    return [replace(several.study(name), name=name) for name in ("one", "two")]


def test_it_says_what_compare_says(two: list[StudyFrames]) -> None:
    found, said = compared(two, ""), compare_studies({one.name: one for one in two})
    assert found.sentence == said.sentence
    assert found.differing == said.differing
    assert [row[0] for row in found.tables[0].rows] == [one.title for one in said.methods]
    assert found.tables[0].heads == ["Method", "one", "two"]
    for table in found.tables:
        assert {len(row) for row in table.rows} == {len(table.heads)}
        assert len(table.colours) == len(table.rows)


def test_a_budget_is_that_of_each_study(two: list[StudyFrames]) -> None:
    found = compared(two, "100epochs")
    assert found.at_budget is not None
    assert "100 epochs" in found.at_budget.caption
    (alone,) = equal_budgets(two[0], parse_budgets(["100epochs"]))
    told = {row[0]: row[1] for row in found.at_budget.rows}
    for one in alone.methods:
        known = one.rank is not None
        assert told[one.title] == (
            f"{value_said(two[0], one)}, after {one.share_said} of its search" if known else "–"
        )
    assert not_held_said(two[0]) in found.at_budget.caption


def test_the_budget_that_is_suggested_first_pays_for_a_whole_search(two: list[StudyFrames]) -> None:
    found = compared(two, "")
    assert found.at == found.suggested[0]
    assert found.at_budget is not None
    assert any("after all of its search" in cell for row in found.at_budget.rows for cell in row)


def test_budgets_that_are_suggested_are_whole_where_they_count(two: list[StudyFrames]) -> None:
    suggested = compared(two, "").suggested
    counts = [one for one in suggested if one.endswith(("epochs", "runs"))]
    assert counts
    assert [
        one for one in counts if not one.removesuffix("epochs").removesuffix("runs").isdigit()
    ] == []
    assert len(set(suggested)) == len(suggested)


@pytest.mark.parametrize("at", ["much", "<script>", "-5epochs", "1e999s"])
def test_a_budget_that_is_none_is_said_beside_the_rest(two: list[StudyFrames], at: str) -> None:
    found = compared(two, at)
    assert "A budget must be a number" in found.trouble
    assert found.at_budget is None
    assert found.tables


def test_of_a_sealed_study_no_value_is_shown(two: list[StudyFrames]) -> None:
    sealed = replace(several.study("three", sealed=True), name="three")
    found = compared([*two, sealed], "100epochs")
    assert "three" in found.sentence
    assert found.at_budget is not None
    for table in (found.at_budget, found.tables[0]):
        assert {row[table.heads.index("three")] for row in table.rows} == {"–"}


def test_what_cannot_be_compared_is_refused(two: list[StudyFrames]) -> None:
    with pytest.raises(NotComparable, match="one and the same"):
        compared([two[0], replace(two[0], name="again")], "")
