"""``weighbridge resume --json``."""

from __future__ import annotations

from typing import Literal

from study.cli.shapes._change import Order


class Resume(Order):
    """A study that hands out runs again: `paused` before and after."""

    document: Literal["resume"]


SHAPE = Resume
