"""``weighbridge table --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._compared import Diverged, Ends, RowKind
from study.cli.shapes._shape import Count, Printed


class Cell(Ends):
    """One number of one method; `low` and `high` are of `value`."""

    search: str = Field(description="`stl` for the single-task networks.")
    method: str
    task: str = Field(description="Empty for what is not of one task.")
    metric: str = Field(description="Name of the metric, of the objective, or of the cost.")
    direction: Literal["min", "max"]
    unit: str
    value: float | None = Field(
        description="On test; null where there is none yet, or a run diverged."
    )
    diverged: Diverged
    bold: bool = Field(description="It cannot be told from the best of its column.")
    kind: RowKind
    n_trials: Count
    seeds: list[int]
    runs: list[int] = Field(description="Those that the value is made of.")


class Table(Printed):
    """The methods' table for a paper."""

    document: Literal["table"]
    study: str
    caption: str = Field(description="What the numbers are.")
    cells: list[Cell] = Field(description="Line by line.")


SHAPE = Table
