"""A table as CSV: one row a cell."""

import csv
import io
import math
from typing import Final

from reports.tables.method_table import MethodTable

_HEADS: Final = (
    *("study", "search", "method", "task", "metric", "direction", "unit"),
    *("value", "low", "high", "bold", "kind", "n_trials", "seeds", "runs"),
)


def cells_csv(table: MethodTable) -> str:
    """Values with all their digits; an empty field where there is none, ``inf`` if diverged."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADS)
    for line in table.lines:
        for column, cell in zip(table.columns, line.cells, strict=True):
            ends = (cell.interval.low, cell.interval.high) if cell.interval else ("", "")
            writer.writerow(
                [
                    *(table.study, line.search, line.method, column.task, column.name),
                    *(column.direction, column.unit),
                    *("" if math.isnan(cell.value) else cell.value, *ends),
                    *("yes" if cell.bold else "no", line.kind, line.n_trials),
                    *(" ".join(map(str, line.seeds)), " ".join(map(str, cell.runs))),
                ]
            )
    return text.getvalue()
