"""One table of `stages`: which parameters, which strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, model_validator

from study.spec._findings import shown_value
from study.spec._section import WrittenSection, kind_by, told_by
from study.spec.stopping import StopRule

STRATEGIES = ("grid", "random", "quasi-random", "tpe")
ROUND_SIZE = 4
NEIGHBOURS = {"lr": "neighbours"}
"""The two learning rates beside the winner's."""
_SAMPLED = {"trials": "random, quasi-random or tpe", "round_size": "tpe"}
_STRATEGY, _TRIALS = "How points are chosen.", "How many points are tried."
_UpToAGrid = Annotated[int, Field(gt=0, le=100_000, strict=True)]


class AxisTable(WrittenSection, extra="allow"):
    """A parameter's values by a table: one of the forms of [stages](stages.md), and beside it."""

    # after fifty rounds floats have nothing between them
    refine: Annotated[int, Field(gt=0, le=100, strict=True)] = Field(
        0, description="Rounds of refinement of a line: midpoints around the best value."
    )

    @property
    def form(self) -> Mapping[str, Any]:
        """The table without what belongs to the strategy."""
        return self.__pydantic_extra__ or {}


_Axis = Annotated[
    Annotated[AxisTable, Tag("<table>")] | Annotated[Any, Tag("<values>")],
    told_by((Mapping, AxisTable), "<table>", "<values>"),
]


class _Stage(WrittenSection, extra="allow"):
    """Parameters that are tuned together; all keys but its own are their names."""

    __pydantic_extra__: dict[str, _Axis]

    strategy: str
    at: dict[str, Any] = Field(
        default_factory=dict, description="Values of this stage, instead of what is known so far."
    )
    stop: StopRule | None = Field(
        None,
        description='Rule that prunes trials at rungs, such as `{ rule = "median", rungs = [5] }`.',
    )

    @property
    def axes(self) -> dict[str, Any]:
        """The parameters as a space is written."""
        return {
            name: axis.form if isinstance(axis, AxisTable) else axis
            for name, axis in self._written_axes.items()
        }

    @property
    def kind(self) -> str:
        """The strategy's name in the database."""
        if self.axes == NEIGHBOURS:
            return "neighbours"
        return "line" if self._is_line else self.strategy

    @property
    def refine(self) -> int:
        """Rounds of refinement."""
        tables = (axis for axis in self._written_axes.values() if isinstance(axis, AxisTable))
        return max((table.refine for table in tables), default=0)

    @property
    def _written_axes(self) -> Mapping[str, Any]:
        return self.__pydantic_extra__ or {}

    @property
    def _is_line(self) -> bool:
        form, *others = self.axes.values()
        is_line = isinstance(form, Mapping) and not {"line", "log_range"}.isdisjoint(form)
        return self.strategy == "grid" and is_line and not others

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        axes = self.axes
        others = sorted(self.model_fields_set - set(NEIGHBOURS))
        if axes.get("lr") == "neighbours" and others:
            raise ValueError(
                f'`lr = "neighbours"` is a stage by itself. Got it beside {", ".join(others)}. '
                "Drop them, or write a stage of their own."
            )
        if stray := next((option for option in _SAMPLED if option in axes), None):
            raise ValueError(
                f"`{stray}` goes with the strategy {_SAMPLED[stray]}. Got it with {self.strategy}. "
                "Drop it, or take another `strategy`."
            )
        if not axes:
            raise ValueError(
                f"must tune something. Got {shown_value(self.model_dump())}. "
                "Write a parameter with its values, such as `lr = [1e-3, 1e-2]`."
            )
        if both := [name for name in self.at if name in axes]:
            raise ValueError(
                f"`at` fixes what the stage does not tune. Got {', '.join(both)} in both. "
                "Drop it from one of them."
            )
        if self.refine and not self._is_line:
            raise ValueError(
                f"`refine` goes with a line of one parameter. Got it in a stage of "
                f"{', '.join(axes)} with the strategy {self.strategy}. Drop it, or write "
                "`{ line = [...], refine = 1 }` in a stage of its own."
            )
        return self


class GridStage(_Stage):
    """All points; called a line if it has one parameter, with `line` or `log_range`."""

    strategy: Literal["grid"] = Field("grid", description=_STRATEGY)


class SampledStage(_Stage):
    """Points that are independent of each other, or evenly spread (Halton)."""

    strategy: Literal["random", "quasi-random"] = Field(description=_STRATEGY)
    trials: _UpToAGrid = Field(description=_TRIALS)


class TpeStage(_Stage):
    """Points that Optuna's TPE sampler proposes, round by round."""

    strategy: Literal["tpe"] = Field(description=_STRATEGY)
    trials: _UpToAGrid = Field(description=_TRIALS)
    round_size: _UpToAGrid = Field(ROUND_SIZE, description="How many points are proposed at once.")


OPTIONS = tuple(TpeStage.model_fields)
"""Names that no parameter can have."""

StageSpec = Annotated[
    Annotated[GridStage, Tag("<grid>")]
    | Annotated[SampledStage, Tag("<random>")]
    | Annotated[SampledStage, Tag("<quasi-random>")]
    | Annotated[TpeStage, Tag("<tpe>")],
    kind_by("strategy", *STRATEGIES, default="grid"),
]
