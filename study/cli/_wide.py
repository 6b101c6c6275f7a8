"""Tables wider than the terminal: split by columns, so that no number is ever shortened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table

from study.cli._output import console

# What a text may be folded to; a name or a parameter is still read at this width.
_NARROWEST_TEXT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        head: Its title; lines apart where there are several.
        text: It holds words, which may be folded; else numbers.
    """

    head: str
    cells: Sequence[str]
    text: bool = False

    @property
    def natural(self) -> int:
        """Cells of a terminal that it takes unfolded."""
        return max(cell_len(line) for cell in (self.head, *self.cells) for line in cell.split("\n"))

    @property
    def narrowest(self) -> int:
        """Cells that it takes at least."""
        return min(self.natural, _NARROWEST_TEXT) if self.text else self.natural


def fits(columns: Sequence[Column]) -> bool:
    """Whether they have room beside each other in the terminal."""
    return _width(columns, [column.narrowest for column in columns]) <= console.width


def show(key: Column, columns: Sequence[Column]) -> None:
    """Print as many tables as the terminal's width asks for, each with the key first."""
    rest = list(columns)
    while rest:
        block = [key, rest.pop(0)]
        while rest and fits([*block, rest[0]]):
            block.append(rest.pop(0))
        widths = [column.narrowest for column in block]
        room = console.width - _width(block, widths)
        for place, column in enumerate(block):
            more = max(0, min(room, column.natural - widths[place]))
            widths[place], room = widths[place] + more, room - more
        made = _table(block, widths)
        for row in zip(*(column.cells for column in block), strict=True):
            made.add_row(*row)
        width = max(_width(block, widths), console.width)
        console.print(made, width=width, crop=False)


def _table(columns: Sequence[Column], widths: Sequence[int]) -> Table:
    """The table, without rows yet."""
    made = Table(box=box.SIMPLE_HEAD)
    for column, width in zip(columns, widths, strict=True):
        made.add_column(
            column.head,
            justify="left" if column.text else "right",
            min_width=width,
            max_width=width,
            overflow="fold",
        )
    return made


def _width(columns: Sequence[Column], widths: Sequence[int]) -> int:
    """The width that a table takes, whose columns are as wide as they are told to be."""
    unbounded = console.options.update(width=100_000)
    return Measurement.get(console, unbounded, _table(columns, widths)).maximum
