"""Exhibits as they are sent and stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, get_args

from trainers.errors import BadExhibit
from trainers.exhibits._checks import refuse
from trainers.exhibits._kinds import Curve, Histogram, Pictures, Table
from trainers.pickling import pickled_by_values
from trainers.suggestions import shown

Kind = Literal["histogram", "curve", "pictures", "table"]
Split = Literal["train", "validation", "test"]
Exhibit = Histogram | Curve | Pictures | Table
_KINDS: dict[type, Kind] = {
    Histogram: "histogram",
    Curve: "curve",
    Pictures: "pictures",
    Table: "table",
}

MOST_BYTES = 256 * 1024
"""Of one exhibit as JSON, pictures aside."""


@pickled_by_values
@dataclass(frozen=True, slots=True, kw_only=True)
class PackedExhibit:
    """An exhibit as it is sent and stored.

    Attributes:
        split: What it is made of; those of ``test`` stay hidden as long as a study is sealed.
        each_epoch: It is kept of each epoch; else one of its name replaces that of earlier epochs
            of the same round.
        content: Its values as JSON.
    """

    name: str
    kind: Kind
    title: str
    split: Split
    each_epoch: bool
    content: str


def pack(exhibit: Exhibit, split: Split = "validation") -> PackedExhibit:
    """An exhibit as it is sent and stored.

    Args:
        split: What it is made of.

    Raises:
        BadExhibit: It is none of this module's four, or too large; or there is no such split.
    """
    if split not in get_args(Split):
        raise BadExhibit(
            f"What is shown is of a split: {', '.join(get_args(Split))}. Got {shown(split)}. Name "
            "the one whose samples it is made of."
        )
    kind = _KINDS.get(type(exhibit))
    if kind is None:
        raise BadExhibit(
            f"`report.show` takes a Histogram, Curve, Pictures or Table. Got {shown(exhibit)}. "
            "Make one, see `trainers.exhibits`."
        )
    content = json.dumps(exhibit.content(), separators=(",", ":"), allow_nan=False)
    if kind != "pictures" and len(content) > MOST_BYTES:
        refuse(
            exhibit,
            f"at most {MOST_BYTES // 1024} kB",
            f"{len(content) // 1024} kB",
            "Show fewer points, bins or rows",
        )
    return PackedExhibit(
        name=exhibit.name,
        kind=kind,
        title=exhibit.title,
        split=split,
        each_epoch=kind == "histogram",
        content=content,
    )
