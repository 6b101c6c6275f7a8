"""``weighbridge retry --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._change import Change
from study.cli.shapes._shape import Count


class Retry(Change):
    """Failed runs that are in the queue again: `failed` before and after."""

    document: Literal["retry"]
    runs: Count = Field(description="Runs that are in the queue again.")


SHAPE = Retry
