"""What a run shows beside its metrics: drawings by the server, images by their addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from markupsafe import Markup

from reports.dashboard.rendering.templating import query
from reports.drawing import still
from reports.drawing._exhibits import Moment, beside, curves, histograms
from reports.exhibits import OF_SPLITS, Exhibit, by_name, cell_said, grid_class
from storage.records import StoredExhibit, StudyRecord

_DRAW: Final = {"histogram": histograms, "curve": curves}
_MOST_ROWS: Final = {"table": 20, "histogram": 200, "curve": 200}  # drawings fold theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture that the browser asks for; width and height are its pixels."""

    path: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table, or images.

    Attributes:
        said: Of which moment, and of what it is made.
        rows: Each as long as `heads`.
        grid: Class of the list of images.
        csv: Where all rows are; empty of drawings, whose points are few.
    """

    said: str
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    images: Sequence[Image] = ()
    grid: str = ""
    csv: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownExhibit:
    """One exhibit, ready for a page.

    Attributes:
        parts: The latest first; of a drawing its latest moment as a table.
        wide: The drawing on a wide page; None of tables and images.
        narrow: The same on a narrow one.
        caption: What the drawing is of.
    """

    title: str
    parts: Sequence[Part]
    wide: Markup | None = None
    narrow: Markup | None = None
    caption: str = ""


def fingerprints(rows: Sequence[StoredExhibit]) -> list[tuple[str, int, int, str]]:
    """All that tells one state of what a run shows from another."""
    return [(row.name, row.round, row.epoch, _hash(row.content)) for row in rows]


def shown_exhibits(
    record: StudyRecord, run: int, rows: Sequence[StoredExhibit]
) -> Iterator[ShownExhibit]:
    """Everything that a run shows, histograms first."""
    path = f"/study/{record.id}/run/{run}"
    hashes = {(row.name, row.round): _hash(row.content) for row in rows}
    for one in by_name(rows):
        if one.kind in _DRAW:
            yield _drawn(one)
        elif one.kind == "table":
            parts = [_table(one, of, path) for of in one.moments[::-1]]
            yield ShownExhibit(title=one.title, parts=parts)
        else:
            parts = [
                Part(
                    said=_said(one, of),
                    images=_images(path, one.name, of, hashes),
                    grid=grid_class(of.content["items"]),
                )
                for of in one.moments[::-1]
            ]
            yield ShownExhibit(title=one.title, parts=parts)


def _drawn(one: Exhibit) -> ShownExhibit:
    sketch, moments = _DRAW[one.kind](one.moments)
    said = [f"Of {OF_SPLITS[one.split]}."]
    if len(moments) < len(one.moments):
        said.append(f"{len(moments)} of {len(one.moments)} epochs.")
    if across := beside(moments):
        said.append(f"Horizontally: {across}.")
    table = _bins if one.kind == "histogram" else _points
    return ShownExhibit(
        title=one.title,
        parts=[table(one, moments[-1])],
        wide=Markup(still(sketch, page="wide", label=one.title)),
        narrow=Markup(still(sketch, page="narrow", label=one.title)),
        caption=" ".join(said),
    )


def _bins(one: Exhibit, moment: Moment) -> Part:
    counts = moment.content["counts"]
    bins = zip(pairwise(moment.content["edges"]), *counts.values(), strict=True)
    rows = [(low, high, *of_groups) for (low, high), *of_groups in bins]
    return _part(one, moment, ["From", "To", *counts], rows)


def _points(one: Exhibit, moment: Moment) -> Part:
    content = moment.content
    bands = content.get("intervals", {})
    rows = []
    for label, points in content["points"].items():
        ends = {x: (low, high) for x, low, high in bands.get(label, ())}
        rows += [(label, x, y, *ends.get(x, (None, None))) for x, y in points]
    heads = ["Line", content["x_title"], content["y_title"], "From", "To"]
    keep = 5 if bands else 3
    return _part(one, moment, heads[:keep], [row[:keep] for row in rows])


def _table(one: Exhibit, moment: Moment, path: str) -> Part:
    found = _part(one, moment, moment.content["columns"], moment.content["rows"])
    where = query({}, name=one.name, round=moment.round)
    return replace(found, csv=f"{path}/table.csv{where}")


def _part(
    one: Exhibit, moment: Moment, heads: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Part:
    said = _said(one, moment)
    most = _MOST_ROWS[one.kind]
    if len(rows) > most:
        said += f" The first {most} of {len(rows)} rows."
    cells = [[cell_said(cell) for cell in row] for row in rows[:most]]
    return Part(said=said, heads=heads, rows=cells)


def _images(
    path: str, name: str, moment: Moment, hashes: dict[tuple[str, int], str]
) -> list[Image]:
    """Addresses say which bytes are meant, so that a browser may keep them."""
    of = {"name": name, "round": moment.round, "content": hashes[name, moment.round]}
    return [
        Image(
            path=f"{path}/picture.png" + query({}, **of, at=at),
            caption=item["caption"],
            width=item["width"],
            height=item["height"],
        )
        for at, item in enumerate(moment.content["items"])
    ]


def _said(one: Exhibit, moment: Moment) -> str:
    rounds = len({of.round for of in one.moments}) > 1
    return f"{moment.said(rounds=rounds)}, of {OF_SPLITS[one.split]}."


def _hash(content: str) -> str:
    return sha256(content.encode()).hexdigest()[:12]
