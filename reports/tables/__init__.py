"""The table of a study for a paper: every metric of every method, as LaTeX, Markdown or CSV.

`method_table` works out the cells, each with the runs behind it; `rendered` writes them down.

Reads what `reports.comparing` and `reports.spending` find.
"""

from reports.tables.columns import Column
from reports.tables.formats import format_of_file, rendered, write_table
from reports.tables.method_table import Cell, Line, MethodTable, method_table

__all__ = [
    "Cell",
    "Column",
    "Line",
    "MethodTable",
    "format_of_file",
    "method_table",
    "rendered",
    "write_table",
]
