"""``weighbridge watch --json``: a document on each line."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._forecast import Forecast, NoForecast
from study.cli.shapes._shape import Count, Moment, Printed, Seconds, Shape, States


class WatchedSearch(Shape):
    """One search, single-task baselines included."""

    search: str
    states: States
    epochs: Count = Field(description="Of its runs; one that was trained twice counts once.")
    device_s: Seconds = Field(description="Of all attempts.")
    money: float | None


class WatchedWorker(Shape):
    """A worker that is at work."""

    worker: int
    host: str
    device: str
    runs: list[int] = Field(description="Those that it trains.")


class WatchEvent(Shape):
    """What has happened since the line before."""

    at: Moment
    kind: Literal["done", "diverged", "pruned", "failed", "decided", "lost", "anew"] = Field(
        description="What it is."
    )
    run: int | None = Field(description="Null where it is about none.")
    text: str = Field(description="In words.")


class Watch(Printed):
    """A study at one moment; a line comes when something has changed."""

    document: Literal["watch"]
    study: str
    at: Moment
    state: Literal[
        "running",
        "paused",
        "all_runs_ended",
        "nobody_at_work",
        "not_begun",
        "done",
        "failed",
        "out_of_budget",
    ] = Field(
        description="`all_runs_ended`: all that there are; whether more are proposed is not known "
        "yet. With one of the last three the next line, if there is one, has the same."
    )
    states: States
    device_s: Seconds = Field(description="Of all attempts.")
    money: float | None = Field(description="Of all attempts; null if none has a price.")
    epochs: Count = Field(description="Of all attempts.")
    trials: Count = Field(description="Of all searches, without single-task baselines.")
    budget_left: dict[Literal["trials", "epochs", "device_s", "money"], float] = Field(
        description="What is left of each limit that the study has."
    )
    headline: str = Field(
        description="What `compare` says so far; empty until it is worked out. Like `forecast` it "
        "may be some seconds older than the rest."
    )
    forecast: Forecast | NoForecast | None = Field(
        description="As of `status`; null where nothing is left, and before it is worked out."
    )
    searches: list[WatchedSearch]
    workers: list[WatchedWorker] = Field(description="Those that are at work.")
    events: list[WatchEvent] = Field(description="In the order in which they happened.")
    trouble: str | None = Field(
        description="Why the database cannot be reached: all else is as it was; null if it can."
    )


SHAPE = Watch
