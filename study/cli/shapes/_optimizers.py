"""Optimisers side by side in documents of `compare`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from study.cli.shapes._compared import Difference, Ends
from study.cli.shapes._shape import Count, Params, Shape

_Sides = Annotated[list[float], Field(min_length=2, max_length=2)]


class OptimizerRow(Ends):
    """One weighting under one optimiser; `low` and `high` are of `value_test`."""

    weighting: str
    title: str
    optimizer: str = Field(description="Its name, as `[training] optimizer` has it.")
    n_trials: Count = Field(description="Whose runs have all ended, diverged ones among them.")
    search: str | None = Field(description="Of the best trial; null if none was done.")
    trial: Count | None
    params: Params | None = Field(description="Of the best trial on validation.")
    value_test: float | None = Field(description="For each seed of the trial that others choose.")
    runs: list[int] = Field(description="Behind the value.")


class OfWeighting(Difference):
    """The best value with `a` minus that with `b`: optimisers, not searches."""

    a: str = Field(description="The first optimiser.")
    b: str = Field(description="The second.")
    weighting: str


class Agreement(Shape):
    """How alike two optimisers rank weightings."""

    tau: float | None = Field(description="Kendall's tau-b.")
    low: float = Field(description="If all pairs whose order seeds do not tell were reversed.")
    high: float = Field(description="If all of these were alike.")
    n_pairs: Count = Field(description="Of weightings.")
    n_alike: Count = Field(description="Told with both optimisers, and the same.")
    n_reversed: Count = Field(description="Told with both, and not the same.")


class OptimizerPair(Shape):
    """Two optimisers over the weightings that were tried with both; lists have `a` first."""

    a: str = Field(description="The optimiser that was proposed first.")
    b: str = Field(description="The other one.")
    weightings: list[str] = Field(description="Tried with both.")
    n_trials: Annotated[list[Count], Field(min_length=2, max_length=2)] = Field(
        description="Of both, before equal numbers are drawn."
    )
    n_drawn: Count = Field(description="Of each, for equal numbers.")
    on_front: _Sides = Field(description="Trials on the joint front of mean test metrics.")
    undominated: _Sides = Field(description="Trials that none of the other optimiser dominates.")
    differences: list[OfWeighting] = Field(
        description="Of each weighting that has a value with both; one family after Holm."
    )
    ranking: Agreement | None = Field(description="Null with fewer than three weightings.")


class Optimizers(Shape):
    """The optimisers of a study."""

    names: list[str] = Field(description="In the order in which they were proposed.")
    rows: list[OptimizerRow] = Field(description="By weighting, then by optimiser.")
    pairs: list[OptimizerPair] = Field(description="Each two with a weighting in common.")
