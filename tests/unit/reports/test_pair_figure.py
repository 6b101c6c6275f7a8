"""The figure of pairs of tasks: a matrix a panel, in colours that mean the same in all of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from reports.across.pairs import PairTable
from reports.figures import NoFigure, task_pairs
from reports.figures.points import pair_points
from reports.figures.svg import picture
from reports.html._pairs import _seen
from reports.inference import Interval
from storage.objectives import known
from storage.objectives.delta_m import NAME as DELTA_M

OBJECTIVE = known([("a", "error", "min"), ("b", "error", "min")])[DELTA_M]


def table(labels: str, *values: float, tasks: str = "abc") -> PairTable:
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    by_pair = dict(zip(pairs, values, strict=False))
    both = {**by_pair, **{(b, a): value for (a, b), value in by_pair.items()}}
    return PairTable(
        problem="p", method="EW", labels=labels, tasks=[*tasks], values=both, intervals={}
    )


FEW, ALL = table("0.1 of the labels", -2.0, 3.0, 1.0), table("all labels", -4.0, 0.5, math.nan)


def made(*tables: PairTable, beside: tuple[PairTable, ...] = ()) -> go.Figure:
    figure = task_pairs(tables, OBJECTIVE, beside=beside)
    assert isinstance(figure, go.Figure)
    return figure


def cells(figure: go.Figure, panel: int) -> dict[tuple[float, float], str]:
    """Row and column to the colour of each filled square."""
    axis = f"x{panel + 1 if panel else ''}"
    squares = [one for one in figure.data if one.fill == "toself" and (one.xaxis or "x") == axis]
    return {((s.y[0] + s.y[2]) / 2, (s.x[0] + s.x[2]) / 2): s.fillcolor for s in squares}


def written(figure: go.Figure) -> list[tuple[Any, Any, Any, str]]:
    notes = [note for note in figure.layout.annotations if note.xref != "paper"]
    return [(note.xref, note.y, note.x, note.text) for note in notes]


def test_a_panel_an_amount_of_labels_with_each_pair_either_way_round() -> None:
    figure = made(FEW, ALL)
    titles = [one.text for one in figure.layout.annotations if one.xref == "paper"]
    assert titles == ["<b>0.1 of the labels</b>", "<b>all labels</b>"]
    assert set(cells(figure, 0)) == {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)}
    assert set(cells(figure, 1)) == {(0, 1), (1, 0), (0, 2), (2, 0)}, "one has no final value"
    assert ("x2", 1, 2, "–") in written(figure)
    assert any("−4.0" in text for ref, y, x, text in written(figure) if (ref, y, x) == ("x2", 0, 1))


def test_equal_values_have_one_colour_in_all_figures() -> None:
    apart = table("all labels", -2.0, 9.0, 1.0)
    one = cells(made(FEW, beside=(apart,)), 0)
    other = cells(made(apart, beside=(FEW,)), 0)
    assert one[0, 1] == other[0, 1] and one[1, 2] == other[1, 2]
    assert one[0, 1] != one[1, 2]


def test_tables_of_other_tasks_are_put_on_the_same_rows() -> None:
    figure = made(table("few", 1.0, tasks="ab"), FEW)
    assert [*figure.layout.xaxis.ticktext] == ["a", "b", "c"]
    assert set(cells(figure, 0)) == {(0, 1), (1, 0)}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_without_a_number_there_is_no_figure(value: float) -> None:
    assert isinstance(task_pairs([table("few", value)], OBJECTIVE), NoFigure)


def test_what_diverged_is_written_in_its_cell() -> None:
    assert "div." in [text for *_, text in written(made(table("few", 1.0, math.inf)))]


def test_values_are_left_out_where_cells_are_too_narrow() -> None:
    svg = picture(made(FEW, ALL), page="narrow").svg
    assert "+3.0" in svg and "+3.0" in picture(made(FEW, ALL)).svg
    names = [f"a task {n}" for n in range(12)]
    many = replace(FEW, tasks=names, values={(names[0], names[1]): 3.0})
    assert "+3.0" in picture(made(many)).svg
    assert "+3.0" not in picture(made(many), page="narrow").svg


def test_how_many_pairs_gain_is_told_with_how_sure_that_is() -> None:
    ends = {
        ("a", "b"): Interval(low=-3.0, high=-1.0, df=1.0),
        ("a", "c"): Interval(low=-1.0, high=2.0, df=1.0),
    }
    sure = replace(table("all labels", -2.0, -0.5, math.nan), intervals=ends)
    assert _seen(OBJECTIVE, [FEW, sure]) == (
        "Below 0, better than the single-task networks: 1 of 3 pairs with 0.1 of the labels (0 by "
        "the whole 95 % interval over seeds) and 2 of 2 pairs with all labels (1 by the whole 95 % "
        "interval over seeds)."
    )


def test_points_have_each_pair_once() -> None:
    points = pair_points([FEW, ALL])
    assert points[["labels", "task", "beside"]].value_counts().max() == 1
    assert len(points) == 6
