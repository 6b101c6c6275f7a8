"""``weighbridge methods --json``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from study.cli.shapes._shape import Printed, Shape


class Hyperparameter(Shape):
    """What can be given to a method, and tuned."""

    name: str = Field(description="Key in `hyper` of a spec, and in a stage.")
    default: float | None = Field(description="Of each task, if per_task; null: must be given.")
    per_task: bool = Field(description="Whether it is a list of one number a task.")
    rule: str = Field(description="What each number must be, in words.")
    meaning: str = Field(description="What it does.")


class Method(Shape):
    """A loss weighting, those of plugins included."""

    method: str = Field(description="Its name, `weighting` of a spec.")
    title: str = Field(description="Its name in tables and figures.")
    level: Literal["loss", "gradient", "after-step"] = Field(
        description="What it weighs a step by."
    )
    formula: str = Field(description="What is minimised or followed; empty if a plugin says none.")
    paper: str = Field(description="Where it is from.")
    cost: str = Field(description="Passes that a step takes; T is the number of tasks.")
    alone: bool = Field(description="Whether its runs are trained one by one, and never stacked.")
    needs: list[str] = Field(description="Packages it imports, of the extra `gradients`.")
    missing: list[str] = Field(description="Those of them that are not installed here.")
    also_in: list[str] = Field(description="Other libraries that have it.")
    hyperparameters: list[Hyperparameter] = Field(description="What can be tuned of it.")


class Methods(Printed):
    """Loss weightings."""

    document: Literal["methods"]
    methods: list[Method] = Field(description="All there are, or the one that was named.")


SHAPE = Methods
