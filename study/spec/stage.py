"""One table of `stages`: which parameters, which strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from search_spaces.variants import parameter_of
from study.spec._findings import shown_value
from study.spec._section import WrittenSection, told_by
from study.spec.optuna_part import OptunaName, OptunaPart
from study.spec.stopping import StopRule

STRATEGIES = ("grid", "random", "quasi-random", "tpe")
_OPTUNA = "optuna"
ROUND_SIZE = 4
NEIGHBOURS = {"lr": "neighbours"}
"""The two learning rates beside the winner's."""
_SAMPLED = {
    "trials": "random, quasi-random, tpe or a sampler of Optuna",
    "round_size": "tpe or a sampler of Optuna",
    "first": "random, quasi-random, tpe or a sampler of Optuna",
}
_STRATEGY, _TRIALS = "How points are chosen.", "How many points are tried."
_FIRST = (
    "Points that are tried before all others, each a table of all parameters of the stage, such "
    "as `[{ lr = 1e-3 }]`; they count among `trials`."
)
_ROUND_SIZE = "How many points are proposed at once."
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

    strategy: object
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
        return "line" if self._is_line else str(self.strategy)

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
        if both := [name for name in self.at if name in {*axes, *map(parameter_of, axes)}]:
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
    first: list[dict[str, Any]] = Field(default_factory=list, description=_FIRST)


class TpeStage(_Stage):
    """Points that Optuna's TPE sampler proposes, round by round."""

    strategy: Literal["tpe"] = Field(description=_STRATEGY)
    trials: _UpToAGrid = Field(description=_TRIALS)
    round_size: _UpToAGrid = Field(ROUND_SIZE, description=_ROUND_SIZE)
    first: list[dict[str, Any]] = Field(default_factory=list, description=_FIRST)


class OptunaStrategy(OptunaPart):
    """A sampler of Optuna by name; all other keys are its options, such as n_startup_trials."""

    optuna: OptunaName = Field(
        description="Name of a class of `optuna.samplers`, such as `GPSampler`."
    )


class OptunaStage(_Stage):
    """Points that a sampler of Optuna proposes, round by round."""

    strategy: OptunaStrategy = Field(description=_STRATEGY)
    trials: _UpToAGrid = Field(description=_TRIALS)
    round_size: _UpToAGrid = Field(ROUND_SIZE, description=_ROUND_SIZE)
    first: list[dict[str, Any]] = Field(default_factory=list, description=_FIRST)

    @property
    def kind(self) -> str:
        """The strategy's name in the database."""
        return _OPTUNA


OPTIONS = tuple(TpeStage.model_fields)
"""Names that no parameter can have."""


def _tag(value: object) -> str | None:
    """Which of the stages it is, by its strategy: a name, or a table."""
    if not isinstance(value, Mapping | _Stage):
        return "<grid>"  # it says that this is no table
    strategy = value.strategy if isinstance(value, _Stage) else value.get("strategy", "grid")
    if isinstance(strategy, Mapping | OptunaStrategy):
        return f"<{_OPTUNA}>"
    return f"<{strategy}>" if isinstance(strategy, str) and strategy in STRATEGIES else None


StageSpec = Annotated[
    Annotated[GridStage, Tag("<grid>")]
    | Annotated[SampledStage, Tag("<random>")]
    | Annotated[SampledStage, Tag("<quasi-random>")]
    | Annotated[TpeStage, Tag("<tpe>")]
    | Annotated[OptunaStage, Tag(f"<{_OPTUNA}>")],
    Discriminator(
        _tag,
        custom_error_type="unknown_kind",
        custom_error_message=f"strategy must be one of {', '.join(STRATEGIES)}, or a table that "
        'names a sampler of Optuna, optuna = "GPSampler"',
    ),
]
