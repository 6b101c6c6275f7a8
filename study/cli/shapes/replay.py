"""``weighbridge replay --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._compared import CostAxis
from study.cli.shapes._shape import Count, Printed, Shape, Share


class Spread(Shape):
    """What orders of the trials come to."""

    value: float | None = Field(description="Mean over orders; null where none has a winner.")
    order_low: float | None = Field(description="Eight of ten orders lie above it.")
    order_high: float | None = Field(description="Eight of ten orders lie below it.")
    error: float | None = Field(description="Standard error of `value`.")


class AtShare(Spread):
    """The same once a part of the cost is spent."""

    share: float = Field(description="Of the cost of the whole table.")
    cost: float = Field(description="In the unit of the axis.")


class Strategy(Shape):
    """One strategy on the recorded table."""

    strategy: str = Field(description="Its name.")
    title: str
    orders: Count = Field(description="How many were played.")
    at_end: Spread = Field(description="What it has found in the end.")
    at_budgets: list[AtShare] = Field(description="What it has found on the way.")
    cost: dict[str, float] = Field(description="By axis.")
    share: float = Field(description="Of the whole table's cost.")
    finds_winner: Share = Field(
        description="Share of orders that end with the winner of the table."
    )
    finds_near: Share | None = Field(description="Null without a margin.")
    near_from: float | None = Field(description="Share of the cost; null if it is never near.")


class Replay(Printed):
    """Other strategies on what a search has recorded."""

    document: Literal["replay"]
    study: str
    search: str
    stage: int = Field(ge=1, description="Counted from 1.")
    recorded_by: str = Field(description="Strategy that recorded it.")
    trials: Count = Field(description="Trials of the table.")
    left_out: Count = Field(description="Trials that are not complete.")
    seeds: Count = Field(description="How many.")
    epochs: Count = Field(description="Of each run.")
    objective: str
    direction: Literal["min", "max"]
    margin: float | None
    judged_on: str = Field(description="Split that scores.")
    scoring: str = Field(description="Whether other seeds choose than the one that scores.")
    axis: CostAxis
    value: float | None = Field(description="Of the whole table's winner.")
    seed_sd: float | None = Field(description="Null with one seed.")
    cost: dict[CostAxis, float] = Field(description="Of the whole table, by axis.")
    strategies: list[Strategy] = Field(description="In the order asked for.")
    refused: dict[str, str] = Field(description="Strategy to why it cannot be replayed.")


SHAPE = Replay
