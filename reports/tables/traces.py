"""Which runs each cell of a table is the mean of, in words."""

from collections.abc import Iterator, Sequence

from reports.tables.method_table import Column, Line, MethodTable
from storage.wording import counted


def traces(table: MethodTable) -> Iterator[str]:
    """One sentence for cells of a method that rest on the same runs."""
    for line in table.lines:
        for found in traces_of(line, table.columns):
            yield one_line(f"{line.method}, {found}")


def traces_of(line: Line, columns: Sequence[Column]) -> list[str]:
    """The same of one method: ``all columns: 3 runs, 4 5 6``; nothing of cells without runs."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for column, cell in zip(columns, line.cells, strict=True):
        groups.setdefault(cell.runs, []).append(f"{column.group} {column.title}".strip())
    return [
        f"{'all columns' if len(groups) == 1 else ', '.join(names)}: "
        f"{counted(len(runs), 'run')}, {' '.join(map(str, runs))}"
        for runs, names in groups.items()
        if runs
    ]


def one_line(text: str) -> str:
    """Text without line breaks and what does not print: a name may hold anything."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
