"""Which runs each cell of a table is the mean of, in words."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from reports.tables.columns import Column
from reports.tables.method_table import Line, MethodTable
from storage.wording import counted


def traces(table: MethodTable) -> Iterator[str]:
    """One sentence for cells of a method that rest on the same runs."""
    for line in table.lines:
        for found in traces_of(line, table.columns):
            yield one_line(f"{line.method}, {found}")


def traces_of(line: Line, columns: Sequence[Column]) -> list[str]:
    """The same of one method: ``all values: 3 runs, 4 5 6``; nothing of cells without runs.

    From four on, numbers that follow each other are told by the first and the last: ``7-126``.
    """
    groups: dict[tuple[int, ...], list[str]] = {}
    for column, cell in zip(columns, line.cells, strict=True):
        groups.setdefault(cell.runs, []).append(f"{column.group} {column.title}".strip())
    n_values = sum(column.axis is None for column in columns)
    return [
        f"{'all values' if len(names) == n_values else ', '.join(names)}: "
        f"{counted(len(runs), 'run')}, {_listed(runs)}"
        for runs, names in groups.items()
        if runs
    ]


def _listed(runs: Sequence[int]) -> str:
    ordered = sorted(runs)
    # What follows each other has the same distance to its position.
    rows = groupby(enumerate(ordered), lambda at: at[1] - at[0])
    blocks = [[run for _, run in members] for _, members in rows]
    return " ".join(
        f"{block[0]}-{block[-1]}" if len(block) > 3 else " ".join(map(str, block))
        for block in blocks
    )


def one_line(text: str) -> str:
    """Text without line breaks and what does not print: a name may hold anything."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
