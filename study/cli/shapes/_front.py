"""The front of several objectives in documents of `compare`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Params, Shape


class FrontObjective(Shape):
    """One of the objectives, with the corners of the box in which volumes are measured."""

    name: str = Field(description="TASK.METRIC.")
    direction: Literal["min", "max"]
    unit: str = Field(description="Of its values; empty if there is none.")
    reference: float = Field(
        description="Reference point: the worst validation value of any trial, and a tenth beyond."
    )
    best: float = Field(description="Best validation value of any trial.")


class FrontPoint(Shape):
    """A trial on the front of its search."""

    trial: Count
    params: Params
    validation: list[float] = Field(description="Seed means, one an objective.")
    test: list[float | None] = Field(description="Likewise; null without a value.")
    shared: bool = Field(description="Whether it is on the front of all searches together.")


class MethodFront(Shape):
    """What one search has found."""

    search: str
    title: str
    n_trials: Count = Field(description="On the front or not.")
    volume_validation: float | None = Field(
        description="Share of the box that its front beats; null if the box has no volume."
    )
    volume_test: float | None = Field(description="Of the same trials on test.")
    points: list[FrontPoint] = Field(description="By the first objective, best first.")


class Front(Shape):
    """The fronts of all searches."""

    objectives: list[FrontObjective] = Field(description="As the study names them.")
    methods: list[MethodFront] = Field(description="The largest volume first.")
