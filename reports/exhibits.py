"""What runs show beside their metrics, by name."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports._digits import MINUS
from reports._shown import Shown
from reports.drawing._exhibits import Moment

OF_SPLITS: Final = {
    "train": "the training split",
    "validation": "the validation split",
    "test": "the test split",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """All that a run has shown under one name.

    Attributes:
        title: The latest one's, as are kind and split.
        moments: Of each round the last, or of histograms each epoch; the oldest first.
    """

    name: str
    kind: str
    split: str
    title: str
    moments: tuple[Moment, ...]


def by_name(rows: Sequence[Shown]) -> tuple[Exhibit, ...]:
    """What one run shows, in the order of titles.

    A name that stood for two kinds stands for the latest one's.
    """
    found: dict[str, list[Shown]] = {}
    for row in sorted(rows, key=lambda row: (row.round, row.epoch)):
        found.setdefault(row.name, []).append(row)
    exhibits = (_exhibit(name, of_name) for name, of_name in found.items())
    return tuple(sorted(exhibits, key=lambda one: (_KINDS.index(one.kind), one.title, one.name)))


_MANY: Final = 100_000
_NARROW_PX: Final = 64
_LARGE_PX: Final = 200
_KINDS: Final = ("histogram", "curve", "pictures", "table")


def _exhibit(name: str, rows: Sequence[Shown]) -> Exhibit:
    last = rows[-1]
    moments = (
        Moment(round=row.round, epoch=row.epoch, content=json.loads(row.content))
        for row in rows
        if row.kind == last.kind
    )
    return Exhibit(
        name=name, kind=last.kind, split=last.split, title=last.title, moments=tuple(moments)
    )


def grid_class(items: Sequence[Mapping[str, Any]]) -> str:
    """How a page's style sheet lays pictures out: none may be shrunk so that its lines vanish."""
    large = any(item["width"] > _LARGE_PX for item in items)
    wide = any(item["width"] > max(_NARROW_PX, 1.5 * item["height"]) for item in items)
    return "pictures" + " wide" * (wide or large) + " smooth" * large


def cell_said(cell: object) -> str:
    """A table's cell as text: numbers with four digits, yes or no, an empty one as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):  # often the number of a sample
        return f"{cell:,}".replace("-", MINUS) if abs(cell) >= _MANY else str(cell)
    return f"{cell:,.4g}".replace("-", MINUS) if isinstance(cell, float) else str(cell)
