"""``weighbridge run --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Next, Printed
from study.cli.shapes.status import Totals


class Run(Totals, Printed):
    """How a study stands once the command has ended; costs are of all commands of the study."""

    document: Literal["run"]
    sentence: str = Field(description="How many runs ended how, in words.")
    over: bool = Field(
        description="Whether nothing is left to train: all runs have ended, and no search wants "
        "more."
    )
    interrupted: bool = Field(description="Whether it was asked to end: Ctrl-C, a signal, `stop`.")
    paused: bool = Field(description="Whether a command has paused the study.")
    limit: str | None = Field(description="The budget that ended it; null if none did.")
    stopped: dict[str, str] = Field(
        description="Search that ended before its last stage to the reason."
    )
    mismatched_epochs: Count = Field(
        description="Epochs that were trained again and came out otherwise."
    )
    remarks: list[str] = Field(description="What must be known of the end, in words.")
    next: Next


SHAPE = Run
