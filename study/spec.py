"""The spec: a study.toml as frozen values. Unknown keys are errors.

This is the form; whether it makes sense for its problem is checked in `study.plan`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from study.errors import BadSpec

PositiveInt = Annotated[int, Field(gt=0, strict=True)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepSchedule(_Section):
    """Learning rate times `gamma` every `step` epochs."""

    step: PositiveInt = Field(description="Epochs between two cuts of the learning rate.")
    gamma: Positive = Field(0.5, description="Factor of each cut.")


class TrainingSpec(_Section):
    """What all runs share."""

    epochs: PositiveInt = Field(description="Epochs of each run.")
    batch_size: PositiveInt = Field(description="Samples a step.")
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adam", description="Optimiser of all runs.")
    lr: Positive | None = Field(None, description="Learning rate of searches that do not tune it.")
    weight_decay: NotNegative = Field(
        0.0, description="Weight decay of searches and stages that do not tune it."
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Momentum of SGD.")
    schedule: Literal["constant", "cosine"] | StepSchedule = Field(
        "constant",
        description="Learning rate over epochs: constant, cosine, or `{ step = 10, gamma = 0.5 }`.",
    )
    clip_norm: Positive | None = Field(
        None, description="Largest gradient norm of the network; off by default."
    )
    eval_batch_size: PositiveInt = Field(1024, description="Samples a batch of evaluation.")
    threads: PositiveInt = Field(
        1, description="Threads of a worker. Results depend on it, so it is fixed by the study."
    )
    checkpoint_s: NotNegative = Field(
        15.0, description="Least seconds between two checkpoints of a run."
    )


class BaselineSpec(_Section):
    """The single-task baseline."""

    lr: list[Positive] | None = Field(
        None, description="Learning rates; default: all that any search tries."
    )
    metrics: dict[str, dict[str, float]] | None = Field(
        None,
        description="Imported numbers by task and metric, instead of training STL networks.",
    )


class CompareSpec(_Section):
    """How methods are compared; fixed with the study."""

    margin: Positive = Field(1.0, description="Difference in delta_m points that matters.")
    select_epoch: str = Field(
        "best",
        description="Epoch that counts: `best` on validation, `last`, or `mean_last_5` (any K).",
    )

    @field_validator("select_epoch")
    @classmethod
    def _known_rule(cls, value: str) -> str:
        if not re.fullmatch(r"best|last|mean_last_[1-9][0-9]*", value):
            raise ValueError(f"must be best, last or mean_last_K with K >= 1. Got {value!r}")
        return value


class BudgetSpec(_Section):
    """Limits; a study or search that reaches one stops there and can be continued."""

    trials: PositiveInt | None = Field(None, description="Trials, baseline excluded.")
    epochs: PositiveInt | None = Field(None, description="Epochs of all runs.")
    device_s: Positive | None = Field(None, description="Device-seconds of all attempts.")
    wall_s: Positive | None = Field(None, description="Seconds of one `weighbridge run`.")


class ConfirmSpec(_Section):
    """Fresh seeds for the winners."""

    top: PositiveInt = Field(1, description="How many of a search's best trials are confirmed.")
    seeds: PositiveInt = Field(5, description="How many fresh seeds each gets.")


class SearchSpec(_Section):
    """One weighting, or several that are searched alike, and the stages of their tuning."""

    weighting: str | list[str] = Field(description="A weighting's name, or a list of names.")
    name: str | None = Field(None, description="Name of the search; default: the weighting's.")
    stages: list[dict[str, Any]] = Field(
        min_length=1, description="What is tuned, one table a stage."
    )
    hyper: dict[str, Any] = Field(
        default_factory=dict, description="Hyperparameters of the weighting that are not tuned."
    )
    joint: bool = Field(False, description="Tune all stages at once, on the full product.")
    budget: BudgetSpec = Field(default_factory=BudgetSpec, description="Limits of this search.")

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if isinstance(self.weighting, list):
            if not self.weighting:
                raise ValueError("weighting must name at least one method. Got an empty list")
            if self.name is not None:
                raise ValueError(
                    "name goes with one weighting. Drop `name`, or write one [[search]] each"
                )
        if self.name is not None and not _NAME.fullmatch(self.name):
            raise ValueError(_NAME_RULE.format(self.name))
        return self

    @property
    def weightings(self) -> Sequence[str]:
        """The weightings' names."""
        return [self.weighting] if isinstance(self.weighting, str) else self.weighting


