"""``weighbridge network --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Printed


class Network(Printed):
    """The network that was written."""

    document: Literal["network"]
    search: str
    trial: Count
    seed: int
    epoch: Count = Field(description="After which it is taken.")
    path: str
    size_bytes: Count
    notes: list[str] = Field(description="Of a network that was trained once more.")


SHAPE = Network
