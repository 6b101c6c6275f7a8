"""``weighbridge rename --json``."""

from __future__ import annotations

from typing import Literal

from study.cli.shapes._change import Change


class Rename(Change):
    """A study that has another name: `name` before and after."""

    document: Literal["rename"]


SHAPE = Rename
