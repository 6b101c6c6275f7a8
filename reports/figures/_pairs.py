"""Which tasks gain from each other: a matrix of tasks for each amount of labels.

Shapes: T tasks.
"""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from reports.across.pairs import PairTable
from reports.drawing import Matrix, matrices
from reports.figures._none import NoFigure
from reports.figures._style import figure_of
from storage.objectives import Objective


def task_pairs(
    tables: Sequence[PairTable], objective: Objective, *, beside: Sequence[PairTable] = ()
) -> go.Figure | NoFigure:
    """A method on pairs of tasks, ``[T, T]`` by task and the one beside it, one panel a table.

    Args:
        tables: Of one method and problem, one an amount of labels.
        objective: What their values are of.
        beside: Tables of other figures, whose colours are to mean the same.
    """
    values = [value for table in (*tables, *beside) for value in table.values.values()]
    if not any(math.isfinite(value) for table in tables for value in table.values.values()):
        return NoFigure(reason="No pair of tasks has a final value yet.")
    tasks = list(dict.fromkeys(task for table in tables for task in table.tasks))
    found = [
        Matrix(
            title=table.labels,
            values=[[table.values.get((task, other)) for other in tasks] for task in tasks],
        )
        for table in tables
    ]
    return figure_of(
        matrices(found, tasks, objective, scale=values, row="Task", column="Beside the task")
    )
