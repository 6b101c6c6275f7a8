"""The cells of a study's table: values, intervals, which are bold, and the runs behind them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports._digits import format_of
from reports._ranking import objective_of
from reports._ranking import title as title_of_objective
from reports._spread import baseline_runs
from reports.comparing.rows import MethodRow, method_rows, runs_final, stl_rows
from reports.comparing.scores import metric_scores
from reports.comparing.winners import winner_of
from reports.errors import NoTable
from reports.frames import StudyFrames
from reports.inference import Interval
from reports.tables.bold import told_apart
from reports.tables.caption import caption_of
from storage.objectives.delta_m import NAME as DELTA_M


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of numbers.

    Attributes:
        task: Name of the task; empty for what methods are ranked by.
        name: Name of the metric, or of the objective.
        group: How the task is called on top of its columns; empty for the objective.
        title: How the column is called.
        direction: ``"min"`` (lower is better) or ``"max"``.
        unit: Unit of its values; empty if there is none.
        signed: Values are written with their sign.
        with_interval: The interval is written beside the value.
    """

    task: str
    name: str
    group: str
    title: str
    direction: str
    unit: str
    signed: bool = False
    with_interval: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Task and name: no two columns have the same."""
        return self.task, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number.

    Attributes:
        value: Mean test value over `runs`; NaN if there is none yet, the worst infinity if one of
            them diverged.
        interval: 95 % interval over seeds; None where nothing tells it.
        bold: It cannot be told from the best of its column.
        runs: Ids of the runs that the value is the mean of; none for imported numbers.
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


def method_table(frames: StudyFrames) -> MethodTable:
    """Work out the table of a study, finished or not.

    Raises:
        NoTable: The study is sealed, or is that of a training function.
    """
    refuse_without_methods(frames)
    rows = method_rows(frames)
    final = {row.search: runs_final(frames, row.search) for row in rows}
    complete = [
        row.search
        for row in rows
        if len({*final[row.search]}) == 1 and math.isfinite(row.value_test)
    ]
    columns = _columns(frames)
    bold = {column.key: told_apart(frames, column.key, complete) for column in columns}
    return MethodTable(
        study=frames.name,
        caption=caption_of(frames, rows, any_bold=any(bold.values())),
        columns=columns,
        lines=(
            *(_stl_line(frames, row, columns) for row in stl_rows(frames)),
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


def _columns(frames: StudyFrames) -> tuple[Column, ...]:
    """What methods are ranked by, which may be a metric; then all other metrics."""
    objective = objective_of(frames)
    titles = {task["name"]: task.get("title", task["name"]) for task in frames.card["tasks"]}
    of_one = objective.name != DELTA_M and len(objective.metrics) == 1
    metrics = [
        Column(
            task=metric.task,
            name=metric.name,
            group=str(titles[metric.task]),
            title=metric.title,
            direction=metric.direction,
            unit="" if metric.unit == "1" else metric.unit,
            with_interval=of_one and (metric.task, metric.name) == objective.metrics[0][:2],
        )
        for metric in frames.metrics
    ]
    if of_one:
        return tuple(sorted(metrics, key=lambda column: not column.with_interval))
    first = Column(
        task="",
        name=objective.name,
        group="",
        title=title_of_objective(objective),
        direction=objective.direction,
        unit=objective.unit,
        signed="+" in objective.shown,
        with_interval=True,
    )
    return (first, *metrics)


def _line(
    frames: StudyFrames,
    row: MethodRow,
    columns: tuple[Column, ...],
    bold: Mapping[tuple[str, str], frozenset[str]],
) -> Line:
    winner, scores = winner_of(frames, row.search), metric_scores(frames, row.search)
    runs = winner.runs if winner else ()
    cells = []
    for column in columns:
        if not column.task:
            value, interval = row.value_test, row.interval
        elif column.key in scores:
            value = scores[column.key].value
            interval = scores[column.key].estimate.interval()
        else:
            value, interval = math.nan, None
        is_bold = row.search in bold[column.key]
        cells.append(Cell(value=value, interval=interval, bold=is_bold, runs=runs))
    return Line(
        search=row.search,
        method=row.title,
        kind=row.delta_m_kind,
        seeds=tuple(winner.by_seed) if winner else (),
        n_trials=row.n_trials,
        cells=tuple(cells),
    )


def _stl_line(frames: StudyFrames, row: MethodRow, columns: tuple[Column, ...]) -> Line:
    """The single-task networks: each task's metrics rest on that task's own runs."""
    runs = baseline_runs(frames)
    by_task = {
        task: tuple(runs.loc[runs["search"] == f"stl/{task}", "run"].tolist())
        for task in frames.tasks
    }
    every = tuple(run for task in frames.tasks for run in by_task[task])
    return Line(
        search=row.search,
        method=row.title,
        kind=row.delta_m_kind,
        seeds=(),
        n_trials=row.n_trials,
        cells=tuple(
            Cell(value=row.metrics.get(column.key, math.nan), runs=by_task[column.task])
            if column.task
            else Cell(value=row.value_test, runs=every)
            for column in columns
        ),
    )
