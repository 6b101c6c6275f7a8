"""A trial, in documents of `compare` and `trials`: from what its search ranks it by."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Params, Seconds, Shape


class OtherObjective(Shape):
    """One that trials are ranked by beside the first."""

    metric: str = Field(description="Its name, with split and unit.")
    direction: Literal["min", "max"]


class Trial(Shape):
    """One point of a search space, on the study's seeds."""

    search: str
    trial: Count
    params: Params
    state: Literal["done", "diverged", "pruned", "failed", "running", "waiting"] = Field(
        description="`done` once all its runs are; what one of them ended as else."
    )
    value: float | None = Field(
        description="Mean over seeds, on validation; null until all runs are done."
    )
    others: list[float | None] = Field(
        description="The same by each of the search's other objectives, null where that is no "
        "number; empty without a value."
    )
    delta_m_test: float | None = Field(
        description="Mean over seeds in percent; null without single-task networks, or if sealed."
    )
    seeds: list[int]
    epochs: Count = Field(description="How many all of its runs have reached.")
    rounds: int = Field(
        description="How often training has begun in all of them: once, unless a trainer does anew."
    )
    device_s: Seconds = Field(description="Of all attempts: what was paid.")
    cost_solo_s: Seconds = Field(description="What a method is charged with: each run as if alone.")
