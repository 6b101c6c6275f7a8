"""What several studies say together, whole and at one budget, as `weighbridge compare` has it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from reports import StudyFrames
from reports._palette import method_colour
from reports._ranking import better, number
from reports.across import StudiesComparison, compare_studies
from reports.across.methods import Method
from reports.comparing.wording import gaps_of, span
from reports.dashboard.concluding.conclusions import Compared, TableSaid
from reports.errors import BadBudget, ReportError
from reports.spending import equal_budgets
from reports.spending.axes import CostAxis, offered
from reports.spending.budget import Budget, parse_budgets
from reports.spending.curves import budget_curves
from reports.spending.equal import AtBudget, not_held_said, value_said
from storage.wording import counted

_UNITS: Final[dict[CostAxis, str]] = {"epochs": "epochs", "solo_s": "s", "runs": "runs"}


def compared(frames: Sequence[StudyFrames], at: str) -> Compared:
    """Two studies or more, side by side.

    Args:
        at: A budget such as ``200epochs``; empty for the most that all of them have spent.

    Raises:
        NotComparable: Their numbers have nothing to do with each other.
    """
    studies = {one.name: one for one in frames}
    comparison = compare_studies(studies)
    suggested = list(_suggested(frames))
    asked, trouble, budget = at or next(iter(suggested), ""), "", None
    if asked:
        try:
            budget = parse_budgets([asked])[0]
        except BadBudget as error:
            trouble = str(error)
    tables = [_values(comparison), *_standings(comparison), *_differences(comparison)]
    return Compared(
        sentence=comparison.sentence,
        at=asked,
        trouble=trouble,
        suggested=suggested,
        at_budget=_at_budget(frames, comparison, budget) if budget else None,
        tables=tables,
        differing=comparison.differing,
    )


def _suggested(frames: Sequence[StudyFrames]) -> Iterator[str]:
    """Budgets that every study has spent, and half of them."""
    for axis, unit in _UNITS.items():
        if not all(axis in offered(one) for one in frames):
            continue
        spent = [
            max((float(curve.cost[-1]) for curve in budget_curves(one, axis)), default=0.0)
            for one in frames
        ]
        if least := min(filter(None, spent), default=0.0):
            whole = axis != "solo_s"
            yield from dict.fromkeys(
                f"{_rounded(one, whole=whole)}{unit}" for one in (least, least / 2)
            )


def _rounded(amount: float, *, whole: bool) -> str:
    """Up, so that what was spent in full is paid for in full; counts are whole."""
    if whole or amount >= 100:
        return f"{math.ceil(amount):d}"
    return f"{amount:.3g}"


def _at_budget(
    frames: Sequence[StudyFrames], comparison: StudiesComparison, budget: Budget
) -> TableSaid:
    known = {one.name: _reached(one, budget) for one in frames}
    by_name = {one.name: one for one in frames}

    def cell(method: Method, label: str) -> str:
        result = method.results.get(label)
        found = known[label].get(result.row.search) if result else None
        if found is None or found.rank is None:
            return "–"
        share = found.share_said.removesuffix(" so far")
        so_far = "" if found.finished else " so far"
        return f"{value_said(by_name[label], found)}, after {share} of its search{so_far}"

    objective = comparison.objective
    return TableSaid(
        caption=f"What each method has reached in each study for {budget.said}: test "
        f"{objective.title} of its winner so far, with its 95 % interval over seeds; "
        f"{better(objective)} is better. {not_held_said(frames[0])}".strip(),
        heads=["Method", *known],
        rows=[(one.title, *(cell(one, label) for label in known)) for one in comparison.methods],
        colours=[method_colour(one.weighting) for one in comparison.methods],
    )


def _reached(frames: StudyFrames, budget: Budget) -> dict[str, AtBudget]:
    """By search; nothing where costs are not recorded in this unit."""
    try:
        found = equal_budgets(frames, [budget])
    except ReportError:
        return {}
    return {one.search: one for one in found[0].methods} if found else {}


def _values(comparison: StudiesComparison) -> TableSaid:
    objective, labels = comparison.objective, [one.label for one in comparison.studies]

    def cell(method: Method, label: str) -> str:
        result = method.results.get(label)
        if result is None or math.isnan(result.row.value_test):
            return "–"
        within = f" [{span(objective, result.row.interval)}]" if result.row.interval else ""
        said = f"{_number(comparison, result.row.value_test)}{within}"
        return said if result.is_final else f"({said})"

    return TableSaid(
        caption=f"Test {objective.title} of each method’s winner after its whole search, with its "
        "95 % interval over seeds. In brackets: runs are outstanding, so it is not ranked.",
        heads=["Method", *labels],
        rows=[(one.title, *(cell(one, label) for label in labels)) for one in comparison.methods],
        colours=[method_colour(one.weighting) for one in comparison.methods],
    )


def _standings(comparison: StudiesComparison) -> Iterator[TableSaid]:
    ranking, objective = comparison.ranking, comparison.objective
    if ranking is None:
        return
    yield TableSaid(
        caption=f"Over {counted(ranking.n_problems, 'problem')}; intervals are from problem to "
        "problem.",
        heads=[
            "Method",
            "Mean rank",
            f"Mean {objective.title}",
            "95 % interval",
            "Best in",
        ],
        rows=[
            (
                one.method.title,
                f"{one.mean_rank:.2f}",
                _number(comparison, one.estimate.value),
                span(objective, one.interval) if one.interval else "–",
                f"{100 * one.best:.0f} %",
            )
            for one in ranking.standings
        ],
        colours=[method_colour(one.method.weighting) for one in ranking.standings],
    )


def _differences(comparison: StudiesComparison) -> Iterator[TableSaid]:
    if not comparison.differences:
        return
    gaps, methods = gaps_of(comparison.objective), {one.key: one for one in comparison.methods}
    means = [one.mean for one in comparison.differences]
    subject = methods[means[0].a].title
    yield TableSaid(
        caption=f"{subject} minus each other method, mean over problems: "
        f"{'below' if gaps.sign > 0 else 'above'} zero {subject} is better.",
        heads=[f"{subject} against", "Difference", "95 % interval", "Verdict"],
        rows=[
            (
                methods[one.b].title,
                "–" if math.isnan(one.value) else number(gaps, one.value),
                span(gaps, one.interval) if one.interval else "–",
                one.verdict,
            )
            for one in means
        ],
        colours=[method_colour(methods[one.b].weighting) for one in means],
    )


def _number(comparison: StudiesComparison, value: float) -> str:
    if math.isnan(value):
        return "–"
    return "diverged" if math.isinf(value) else number(comparison.objective, value)
