"""``weighbridge status --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._forecast import Forecast, NoForecast
from study.cli.shapes._shape import Count, Moment, Params, Printed, Seconds, Shape, States


class Totals(Shape):
    """What a study has spent on all attempts, and how its runs stand."""

    study: str
    states: States
    device_s: Seconds = Field(
        description="Device-seconds of all attempts, lost and failed ones included: all that was "
        "paid. What methods are charged with is `cost_solo_s` and `cost_as_run_s` of `compare`."
    )
    money: float | None = Field(description="Of all attempts; null if none has a price.")
    epochs: Count = Field(description="Of all attempts.")
    trials: Count = Field(description="Of all searches, without single-task baselines.")
    notices: list[str] = Field(description="What must be known with any number of the study.")


class SearchStatus(Shape):
    """One search, single-task baselines included."""

    search: str
    engine: Literal["solo", "fused", "function"] | None = Field(
        description="Null before its first run."
    )
    waits: str | None = Field(description="Why it has not begun; null if it does not wait.")
    states: States
    device_s: Seconds = Field(description="Of all attempts.")
    money: float | None


class BadEnding(Shape):
    """A run that failed or diverged."""

    run: int
    search: str
    trial: Count
    params: Params
    seed: int
    state: Literal["failed", "diverged"] = Field(description="How it ended.")
    epoch: Count = Field(description="The last one with good values; 0 for none.")
    reason: str = Field(description="What went wrong.")


class Undelivered(Shape):
    """A message to a webhook that was not taken."""

    event: str = Field(description="What it is about.")
    seen: Moment = Field(description="When the event was seen first.")
    attempts: Count = Field(description="How often it was sent.")
    error: str | None = Field(description="Why, the last time; null if nobody has told.")
    next_try: Moment | None = Field(
        description="From when on a driver at work sends it again; null: none does by itself."
    )


class StatusStudies(Printed):
    """All studies of a database, in the order in which they were made."""

    document: Literal["status.studies"]
    studies: list[Totals] = Field(description="A study each.")


class StatusStudy(Totals, Printed):
    """One study."""

    document: Literal["status.study"]
    budget_left: dict[Literal["trials", "epochs", "device_s", "money"], float] = Field(
        description="What is left of each limit that the study has."
    )
    over: bool | None = Field(
        description="Whether nothing is left to train: all runs have ended, and no search wants "
        "more. Null where all have ended and the study cannot be planned here."
    )
    forecast: Forecast | NoForecast | None = Field(description="Null where nothing is left.")
    searches: list[SearchStatus]
    bad_endings: list[BadEnding] = Field(description="The first ten.")
    undelivered: list[Undelivered] = Field(description="Messages that could not be sent.")


SHAPE = StatusStudies | StatusStudy
