"""``weighbridge trials --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Count, Printed, Shape
from study.cli.shapes._trials import OtherObjective, Trial


class SearchTrials(Shape):
    """A search with its trials."""

    search: str
    weighting: str
    metric: str = Field(description="What `value` of its trials is.")
    direction: Literal["min", "max"]
    others: list[OtherObjective] = Field(
        description="What `others` of its trials are, in this order; empty with one objective."
    )
    n_trials: Count = Field(description="Of the state that was asked for; -n cuts the list.")
    trials: list[Trial] = Field(description="Best first; those without a value last.")


class Trials(Printed):
    """The trials of a study, by search."""

    document: Literal["trials"]
    study: str
    notices: list[str]
    searches: list[SearchTrials] = Field(description="Single-task baselines first.")


SHAPE = Trials
