"""``weighbridge init --json``."""

from __future__ import annotations

from typing import Literal

from study.cli.shapes._shape import Count, Next, Printed


class Init(Printed):
    """The spec that was written."""

    document: Literal["init"]
    study: str
    path: str
    size_bytes: Count
    next: Next


SHAPE = Init
