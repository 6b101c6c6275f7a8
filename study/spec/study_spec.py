"""The spec: a study.toml as frozen values. Unknown keys are errors.

This is the form; whether it makes sense for its problem is checked in `study.planning.plan`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from storage.objectives import known
from storage.objectives.delta_m import NAME as DELTA_M
from study.errors import BadSpec
from study.spec import objectives, trainer
from study.spec._findings import findings, unfit_findings
from study.spec._section import (
    Different,
    Flag,
    Name,
    Printable,
    Quantity,
    Section,
    Seed,
    UpTo1000,
    plain_name,
)
from study.spec._toml import plain_of, text_of
from study.spec.asked import Fractions, Tasks
from study.spec.baseline import BaselineSpec
from study.spec.budget import BudgetSpec
from study.spec.compare import CompareSpec
from study.spec.cost import CostSpec
from study.spec.diagnostics import DiagnosticsSpec, not_comparable
from study.spec.followup import FollowupSpec, unfit
from study.spec.function import FunctionSpec, filled_in, misplaced
from study.spec.label_noise import LabelNoise
from study.spec.notify import NotifySpec, a_table
from study.spec.search import SearchSpec
from study.spec.stopping import StopRule, too_late
from study.spec.training import TrainingSpec


class ConfirmSpec(Section):
    """Fresh seeds for the winners."""

    top: UpTo1000 = Field(1, description="How many of a search's best trials are confirmed.")
    seeds: UpTo1000 = Field(5, description="How many fresh seeds each gets.")


class KeepSpec(Section):
    """Which networks stay once their runs are done; free to change at any time."""

    networks: Literal["none", "winners", "all"] = Field(
        "winners",
        description="Runs whose network stays, as it was after their selected epoch: of each "
        "search's best trial, the single-task ones included, every seed; all that are done; or "
        "none. See [get the network](../how-to/get-the-network.md).",
    )
    cap_mib: Quantity = Field(
        2048.0,
        description="Most that a study's kept networks may take, in MiB. Those that are over it "
        "are dropped and told of.",
    )


class StudySpec(Section):
    """A named question on one problem."""

    name: Name = Field(description="Name of the study in its database.")
    function: FunctionSpec | None = Field(None, description="See [function].")
    problem: Printable | None = Field(
        None,
        validate_default=True,
        description="A problem's name, or `package.module:Class`; or else [function].",
    )
    problem_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the problem."
    )
    trainer: Printable | None = Field(
        None,
        min_length=1,
        description="What trains the problem in the place of weightings: a trainer's name, or "
        "`package.module:Class`; see [trainers](../how-to/trainers.md).",
    )
    tasks: Tasks | None = Field(
        None,
        description='Tasks of the problem that are asked, `["left", "right"]`; all if not given. '
        '`"pairs"` asks a study for each pair of them; see '
        "[pairs](../how-to/compare-studies.md#pairs-of-tasks-and-amounts-of-labels).",
    )
    train_fraction: Fractions | None = Field(
        None,
        description="Share of the training samples that keep their label: of some tasks, "
        "`{ left = 0.1 }`, or one number for all; a list asks a study for each. Samples stay, and "
        "those of a smaller share are among those of a larger one; see "
        "[fewer labels](../how-to/own-problem.md#fewer-labels-of-a-task).",
    )
    label_noise: LabelNoise | None = Field(
        None,
        description='Wrong labels of a task in training and validation, `{ task = "left", '
        'kind = "symmetric", rate = 0.4 }`; see '
        "[noisy labels](../how-to/own-problem.md#noisy-labels-of-a-task).",
    )
    oracle: Flag = Field(
        False,
        description="Whether trials may be chosen by an objective that uses what is hidden from "
        "training, such as labels without their noise; every table then says so.",
    )
    seeds: Different[Seed] = Field(min_length=1, description="Seeds of every trial.")
    training: TrainingSpec = Field(description="See [training].")
    objective: objectives.Objectives | None = Field(
        None,
        description="What trials are ranked by, on validation: `delta_m` (the default), or a "
        'metric of the problem, such as `"left.error_rate"`; or a list of two to five metrics, '
        "whose front is searched. None beside [function]; beside `trainer`, one of the trainer's "
        "objectives, by default its first.",
    )
    baseline: BaselineSpec | None = Field(
        default_factory=BaselineSpec,
        description="See [baseline]; without it no single-task networks are trained for an "
        "objective that needs none.",
    )
    compare: CompareSpec = Field(default_factory=CompareSpec, description="See [compare].")
    budget: BudgetSpec = Field(default_factory=BudgetSpec, description="See [budget].")
    cost: CostSpec = Field(default_factory=CostSpec, description="See [cost].")
    confirm: ConfirmSpec | None = Field(None, description="See [confirm]; off by default.")
    keep: KeepSpec = Field(default_factory=KeepSpec, description="See [keep].")
    notify: NotifySpec | None = Field(None, description="See [notify]; off by default.")
    diagnostics: DiagnosticsSpec = Field(
        default_factory=DiagnosticsSpec, description="See [diagnostics]."
    )
    search: list[SearchSpec] = Field(min_length=1, max_length=1000, description="See [[search]].")
    followup: list[FollowupSpec] = Field(
        default_factory=list, max_length=10, description="See [[followup]]; none by default."
    )

    @model_validator(mode="before")
    @classmethod
    def _function_says_less(cls, plain: Any) -> Any:
        return objectives.filled_in(trainer.filled_in(filled_in(plain)))

    @model_validator(mode="before")
    @classmethod
    def _baseline_where_it_is_needed(cls, plain: Any) -> Any:
        if not isinstance(plain, Mapping) or plain.get("baseline") is not None:
            return plain
        objective = known(()).get(str(plain.get("objective") or DELTA_M))
        needed = objective is not None and objective.needs_baseline and not plain.get("trainer")
        return {**plain, "baseline": {} if needed else None}

    @field_validator("notify", mode="before")
    @classmethod
    def _notify_is_a_table(cls, value: Any) -> Any:
        return a_table(value)

    @field_validator("problem")
    @classmethod
    def _problem_or_function(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("function", "unreadable") is None:
            raise ValueError(
                "is missing. Add it: a problem's name, or `package.module:Class`; or a section "
                "[function]."
            )
        return value

    @model_validator(mode="after")
    def _function_is_alone_and_objectives_fit(self) -> Self:
        alone = misplaced(self) if self.function is not None else ""
        if why := alone or trainer.misplaced(self) or objectives.misplaced(self) or unfit(self):
            raise ValueError(why)
        return self

    @model_validator(mode="after")
    def _rungs_lie_before_the_end(self) -> Self:
        rules: dict[str, StopRule | None] = {}
        if self.baseline is not None:
            rules["[baseline]"] = self.baseline.stop
        for number, part in enumerate(self.search, start=1):
            for k, stage in enumerate(part.stages, start=1):
                rules[f"[[search]] {number}, stage {k},"] = stage.stop
        if why := too_late(rules, self.training.epochs):
            raise ValueError(why)
        return self

    @model_validator(mode="after")
    def _gradients_can_be_compared(self) -> Self:
        if why := not_comparable(self.diagnostics, self.training):
            raise ValueError(why)
        return self

    @model_validator(mode="after")
    def _money_has_a_price(self) -> Self:
        if self.limits_money and self.cost.price_per_h is None:
            raise ValueError(
                "`budget.money` needs the price of device time. Got none. "
                "Add `price_per_h` to [cost], or limit `device_s` instead."
            )
        return self

    @model_validator(mode="after")
    def _shares_are_of_a_budget(self) -> Self:
        limits = self.budget.model_dump(exclude={"wall_s"})
        if self.notify is not None and self.notify.shares and not any(limits.values()):
            raise ValueError(
                f"`on` of [notify] asks for `budget {self.notify.shares[0]}%`, and [budget] has no "
                f"limit that counts over all runs. Add one of {', '.join(limits)}, or drop it."
            )
        return self

    @property
    def trains_itself(self) -> bool:
        """Whether runs are trained by a function or a trainer, and not by our engines."""
        return self.function is not None or self.trainer is not None

    @property
    def own_modules(self) -> tuple[str, ...]:
        """Modules of the user's own: that of each ``module:Class`` which is named."""
        named: list[object] = [self.problem, self.trainer, self.training.optimizer]
        named += [self.function.target] if self.function is not None else []
        for part in self.search:
            named += part.weightings
            for axis in (stage.axes.get("optimizer") for stage in part.stages):
                named += axis if isinstance(axis, list) else []
        return tuple(dict.fromkeys(str(of).partition(":")[0] for of in named if ":" in str(of)))

    @property
    def limits_money(self) -> bool:
        """Whether the study or one of its searches has a budget of money."""
        return any(b.money is not None for b in (self.budget, *(s.budget for s in self.search)))

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values that `parse` reads back."""
        return self.model_dump(mode="json")


def read(path: Path) -> StudySpec:
    """Read a study.toml.

    Raises:
        BadSpec: It cannot be read, is not TOML, or does not fit; all findings at once.
    """
    spec = parse_toml(text_of(path), source=str(path))
    check_name(spec.name, what=f"The `name` in {path}")
    return spec


def check_name(name: str, *, what: str) -> None:
    """Refuse what cannot name a new study, or what commands would take for a file's name.

    Raises:
        BadSpec: It is no name of a study, or ends in ``.toml``.
    """
    try:
        plain_name(name)
    except ValueError as error:
        raise BadSpec(f"{what} {error}") from None
    if name.lower().endswith(".toml"):
        raise BadSpec(
            f"{what} must not end in .toml, as the files of specs do: a command could mean "
            f"either. Got {name!r}. Write {name[:-5]!r}."
        )


def parse_toml(text: str, *, source: str) -> StudySpec:
    """Parse the text of a study.toml; `source` names it in messages.

    Raises:
        BadSpec: It is not TOML, or does not fit.
    """
    return parse(plain_of(text, source=source), source=source)


def parse(plain: Mapping[str, Any], *, source: str) -> StudySpec:
    """Check plain values.

    Raises:
        BadSpec: All findings, one a line, each with its place.
    """
    found = unfit_findings(plain, StudySpec)
    if not found:
        try:
            return StudySpec.model_validate(plain)
        except ValidationError as error:
            found = findings(error, StudySpec)
    lines = [f"  {finding}" for finding in found]
    raise BadSpec("\n".join([f"The spec {source} has errors:", *lines])) from None
