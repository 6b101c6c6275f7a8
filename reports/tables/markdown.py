"""A table as Markdown, with footnotes as GitHub, Pandoc and Quarto read them."""

import math
import re

from reports._digits import DASH, MINUS, written
from reports.tables.columns import Column
from reports.tables.method_table import Cell, MethodTable
from reports.tables.traces import one_line, traces_of

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~^&$!])")


def markdown(table: MethodTable) -> str:
    """A caption, a table, and a footnote a method that names the runs behind its cells."""
    heads = ["Method", *(_head(column) for column in table.columns)]
    rows = []
    notes = []
    for number, line in enumerate(table.lines, start=1):
        cells = [
            _cell(cell, form, with_interval=column.with_interval)
            for cell, column, form in zip(line.cells, table.columns, table.forms, strict=True)
        ]
        found = traces_of(line, table.columns)
        rows.append([f"{escaped(line.method)}{f'[^{number}]' if found else ''}", *cells])
        if found:
            notes.append(f"[^{number}]: {escaped('; '.join(found))}.")
    aligned = ["---", *("---:" for _ in table.columns)]
    lines = (f"| {' | '.join(cells)} |" for cells in (heads, aligned, *rows))
    return "\n".join([escaped(table.caption), "", *lines, *([""] * bool(notes)), *notes, ""])


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, in a table too."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def _head(column: Column) -> str:
    unit = f"({column.unit})" if column.unit else ""
    parts = (column.group, column.title, unit)
    arrow = "↓" if column.direction == "min" else "↑"
    return " ".join([*(escaped(part) for part in parts if part), arrow])


def _cell(cell: Cell, form: str, *, with_interval: bool) -> str:
    if math.isnan(cell.value):
        return DASH
    if math.isinf(cell.value):
        return "diverged"
    value = written(cell.value, form).replace("-", MINUS)
    said = f"**{value}**" if cell.bold else value
    if with_interval and cell.interval is not None:
        ends = (written(end, form) for end in (cell.interval.low, cell.interval.high))
        said += f" \\[{', '.join(ends)}\\]".replace("-", MINUS)
    return said
