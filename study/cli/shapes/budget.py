"""``weighbridge budget --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Printed, Shape


class Limit(Shape):
    """The most that may be used of something."""

    searches: list[str] = Field(
        description="Each of them may use so much; empty: all of the study together may."
    )
    limit: Literal["trials", "epochs", "device_s", "money", "wall_s"] = Field(
        description="What may be used."
    )
    is_: float = Field(alias="is", gt=0, description="The most of it.")
    left: float | None = Field(description="Null for searches, and for what limits one command.")
    left_by_search: dict[str, float | None] = Field(
        description="Search to what is left; empty for the study's own limits."
    )
    raised: bool = Field(description="By this command, above what the spec's file said.")


class Budget(Printed):
    """What limits a study."""

    document: Literal["budget"]
    study: str
    limits: list[Limit] = Field(description="A limit each.")


SHAPE = Budget
