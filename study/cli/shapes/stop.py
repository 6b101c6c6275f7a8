"""``weighbridge stop --json``."""

from __future__ import annotations

from typing import Literal

from study.cli.shapes._change import Order


class Stop(Order):
    """A study whose drivers are to end: how often it was stopped (`stops`), before and after."""

    document: Literal["stop"]


SHAPE = Stop
