"""The section [function]: a training function of one's own in the place of a problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, field_validator, model_validator

from study.spec._findings import MOST_OF_A_NAME, shown_value
from study.spec._section import Section, told_by
from study.spec.objectives import checked
from study.spec.stopping import PatienceRule, PopulationRule

WEIGHTING = "function"
"""What a search of a training function has for a weighting."""

# What such a study may say in [training]; all else is the function's own affair.
_TRAINING = (
    *("epochs", "batch_size", "threads", "strict_code"),
    *("run_limit_s", "open_limit_s", "silence_limit_s"),
)


_Metric = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[list[str], Tag("<list>")],
    told_by(list, "<list>", "<name>"),
]
_Side = Literal["min", "max"]
_Direction = Annotated[
    Annotated[_Side, Tag("<side>")] | Annotated[list[_Side], Tag("<list>")],
    told_by(list, "<list>", "<side>"),
]


class FunctionSpec(Section):
    """A training function of one's own, instead of `problem`."""

    target: str = Field(description="`package.module:function`.")
    metric: _Metric = Field(
        description="What it reports and trials are ranked by; a list of two to five searches "
        "their front."
    )
    direction: _Direction = Field(
        "min", description="Whether lower or higher is better; a list says it for each metric."
    )
    kind: Literal["plain", "ray", "optuna"] = Field(
        "plain",
        description="How it is called: `train(params, seed, folder, report)`, as a trainable of "
        "Ray Tune, or as an objective of Optuna.",
    )

    @field_validator("target")
    @classmethod
    def _names_a_function(cls, value: str) -> str:
        module, _, name = value.partition(":")
        if not all(part.isidentifier() for part in [*module.split("."), name]):
            raise ValueError(
                f"must be `package.module:function`. Got {shown_value(value)}. "
                "Write `my_training:train` for the function `train` in my_training.py beside the "
                "study."
            )
        if len(name) > MOST_OF_A_NAME:
            raise ValueError(
                f"must name a function with at most {MOST_OF_A_NAME} characters. "
                f"Got {len(name):,}. Give it a shorter name."
            )
        return value

    @field_validator("metric")
    @classmethod
    def _plain_metric(cls, value: str | list[str]) -> str | list[str]:
        for name in [value] if isinstance(value, str) else value:
            if not name.strip() or not name.isprintable() or len(name) > MOST_OF_A_NAME:
                raise ValueError(
                    f"must be a name of 1 to {MOST_OF_A_NAME} printable characters. "
                    f"Got {shown_value(name)}. Name what the function reports."
                )
        if isinstance(value, list):
            checked(value, one='`metric = "loss"`')
        return value

    @model_validator(mode="after")
    def _a_direction_each(self) -> Self:
        n_metrics = len(self.metrics)
        if isinstance(self.direction, list) and len(self.direction) != n_metrics:
            raise ValueError(
                f"`direction` must be min or max, or a list of one for each of {n_metrics} "
                f"`metric`. Got {shown_value(self.direction)}. Make them as many."
            )
        return self

    @property
    def metrics(self) -> tuple[str, ...]:
        """What trials are ranked by; the first one leads."""
        return (self.metric,) if isinstance(self.metric, str) else tuple(self.metric)

    @property
    def directions(self) -> tuple[Literal["min", "max"], ...]:
        """Which side is better, for each of the metrics."""
        if isinstance(self.direction, str):
            return (self.direction,) * len(self.metrics)
        return tuple(self.direction)

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.target.partition(":")[2]


def filled_in(plain: Any) -> Any:
    """A spec as it is written, with what a training function leaves nothing to say about."""
    if not isinstance(plain, Mapping) or plain.get("function") is None:
        return plain
    filled = dict(plain)
    training, searches = plain.get("training"), plain.get("search")
    if isinstance(training, Mapping):
        filled["training"] = {"batch_size": 1, **training}
    if isinstance(searches, list):
        filled["search"] = [
            {"weighting": WEIGHTING, **part} if isinstance(part, Mapping) else part
            for part in searches
        ]
    function, compare = plain["function"], plain.get("compare", {})
    is_objective = isinstance(function, Mapping) and function.get("kind") == "optuna"
    if is_objective and isinstance(compare, Mapping):
        # what an objective returns counts, and it comes last
        filled["compare"] = {"select_epoch": "last", **compare}
    return filled


def misplaced(spec: Any) -> str:
    """Why a spec with a training function does not fit together; empty if it does.

    Args:
        spec: A `StudySpec`.
    """
    if spec.problem is not None:
        return "`problem` and `function` exclude each other. Got both. Drop one."
    if spec.objective is not None:
        return (
            f"`objective` goes with a problem. Got {spec.objective!r} beside [function], whose "
            f"trials are ranked by its `metric`. Drop it."
        )
    for key in ("tasks", "train_fraction", "label_noise"):
        if getattr(spec, key) is not None:
            return f"`{key}` goes with a problem. Got it beside [function]. Drop it."
    if spec.confirm is not None:
        return "[confirm] goes with a problem. Got it beside [function]. Drop it; add `seeds`."
    if spec.baseline is not None and spec.baseline != type(spec.baseline)():
        return "[baseline] goes with a problem. Got it beside [function]. Drop it."
    if spec.keep != type(spec.keep)():
        return "[keep] goes with a problem; a function keeps its own files. Drop it."
    if spec.diagnostics.gradients is not None:
        return "[diagnostics] goes with a problem; a function's gradients are not seen. Drop it."
    if any(part.init_from is not None for part in spec.search):
        return "`init_from` goes with a problem; a function begins by itself. Drop it."
    stages = [stage for part in spec.search for stage in part.stages]
    if any(isinstance(stage.stop, PatienceRule) for stage in stages):
        return (
            '`stop` with `rule = "patience"` goes with a problem; a function returns when it has '
            "had enough. Take another rule, or drop it."
        )
    if any(isinstance(stage.stop, PopulationRule) for stage in stages):
        return (
            '`stop` with `rule = "pbt"` goes with a problem: a trial goes on from the network of '
            "another one, and a function keeps its own. Take another rule, or drop it."
        )
    said = spec.training.model_dump(exclude_defaults=True)
    if strange := [name for name in said if name not in _TRAINING]:
        return (
            f"[training] {', '.join(f'`{name}`' for name in strange)} goes with a problem; a "
            "function trains and saves by itself, run by run. Drop it, or pass it in `hyper` "
            "of a [[search]]."
        )
    others = [name for part in spec.search for name in part.weightings if name != WEIGHTING]
    if others:
        return f"`weighting` goes with a problem. Got {', '.join(others)}. Drop it."
    return ""
