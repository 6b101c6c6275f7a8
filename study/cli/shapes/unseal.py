"""``weighbridge unseal --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._change import Change
from study.cli.shapes._shape import Count, Moment, Shape


class LateChange(Shape):
    """A change of the spec that was made, or asked for, once runs had ended."""

    at: Moment
    accepted: bool = Field(description="False if it was refused.")
    runs_ended: Count = Field(description="Runs that had ended by then.")
    keys: list[str] = Field(description="What it changes, as `key: old -> new`.")


class History(Shape):
    """What there is to know before test values are shown."""

    margin: float
    select_epoch: str = Field(description="Which epoch of a run counts.")
    claim: str | None = Field(description="What was to be shown; null if nothing was said.")
    late_changes: list[LateChange] = Field(description="After the first run had ended.")
    runs_left: Count = Field(description="Runs that have not ended.")


class Unseal(Change):
    """A study whose test values are shown from now on: `sealed` before and after."""

    document: Literal["unseal"]
    sealed_at: Moment | None = Field(description="Null if it never was.")
    unsealed_at: Moment | None = Field(description="Null if it never was sealed.")
    history: History | None = Field(description="Null if it never was sealed.")


SHAPE = Unseal
