"""``weighbridge trainers --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Printed, Shape


class Metric(Shape):
    """What a trainer reports."""

    name: str = Field(description="Key in the database.")
    title: str = Field(description="Its name in tables and figures.")
    direction: Literal["min", "max"] = Field(description="Which side is better.")
    unit: str = Field(description="`1` for shares.")
    uses_truth: bool = Field(description="Whether it needs what is hidden from training.")


class Objective(Shape):
    """What its trials can be ranked by."""

    name: str = Field(description="`objective` of a spec.")
    title: str = Field(description="Its name in tables and figures.")
    metric: str = Field(description="The metric that it is, on validation.")
    uses_truth: bool = Field(description="Whether it selects with `oracle = true` only.")


class Parameter(Shape):
    """What can be tuned of a trainer."""

    name: str = Field(description="Key in `hyper` of a [[search]], and in a stage.")
    title: str = Field(description="What it is.")
    default: str | bool | int | float | None = Field(description="Where a study says none.")
    choices: list[str | bool | int | float | None] = Field(
        description="All values; empty of numbers."
    )
    low: float | None = Field(description="Least value; null for no limit.")
    high: float | None = Field(description="Largest value; null for no limit.")
    integer: bool = Field(description="Whether it is a whole number.")
    allowed: str = Field(description="What it may be, in words.")


class TrainerShape(Shape):
    """A way of training in the place of weightings, those of plugins included."""

    trainer: str = Field(description="Its name, `trainer` of a spec.")
    title: str = Field(description="Its name in tables and figures.")
    source: str = Field(description="Where it is from.")
    task: str = Field(description="What it solves.")
    metrics: list[Metric] = Field(description="What it reports, beside its loss.")
    objectives: list[Objective] = Field(description="The first is the default.")
    parameters: list[Parameter] = Field(description="What can be tuned of it.")


class Trainers(Printed):
    """Ways of training in the place of weightings."""

    document: Literal["trainers"]
    trainers: list[TrainerShape] = Field(description="All there are, or the one that was named.")


SHAPE = Trainers
