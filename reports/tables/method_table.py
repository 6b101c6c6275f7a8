"""The cells of a study's table: values, intervals, which are bold, and the runs behind them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reports._digits import format_of
from reports._once import once_per_study
from reports._ranking import delta_m_of
from reports._spread import baseline_runs
from reports.comparing.differences import with_baseline
from reports.comparing.rows import MethodRow, method_rows, runs_final, stl_rows
from reports.comparing.scores import scores_by
from reports.comparing.winners import winner_of
from reports.errors import NoTable
from reports.frames import StudyFrames
from reports.inference import Interval
from reports.spending.axes import CostAxis, charges
from reports.tables.bold import told_apart
from reports.tables.caption import caption_of
from reports.tables.columns import Column, columns_of
from reports.timings import epoch_times
from storage.objectives.delta_m import NAME as DELTA_M


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number.

    Attributes:
        value: Mean test value over `runs`; NaN if there is none yet, the worst infinity if one of
            them diverged. Of a cost the sum.
        interval: 95 % interval over seeds, of a cost over timings; None where nothing tells it.
        bold: It cannot be told from the best of its column.
        runs: Ids of the runs that the value is made of; none for imported numbers.
    """

    value: float
    interval: Interval | None = None
    bold: bool = False
    runs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One method.

    Attributes:
        search: Name of its search; ``"stl"`` for the single-task networks.
        method: Its title.
        kind: What its values rest on, such as ``cross-fit``.
        seeds: Seeds behind them; none for the single-task networks.
        n_trials: Trials of its search.
        cells: One a column.
    """

    search: str
    method: str
    kind: str
    seeds: tuple[int, ...]
    n_trials: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodTable:
    """All methods of a study by every metric, on test.

    Attributes:
        study: Its name.
        caption: What the numbers are, with protocol and seeds; one paragraph.
        lines: The single-task networks first, then methods, best first.
    """

    study: str
    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    @property
    def forms(self) -> tuple[str, ...]:
        """How the values of each column are written: as a format."""
        return tuple(
            format_of(
                [line.cells[at].value for line in self.lines],
                [
                    cell.interval.half_width
                    for line in self.lines
                    if (cell := line.cells[at]).interval
                ],
                signed=column.signed,
            )
            for at, column in enumerate(self.columns)
        )


@once_per_study
def method_table(frames: StudyFrames) -> MethodTable:
    """Work out the table of a study, finished or not.

    Raises:
        NoTable: The study is sealed, or is that of a training function.
    """
    refuse_without_methods(frames)
    rows, alone = method_rows(frames), stl_rows(frames)
    final = {row.search: runs_final(frames, row.search) for row in rows}
    complete = [
        row.search
        for row in rows
        if len({*final[row.search]}) == 1 and math.isfinite(row.value_test)
    ]
    columns = columns_of(frames, [*alone, *rows])
    bold = {
        column.key: frozenset() if column.axis else told_apart(frames, column.key, complete)
        for column in columns
    }
    return MethodTable(
        study=frames.name,
        caption=caption_of(frames, rows, columns, any_bold=any(bold.values())),
        columns=columns,
        lines=(
            *(_stl_line(frames, row, columns) for row in alone),
            *(_line(frames, row, columns, bold) for row in rows),
        ),
    )


def refuse_without_methods(frames: StudyFrames) -> None:
    """Refuse studies whose methods have no test values that could be shown.

    Raises:
        NoTable: The study is sealed, or is that of a training function.
    """
    if frames.sealed:
        raise NoTable(
            "Test values of methods are asked for, and a sealed study shows none. "
            f"Got {frames.name!r}. Type `weighbridge unseal` when all choices have been made."
        )
    if frames.of_function:
        raise NoTable(
            "Test values of methods are asked for, and a training function has trials only. "
            f"Got {frames.name!r}. `weighbridge export` writes all of them."
        )


def _line(
    frames: StudyFrames,
    row: MethodRow,
    columns: Sequence[Column],
    bold: Mapping[tuple[str, str], frozenset[str]],
) -> Line:
    winner = winner_of(frames, row.search)
    cells = [_cost(frames, row, c.axis) if c.axis else _score(frames, row, c) for c in columns]
    return Line(
        search=row.search,
        method=row.title,
        kind=row.delta_m_kind,
        seeds=tuple(winner.by_seed) if winner else (),
        n_trials=row.n_trials,
        cells=tuple(
            replace(cell, bold=row.search in bold[column.key])
            for column, cell in zip(columns, cells, strict=True)
        ),
    )


def _score(frames: StudyFrames, row: MethodRow, column: Column) -> Cell:
    winner, scores = winner_of(frames, row.search), scores_by(frames, row.search, column.key)
    if winner is None or scores is None:
        return Cell(value=math.nan)
    estimate = scores.estimate
    if column.key == ("", DELTA_M):
        estimate = with_baseline(frames, estimate, row.metrics, delta_m_of(frames))
    return Cell(value=scores.value, interval=estimate.interval(), runs=winner.runs)


def _cost(frames: StudyFrames, row: MethodRow, axis: CostAxis) -> Cell:
    """What the search has cost without runs on fresh seeds, as sure as its steps were timed."""
    alone = row.search == "stl"
    runs = frames.runs if alone else frames.runs_of(row.search)
    runs = runs[(runs["role"] == ("baseline" if alone else "search")) & runs["planned"]]
    charged = charges(frames, axis).loc[runs["run"]]
    charged = charged[charged > 0]
    if charged.empty:
        return Cell(value=math.nan)
    value, time = float(charged.sum()), epoch_times(frames).get(row.search)
    return Cell(
        value=value,
        interval=time.scaled(value) if time and axis == "solo_s" else None,
        runs=tuple(charged.index.tolist()),
    )


def _stl_line(frames: StudyFrames, row: MethodRow, columns: Sequence[Column]) -> Line:
    """The single-task networks: each task's metrics rest on that task's own runs."""
    runs = baseline_runs(frames)
    by_task = {
        task: tuple(runs.loc[runs["search"] == f"stl/{task}", "run"].tolist())
        for task in frames.tasks
    }
    every = tuple(run for task in frames.tasks for run in by_task[task])

    def cell(column: Column) -> Cell:
        if column.axis:
            return _cost(frames, row, column.axis)
        if column.task:
            value = row.metrics.get(column.key, math.nan)
            return Cell(value=value, runs=by_task[column.task])
        value = row.delta_m_test if column.name == DELTA_M else row.value_test
        return Cell(value=value, runs=every)

    return Line(
        search=row.search,
        method=row.title,
        kind=row.delta_m_kind,
        seeds=(),
        n_trials=row.n_trials,
        cells=tuple(map(cell, columns)),
    )
