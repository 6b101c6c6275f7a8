"""``weighbridge delete --json``."""

from __future__ import annotations

from typing import Literal

from study.cli.shapes._change import Change


class Delete(Change):
    """A study that is gone: its `runs` and their `device_s` before; after is empty."""

    document: Literal["delete"]


SHAPE = Delete
