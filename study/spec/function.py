"""The section [function]: a training function of one's own in the place of a problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from study.spec._findings import MOST_OF_A_NAME, shown_value
from study.spec._section import Section

WEIGHTING = "function"
"""What a search of a training function has for a weighting."""

# What such a study may say in [training]; all else is the function's own affair.
_TRAINING = (
    *("epochs", "threads", "run_limit_s", "open_limit_s", "silence_limit_s"),
    *("batch_size", "checkpoint_s", "checkpoint_cap_mib", "engine", "pack_size"),
    "strict_code",
)


class FunctionSpec(Section):
    """A training function of one's own, instead of `problem`."""

    target: str = Field(description="`package.module:function`.")
    metric: str = Field(description="What it reports and trials are ranked by.")
    direction: Literal["min", "max"] = Field(
        "min", description="Whether lower or higher is better."
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
    def _plain_metric(cls, value: str) -> str:
        if not value.strip() or not value.isprintable() or len(value) > MOST_OF_A_NAME:
            raise ValueError(
                f"must be a name of 1 to {MOST_OF_A_NAME} printable characters. "
                f"Got {shown_value(value)}. Name what the function reports."
            )
        return value

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
    if spec.confirm is not None:
        return "[confirm] goes with a problem. Got it beside [function]. Drop it; add `seeds`."
    if spec.baseline is not None and spec.baseline != type(spec.baseline)():
        return "[baseline] goes with a problem. Got it beside [function]. Drop it."
    if spec.keep != type(spec.keep)():
        return "[keep] goes with a problem; a function keeps its own files. Drop it."
    if any(part.init_from is not None for part in spec.search):
        return "`init_from` goes with a problem; a function begins by itself. Drop it."
    said = spec.training.model_dump(exclude_defaults=True)
    if strange := [name for name in said if name not in _TRAINING]:
        return (
            f"[training] {', '.join(f'`{name}`' for name in strange)} goes with a problem; a "
            "function trains by itself. Drop it, or pass it in `hyper` of a [[search]]."
        )
    others = [name for part in spec.search for name in part.weightings if name != WEIGHTING]
    if others:
        return f"`weighting` goes with a problem. Got {', '.join(others)}. Drop it."
    return ""
