"""What is still to come, in the documents of `plan` and `status`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Seconds, Shape


class Range(Shape):
    """An expected amount with its 95 % prediction interval; no ends where nothing tells them."""

    value: float = Field(description="Expected.")
    low: float | None
    high: float | None


class SearchForecast(Shape):
    """What one search takes yet."""

    search: str
    runs_ended: Count = Field(
        description="As of this forecast: with those left, all that it knows."
    )
    runs_left: float = Field(description="Expected: fewer where stages share points.")
    epochs_left: float = Field(description="Expected, between the two ends below.")
    least_epochs_left: float
    most_epochs_left: float
    device_s_paid: Seconds
    device_s_left: Range | None = Field(description="Null where nothing of its shape was timed.")
    epoch_s: Seconds | None = Field(description="What an epoch takes in packs; null likewise.")
    timed_by: Literal["own", "like", "others", "elsewhere", "calibration"] | None = Field(
        description="Whose packs told the time: its own, the same weighting's in other studies, "
        "other searches of the study, those of other studies, or a calibration."
    )


class Forecast(Shape):
    """What a study takes yet; amounts that nothing tells are null."""

    device_s_paid: Seconds
    device_s_left: Range | None
    money_left: Range | None = Field(description="Null without a price, too.")
    workers: Count = Field(description="With how many `wall_s_left` counts.")
    wall_s_left: Range | None
    ended_by_budget: bool = Field(description="Whether a budget ends the study before its plan.")
    searches: list[SearchForecast]


class NoForecast(Shape):
    """Why there is none."""

    why: str = Field(description="What is in the way.")
