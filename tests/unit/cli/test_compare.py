"""`compare` on narrow terminals: numbers are whole, whatever the number of tasks."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace
from typing import Any

import pytest

from reports import Comparison, MethodRow, StudyFrames, load
from storage.objectives import known
from study.cli import _wide
from study.cli._cells import params_said
from study.cli._compare import _print_rows
from study.cli._console import _Literal
from study.cli._wide import Column, show
from tests.unit.reports import synthetic

TITLES = ("STL", "EW", "Scalarization", "UW-SO", "a plugin of a rather long name")
WEIGHTS = tuple(1 / 14 for _ in range(14))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes a terminal of so many columns, and gives what is written to it."""

    def of(width: int) -> io.StringIO:
        stream = io.StringIO()
        console = _Literal(
            file=stream, width=width, markup=False, emoji=False, highlight=False, color_system=None
        )
        monkeypatch.setattr(_wide, "console", console)
        return stream

    return of


def a_study(n_tasks: int, *, packed: bool) -> StudyFrames:
    made = synthetic.reader(epochs=3, fused=packed)
    metric = {"name": "error_rate", "title": "Error", "direction": "min"}
    made.card["tasks"] = [{"name": f"attribute_{k}", "metrics": [metric]} for k in range(n_tasks)]
    return load(made, synthetic.STUDY)


def rows_of(frames: StudyFrames) -> tuple[MethodRow, ...]:
    """A row a title; every number in it is another one."""
    return tuple(
        MethodRow(
            search="ew" if title == "EW" else title,
            title=title,
            weighting="ew",
            n_trials=36 + place,
            n_runs=1108 + place,
            n_diverged=0,
            cost_solo_s=361_234.0 + 3600 * place,
            cost_as_run_s=41_234.0 + 3600 * place,
            cost_epochs=1,
            value_test=-12.34 - place,
            delta_m_test=-12.34 - place,
            delta_m_kind="cross-fit",
            seed_sd=1.25 + place,
            metrics={
                (metric.task, metric.name): 0.0123 + 0.01 * k + 0.001 * place
                for k, metric in enumerate(frames.metrics)
            },
            params={"lr": 0.003, "task_weights": WEIGHTS},
            notes=(),
            confirm_solo_s=0.0,
        )
        for place, title in enumerate(TITLES)
    )


def compared(rows: tuple[MethodRow, ...], objective: str = "delta_m") -> Comparison:
    metrics = [("a", "error", "min"), ("b", "score", "max")]
    return Comparison(
        objective=known(metrics)[objective],
        rows=rows,
        sentence="",
        break_even=None,
        finished_runs=1,
        planned_runs=1,
    )


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("n_tasks", [2, 14, 40])
@pytest.mark.parametrize("width", [80, 120, 160])
def test_every_number_is_whole(terminal: Any, width: int, n_tasks: int, packed: bool) -> None:
    frames, stream = a_study(n_tasks, packed=packed), terminal(width)
    rows = rows_of(frames)
    _print_rows(frames, compared(rows))
    written = stream.getvalue()
    assert max(map(len, written.splitlines())) <= width
    assert "…" not in written
    numbers = re.findall(r"[+-]?\d+\.\d+", written)
    for row in rows:
        assert numbers.count(f"{row.delta_m_test:+.2f}") == 1
        assert {f"{value:.4f}" for value in row.metrics.values()} <= set(numbers)
        assert f" {row.n_trials} " in written
        assert f" {row.n_runs} " in written
    for metric in frames.metrics:
        assert f"{metric.task} " in written, "heads are whole, too"


def test_small_metrics_are_no_zeros(terminal: Any) -> None:
    frames, stream = a_study(2, packed=False), terminal(200)
    rows = tuple(
        replace(row, metrics=dict.fromkeys(row.metrics, 2.5e-10)) for row in rows_of(frames)
    )
    _print_rows(frames, compared(rows))
    assert "0.0000" not in stream.getvalue()
    assert stream.getvalue().count("2.500e-10") == 2 * len(rows)


def test_one_table_is_enough_where_all_fits(terminal: Any) -> None:
    frames, stream = a_study(2, packed=False), terminal(160)
    _print_rows(frames, compared(rows_of(frames)))
    assert stream.getvalue().count("method") == 1


def test_each_table_begins_with_the_method(terminal: Any) -> None:
    frames, stream = a_study(14, packed=False), terminal(80)
    _print_rows(frames, compared(rows_of(frames)))
    written = stream.getvalue()
    assert written.count("UW-SO") == written.count("method") > 2
    assert written.index("Δm test") < written.index("attribute_0")


def test_another_objective_comes_first_with_its_direction(terminal: Any) -> None:
    frames, stream = a_study(2, packed=False), terminal(200)
    rows = tuple(replace(row, value_test=0.5 + 0.1 * k) for k, row in enumerate(rows_of(frames)))
    _print_rows(frames, compared(rows, "b.score"))
    written = stream.getvalue()
    assert "b.score" in written
    assert "test ↑" in written
    assert written.index("test ↑") < written.index("Δm test") < written.index("error_rate")
    assert " 0.9 " in written


def test_an_objective_is_written_in_its_own_format_and_unit(terminal: Any) -> None:
    frames, stream = a_study(2, packed=False), terminal(200)
    rows = tuple(replace(row, value_test=0.5 + k) for k, row in enumerate(rows_of(frames)))
    own = compared(rows, "b.score")
    own = replace(own, objective=replace(own.objective, shown="+.3f", unit="points"))
    _print_rows(frames, own)
    assert "+0.500 points" in stream.getvalue()


def test_a_winner_that_diverged_has_the_word_for_it_in_each_column(terminal: Any) -> None:
    frames, stream = a_study(2, packed=False), terminal(200)
    worst = {(metric.task, metric.name): -math.inf for metric in frames.metrics}
    row = replace(rows_of(frames)[1], value_test=math.inf, delta_m_test=math.inf, metrics=worst)
    _print_rows(frames, compared((row,), "b.score"))
    assert stream.getvalue().count("diverged") == 2 + len(worst)
    assert "inf" not in stream.getvalue()


def test_without_a_baseline_delta_m_has_no_column(terminal: Any) -> None:
    frames, stream = a_study(2, packed=False), terminal(200)
    rows = tuple(replace(row, delta_m_test=math.nan) for row in rows_of(frames))
    _print_rows(frames, compared(rows, "a.error"))
    assert "Δm" not in stream.getvalue()


def test_a_column_wider_than_the_terminal_is_whole(terminal: Any) -> None:
    stream = terminal(20)
    show(Column(head="key", cells=["a"], text=True), [Column(head="number", cells=["9" * 50])])
    assert "9" * 50 in stream.getvalue()


@pytest.mark.parametrize(("tuned", "shown"), [("lr", False), ("lr,weight_decay", True)])
def test_a_weight_decay_of_zero_is_shown_where_it_was_tuned(tuned: str, shown: bool) -> None:
    made = synthetic.reader(epochs=3)
    for row in made.rows["stage_trials"]:
        row["params_tuned"] = tuned
    frames = load(made, synthetic.STUDY)
    row = replace(rows_of(frames)[1], params={"lr": 0.1, "weight_decay": 0.0})
    assert ("weight_decay 0" in params_said(frames, row.search, row.params)) is shown
    other = replace(row, params={"lr": 0.1, "weight_decay": 1e-4, "temperature": math.inf})
    assert "weight_decay 0.0001" in params_said(frames, other.search, other.params)
