"""``weighbridge notify --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Moment, Printed, Shape


class Message(Shape):
    """A message about the study, sent or to be sent."""

    event: str = Field(description="`done`, `failed`, `stalled` or `budget N%`; `test` of a test.")
    seen: Moment = Field(description="When the event was seen first.")
    attempted: Moment | None = Field(description="When it was last sent; null before.")
    delivered: Moment | None = Field(description="When it was taken; null until then.")
    attempts: Count = Field(description="How often it was sent.")
    error: str | None = Field(description="Why it was not taken the last time.")


class Notify(Printed):
    """All messages about a study, oldest first; with `--test` the test message alone."""

    document: Literal["notify"]
    study: str
    messages: list[Message] = Field(description="A message each.")


SHAPE = Notify
