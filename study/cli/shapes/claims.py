"""``weighbridge claims --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._compared import Ends
from study.cli.shapes._shape import Count, Printed, Shape


class Effect(Ends):
    """One number that a claim rests on."""

    name: str = Field(description="What it is, such as `UW-SO minus EW`.")
    value: float | None = Field(description="Null where a run behind it diverged.")
    level: float | None
    unit: str


class ParamShare(Ends):
    """What a parameter explains."""

    param: str = Field(description="Parameter.")
    share: float = Field(description="From 0 to 1.")


class Importance(Shape):
    """What the parameters of a search explain, by one method."""

    search: str
    method: str = Field(description="`sums of squares`, or the name of an estimator.")
    answers: str = Field(description="The question that the method answers.")
    n_trials: Count
    n_left_out: Count
    shares: list[ParamShare] = Field(description="Largest first; they sum to 1.")


class Claim(Shape):
    """One claim, and what the study says to it."""

    claim: str = Field(description="Its name, such as `C1`.")
    states: str = Field(description="What is claimed.")
    finding: Literal["supported", "not supported", "undecided", "not asked"] = Field(
        description="What the intervals say."
    )
    said: str = Field(description="Why.")
    effects: list[Effect] = Field(description="Numbers that the finding goes by.")
    would_decide: str = Field(description="Empty where it is decided or not asked.")
    remarks: list[str] = Field(description="What to know beside it.")
    importances: list[Importance] = Field(description="What parameters explain.")
    runs: dict[str, list[int]] = Field(description="Study to the runs that it rests on.")


class Claims(Printed):
    """Claims of each study, and those that take several."""

    document: Literal["claims"]
    studies: dict[str, list[Claim]] = Field(description="Study to its claims.")
    together: list[Claim] = Field(description="Claims that take several studies.")


SHAPE = Claims
