"""The comparison: tables of numbers, and one of the winners behind them."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from reports._ranking import number as said
from reports.comparing.comparison import Comparison
from reports.comparing.differences import Difference
from reports.comparing.rows import MethodRow
from reports.comparing.wording import gaps_of, span, would_decide
from reports.figures import method_colour
from reports.frames import StudyFrames
from reports.html._metrics import MetricNumbers, best_of, metric_numbers, metric_table
from reports.html._tags import Markup, boxed, join, method_head, tag
from reports.html._words import SCORES, count, number, percent, value_of
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M

_NUMBERS = (
    "Test values of each method’s winner, which was chosen on validation{intervals}. Bold: best of "
    "the column; ↓ lower is better, ↑ higher is better. "
    "Cost: start-up, training and validation of all runs of the search"
)
_INTERVALS = ", with their 95 % interval over seeds"
_IN_PACKS = ", as if each had been trained alone and as run, in packs"
_FAMILY = (
    " Several methods are compared at once: intervals are widened after Holm, so that all of them "
    "hold together."
)
# With more metrics than these, a row a metric reads better than a column a metric.
_MOST_BESIDE = 6
_WINNERS = "The winners: what they are, and what their values rest on."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """One column of numbers.

    Attributes:
        group: Head that it shares with its neighbours.
        title: Its own head.
        unit: Second line of the head: direction, unit.
        value: The number that is compared; NaN where there is none.
        text: How it is written.
        sign: +1 if lower is better, -1 if higher is, 0 if nothing is best.
    """

    group: str
    title: str
    unit: str
    value: Callable[[MethodRow], float]
    text: Callable[[MethodRow], str]
    sign: int = 0


def tables(frames: StudyFrames, comparison: Comparison) -> Markup:
    """All tables, each in a box of its own that scrolls sideways."""
    metrics = metric_numbers(frames, comparison.rows)
    beside = metrics if len(metrics) <= _MOST_BESIDE else []
    columns = list(_columns(frames, comparison, beside))
    best = [best_of(map(column.value, comparison.rows), column.sign) for column in columns]
    body = [_row(row, columns, best) for row in comparison.rows]
    known = any(row.interval is not None for row in comparison.rows)
    about = _NUMBERS.format(intervals=_INTERVALS * known)
    caption = f"{about}{_IN_PACKS if frames.packed else ''}."
    numbers = boxed(caption, _heads(columns), body)
    named = [tag("th", name, scope="col") for name in ("Method", "Parameters", "Its value is")]
    winners = [_winner(row, packed=frames.packed) for row in comparison.rows if row.search != "stl"]
    return join(
        [
            numbers,
            None if beside else metric_table(metrics, comparison.rows),
            *_against(comparison),
            boxed(_WINNERS, tag("tr", *named), winners, class_="words"),
        ]
    )


def _against(comparison: Comparison) -> Iterator[Markup]:
    """The method that the headline is about against each other one; none if nothing is known."""
    found = comparison.differences
    if not found:
        return
    gaps = gaps_of(comparison.objective)
    by_search = {row.search: row for row in comparison.rows}
    subject = by_search[found[0].a].title
    side = "below" if comparison.objective.sign > 0 else "above"
    unit = f", in {gaps.unit}" if gaps.unit else ""
    caption = (
        f"{subject} minus each other method, on test{unit}: {side} zero {subject} is better. A "
        "method is called better or worse only if the 95 % interval excludes zero, comparable "
        "only if all of it lies within the margin."
    )
    if any(one.n_compared > 1 for one in found):
        caption += _FAMILY
    heads = (f"{subject} against", "Difference", "95 % interval", "Verdict", "Would decide")
    named = [tag("th", name, scope="col") for name in heads]
    body = [
        tag(
            "tr",
            _method(by_search[one.b]),
            tag("td", _gap(one, gaps)),
            tag("td", span(gaps, one.interval) if one.interval else "–"),
            tag("td", one.verdict),
            tag("td", would_decide(one) if one.verdict == "undecided" and one.interval else "–"),
        )
        for one in found
    ]
    yield boxed(caption, tag("tr", *named), body)


def _gap(found: Difference, gaps: Objective) -> str:
    return "–" if math.isnan(found.value) else said(replace(gaps, unit=""), found.value)


def _columns(
    frames: StudyFrames, comparison: Comparison, metrics: Sequence[MetricNumbers]
) -> Iterator[_Column]:
    yield from _scores(comparison)
    yield _seconds_column("each run alone" if frames.packed else "", lambda row: row.cost_solo_s)
    if frames.packed:
        yield _seconds_column("as run", lambda row: row.cost_as_run_s)
    yield _plain("Cost", "epochs", lambda row: row.cost_epochs)
    for metric in metrics:
        yield _Column(
            group=metric.task,
            title=metric.title,
            unit=metric.unit,
            value=metric.value,
            text=metric.text,
            sign=metric.sign,
        )
    yield _plain("Search", "trials", lambda row: row.n_trials)
    yield _plain("Search", "runs", lambda row: row.n_runs)
    if any(row.n_diverged for row in comparison.rows):
        yield _plain("Search", "diverged", lambda row: row.n_diverged)


def _scores(comparison: Comparison) -> Iterator[_Column]:
    """What methods are ranked by, and Δm beside it where there is a baseline."""
    objective = comparison.objective

    def with_interval(value: str, row: MethodRow) -> str:
        return f"{value} [{span(objective, row.interval)}]" if row.interval else value

    def delta_m(row: MethodRow) -> str:
        value = percent(row.delta_m_test)
        return with_interval(value, row) if objective.name == DELTA_M else value

    if objective.name != DELTA_M:
        yield _Column(
            group="Ranked by",
            title=objective.title,
            unit=f"{'↓' if objective.sign > 0 else '↑'} {objective.unit}".strip(),
            value=lambda row: row.value_test,
            text=lambda row: with_interval(number(row.value_test), row),
            sign=int(objective.sign),
        )
    if objective.name == DELTA_M or comparison.against_stl:
        yield _Column(
            group="Test Δm",
            title="against STL",
            unit="↓ %",
            value=lambda row: row.delta_m_test,
            text=delta_m,
            sign=1,
        )


def _seconds_column(unit: str, value: Callable[[MethodRow], float]) -> _Column:
    return _Column(
        group="Cost",
        title="device-seconds",
        unit=unit,
        value=value,
        text=lambda row: number(value(row), 3),
    )


def _plain(group: str, title: str, value: Callable[[MethodRow], float]) -> _Column:
    return _Column(
        group=group, title=title, unit="", value=value, text=lambda row: count(value(row))
    )


def _heads(columns: Sequence[_Column]) -> Markup:
    """Two rows of heads: groups, and the columns in them."""
    groups = [(name, len(list(members))) for name, members in groupby(columns, lambda c: c.group)]
    upper = [
        tag("th", name, scope="colgroup", colspan=width, class_="group") for name, width in groups
    ]
    lower = [
        tag("th", column.title, tag("span", column.unit, class_="unit"), scope="col")
        for column in columns
    ]
    method = tag("th", "Method", scope="col", rowspan=2, class_="first")
    return join([tag("tr", method, *upper), tag("tr", *lower)])


def _method(row: MethodRow) -> Markup:
    return method_head(row.title, method_colour(row.weighting))


def _row(row: MethodRow, columns: Sequence[_Column], best: Sequence[float]) -> Markup:
    cells = [
        tag("td", column.text(row), class_="best" if column.value(row) == top else "value")
        for column, top in zip(columns, best, strict=True)
    ]
    return tag("tr", _method(row), *cells, class_="reference" if row.search == "stl" else "method")


def _winner(row: MethodRow, *, packed: bool) -> Markup:
    params = "; ".join(f"{name} {value_of(value)}" for name, value in row.params.items())
    remarks = [SCORES[row.delta_m_kind], *row.notes]
    if row.confirm_solo_s:
        cost = f"confirming cost another {number(row.confirm_solo_s, 3)} device-seconds"
        remarks.append(f"{cost}, each run alone" if packed else cost)
    return tag("tr", _method(row), tag("td", params or "–"), tag("td", "; ".join(remarks)))
