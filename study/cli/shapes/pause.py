"""``weighbridge pause --json``."""

from __future__ import annotations

from typing import Literal

from study.cli.shapes._change import Order


class Pause(Order):
    """A study that hands out no runs now: `paused` before and after."""

    document: Literal["pause"]


SHAPE = Pause
