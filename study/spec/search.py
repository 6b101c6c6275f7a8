"""The sections [[search]] of a study.toml."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field, Tag, model_validator

from storage.wording import limit_said
from study.spec._section import Flag, Name, Printable, Section, told_by
from study.spec.budget import BudgetSpec
from study.spec.stage import StageSpec

_Weightings = Annotated[
    Annotated[Printable, Tag("<name>")]
    | Annotated[list[Printable], Field(min_length=1), Tag("<list>")],
    told_by(list, "<list>", "<name>"),
]


class SearchSpec(Section):
    """One weighting, or several that are searched alike, and the stages of their tuning."""

    weighting: _Weightings = Field(
        description="A weighting's name or `module:Class`, or a list; none beside [function]."
    )
    name: Name | None = Field(None, description="Name of the search; default: the weighting's.")
    stages: list[StageSpec] = Field(
        min_length=1, max_length=100, description="What is tuned, one table a stage."
    )
    hyper: dict[str, Any] = Field(
        default_factory=dict, description="Hyperparameters of the weighting that are not tuned."
    )
    joint: Flag = Field(False, description="Tune all stages at once, on the full product.")
    init_from: Printable | None = Field(
        None,
        min_length=1,
        description="Search of this study, `stl/TASK` among them, from whose best network all runs "
        "begin; they wait for it. See "
        "[begin from a network](../how-to/get-the-network.md#begin-from-a-network).",
    )
    budget: BudgetSpec = Field(default_factory=BudgetSpec, description="Limits of this search.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.name is not None and isinstance(self.weighting, list):
            raise ValueError(
                f"`name` goes with one weighting. Got {self.name!r} beside a list. "
                "Drop `name`, or write one [[search]] each."
            )
        if self.budget.wall_s is not None:
            raise ValueError(
                "`budget.wall_s` limits the whole command, not one search. "
                f"Got {limit_said(self.budget.wall_s)}. Move it to [budget], or use `device_s`."
            )
        return self

    @property
    def weightings(self) -> Sequence[str]:
        """The weightings' names."""
        return [self.weighting] if isinstance(self.weighting, str) else self.weighting