class StudySpec(_Section):
    """A named question on one problem."""

    name: str = Field(description="Name of the study in its database.")
    problem: str = Field(description="A problem's name, or `package.module:Class`.")
    problem_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the problem."
    )
    seeds: list[Seed] = Field(min_length=1, description="Seeds of every trial.")
    training: TrainingSpec = Field(description="See [training].")
    baseline: BaselineSpec = Field(default_factory=BaselineSpec, description="See [baseline].")
    compare: CompareSpec = Field(default_factory=CompareSpec, description="See [compare].")
    budget: BudgetSpec = Field(default_factory=BudgetSpec, description="See [budget].")
    confirm: ConfirmSpec | None = Field(None, description="See [confirm]; off by default.")
    search: list[SearchSpec] = Field(min_length=1, description="See [[search]].")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(_NAME_RULE.format(value))
        return value

    @field_validator("seeds")
    @classmethod
    def _different_seeds(cls, value: list[int]) -> list[int]:
        if len(set(value)) < len(value):
            raise ValueError(f"must not repeat a seed. Got {value}")
        return value

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values that `parse` reads back."""
        return self.model_dump(mode="json")


_NAME_RULE = "must be letters, digits, dots, dashes and underscores. Got {!r}"


def read(path: Path) -> StudySpec:
    """Read a study.toml.

    Raises:
        BadSpec: It cannot be read, is not TOML, or does not fit; all findings at once.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSpec(f"Cannot read the spec {path}: {error}.") from error
    return parse_toml(text, source=str(path))


def parse_toml(text: str, *, source: str) -> StudySpec:
    """Parse the text of a study.toml; `source` names it in messages."""
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSpec(f"{source} is not valid TOML: {error}.") from error
    return parse(plain, source=source)


def parse(plain: Mapping[str, Any], *, source: str) -> StudySpec:
    """Check plain values.

    Raises:
        BadSpec: All findings, one a line, each with its place.
    """
    try:
        return StudySpec.model_validate(plain)
    except ValidationError as error:
        findings = [_finding(detail) for detail in error.errors()]
        raise BadSpec("\n".join([f"The spec {source} has errors:", *findings])) from None


def _finding(detail: Any) -> str:
    place = [part for part in detail["loc"] if not _is_union_branch(part)]
    if detail["type"] == "extra_forbidden":
        return "  " + _unknown_key(place)
    shown = _place(place)
    if detail["type"] == "missing":
        return f"  {shown} is missing. Add it."
    message = detail["msg"].removeprefix("Value error, ")
    found = "" if "Got" in message else f". Got {detail['input']!r}"
    return f"  {shown}: {message[0].lower()}{message[1:]}{found}."


def _unknown_key(place: list[Any]) -> str:
    *section, key = place
    allowed = sorted(_section_fields(section))
    close = difflib.get_close_matches(str(key), allowed, n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    where = f" in {_place(section)}" if section else ""
    return f"Unknown key `{key}`{where}.{hint} Allowed: {', '.join(allowed)}."


def _section_fields(section: Sequence[Any]) -> set[str]:
    model: Any = StudySpec
    for part in section:
        if isinstance(part, int):
            continue
        model = _SECTIONS[part]
    return set(model.model_fields)


_SECTIONS: dict[str, type[_Section]] = {
    "training": TrainingSpec,
    "schedule": StepSchedule,
    "baseline": BaselineSpec,
    "compare": CompareSpec,
    "budget": BudgetSpec,
    "confirm": ConfirmSpec,
    "search": SearchSpec,
}


def _is_union_branch(part: object) -> bool:
    """Pydantic names the branch of a union in a place; users did not write it."""
    return isinstance(part, str) and (
        part in {"str", "list[str]"} or "[" in part or part == "StepSchedule"
    )


def _place(parts: Sequence[Any]) -> str:
    """``[training] epochs`` or ``[[search]] 2, weighting``."""
    if not parts:
        return "the spec"
    if parts[0] == "search" and len(parts) > 1:
        rest = ".".join(str(part) for part in parts[2:])
        return f"[[search]] {int(parts[1]) + 1}" + (f", `{rest}`" if rest else "")
    if parts[0] in _SECTIONS:
        rest = ".".join(str(part) for part in parts[1:])
        return f"[{parts[0]}]" + (f" `{rest}`" if rest else "")
    return "`" + ".".join(str(part) for part in parts) + "`"
