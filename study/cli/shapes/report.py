"""``weighbridge report --json``."""

from __future__ import annotations

from typing import Literal

from study.cli.shapes._shape import Count, Printed


class Report(Printed):
    """The file that was written."""

    document: Literal["report"]
    path: str
    size_bytes: Count


SHAPE = Report
