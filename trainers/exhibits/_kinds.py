"""The four kinds of exhibits."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from trainers.exhibits._checks import (
    Cell,
    cell_of,
    check_heading,
    check_labels,
    check_picture,
    check_text,
    finite_numbers,
    plain,
    plain_rows,
    refuse,
    size_of,
)

MOST_PICTURES = 24


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values fall between edges, of one group or several; kept of each epoch.

    Args:
        name: Of letters, digits, `-`, `_` and `.`.
        edges: Rising, one more than there are bins.
        counts: Of each group, ``[B]``, one for each bin.

    Raises:
        BadExhibit: A value breaks a rule.
    """

    name: str
    title: str
    edges: Sequence[float]
    counts: Mapping[str, Sequence[float]]
    x_title: str = "value"

    def __post_init__(self) -> None:
        check_heading(self, self.x_title)
        edges = finite_numbers(self, "edges", self.edges)
        if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
            refuse(self, "rising edges, two or more", self.edges, "Sort them and drop equal ones")
        check_labels(self, self.counts)
        for label, counts in self.counts.items():
            heights = finite_numbers(self, f"counts of {label!r}", counts)
            if len(heights) != len(edges) - 1:
                refuse(
                    self,
                    f"a count for each of its {len(edges) - 1} bins",
                    f"{len(heights)} for {label!r}",
                    "Give as many",
                )
            if min(heights) < 0:
                refuse(self, "counts of 0 or more", counts, "Count anew")

    def content(self) -> dict[str, Any]:
        """Its values, for JSON."""
        counts = {label: plain(values) for label, values in self.counts.items()}
        return {"edges": plain(self.edges), "counts": counts, "x_title": self.x_title}


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines through points.

    Args:
        name: Of letters, digits, `-`, `_` and `.`.
        points: Of each line, ``(x, y)`` in the order in which they are joined.
        intervals: Of lines, ``(x, low, high)``: a band around them.
        x_log: The horizontal axis is logarithmic; every x is above 0.

    Raises:
        BadExhibit: A value breaks a rule.
    """

    name: str
    title: str
    x_title: str
    y_title: str
    points: Mapping[str, Sequence[tuple[float, float]]]
    intervals: Mapping[str, Sequence[tuple[float, float, float]]] = field(default_factory=dict)
    x_log: bool = False

    def __post_init__(self) -> None:
        check_heading(self, self.x_title, self.y_title)
        check_labels(self, self.points)
        if unknown := set(self.intervals) - set(self.points):
            refuse(self, "intervals of lines that it has", sorted(unknown), "Name its lines")
        for size, lines in ((2, self.points), (3, self.intervals)):
            for label, rows in lines.items():
                for row in rows:
                    self._check_row(label, row, size)

    def _check_row(self, label: str, row: Sequence[float], size: int) -> None:
        numbers = finite_numbers(self, f"points of {label!r}", row)
        if len(numbers) != size:
            what = "(x, y)" if size == 2 else "(x, low, high)"
            refuse(self, f"{what} for each point of {label!r}", row, "Give these")
        if self.x_log and numbers[0] <= 0:
            refuse(self, "x above 0 on a log axis", row, "Leave out `x_log`")

    def content(self) -> dict[str, Any]:
        """Its values, for JSON."""
        return {
            "x_title": self.x_title,
            "y_title": self.y_title,
            "x_log": bool(self.x_log),
            "points": plain_rows(self.points),
            "intervals": plain_rows(self.intervals),
        }


@dataclass(frozen=True, slots=True)
class Pictures:
    """A few small pictures, each with a caption that says what is to be seen on it.

    Args:
        name: Of letters, digits, `-`, `_` and `.`.
        items: Bytes of a PNG (see `png`) and a caption; at most 24 of 64 kB each.

    Raises:
        BadExhibit: A value breaks a rule.
    """

    name: str
    title: str
    items: Sequence[tuple[bytes, str]]

    def __post_init__(self) -> None:
        check_heading(self)
        if not 1 <= len(self.items) <= MOST_PICTURES:
            refuse(self, f"1 to {MOST_PICTURES} pictures", len(self.items), "Show the first ones")
        for number, (data, caption) in enumerate(self.items, 1):
            check_text(self, f"caption of picture {number}", caption)
            check_picture(self, number, data)

    def content(self) -> dict[str, Any]:
        """Its values, for JSON: pictures in base64, with width and height in pixels."""
        return {
            "items": [
                {
                    "png": base64.b64encode(data).decode("ascii"),
                    "width": size_of(data)[0],
                    "height": size_of(data)[1],
                    "caption": caption,
                }
                for data, caption in self.items
            ]
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts and numbers under the names of columns.

    Args:
        name: Of letters, digits, `-`, `_` and `.`.
        rows: Of each row, a cell for each column; None stays empty.

    Raises:
        BadExhibit: A value breaks a rule.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        check_heading(self)
        check_labels(self, self.columns)
        for row in self.rows:
            if len(row) != len(self.columns):
                refuse(self, f"{len(self.columns)} cells in each row", row, "Give as many")

    def content(self) -> dict[str, Any]:
        """Its values, for JSON."""
        rows = [[cell_of(self, cell) for cell in row] for row in self.rows]
        return {"columns": list(self.columns), "rows": rows}
