"""``weighbridge audit --json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from study.cli.shapes._shape import Moment, Printed, Shape


class Entry(Shape):
    """A command that changed a study."""

    number: int = Field(description="Rises from entry to entry.")
    at: Moment
    who: str = Field(description="`user@host`.")
    from_: str = Field(alias="from", description="The program, or the client of a dashboard.")
    study: str = Field(description="Its name then.")
    birth: str = Field(description="Tells it from later studies of that name.")
    command: str = Field(description="What was done, such as `pause`.")
    before: dict[str, Any] = Field(description="What the command changes, as it was.")
    after: dict[str, Any] = Field(description="The same as it was then.")


class Audit(Printed):
    """What was done to studies, oldest first."""

    document: Literal["audit"]
    entries: list[Entry] = Field(description="An entry each.")


SHAPE = Audit
