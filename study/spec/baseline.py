"""The section [baseline] of a study.toml."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from study.spec._section import Different, Finite, Positive, Section
from study.spec.stopping import BaselineRule


class BaselineSpec(Section):
    """The single-task baseline."""

    lr: Annotated[Different[Positive], Field(min_length=1)] | None = Field(
        None, description="Learning rates; default: all that any search tries."
    )
    metrics: dict[str, dict[str, Finite]] | None = Field(
        None,
        description="Imported numbers by task and metric, instead of training STL networks.",
    )
    stop: BaselineRule | None = Field(
        None,
        description='Rule that prunes learning rates at rungs, such as `{ rule = "halving", '
        "rungs = [5] }`.",
    )

    @model_validator(mode="after")
    def _trained_or_imported(self) -> Self:
        for key in ("lr", "stop"):
            if getattr(self, key) is not None and self.metrics is not None:
                raise ValueError(
                    f"`{key}` is for training the baseline, `metrics` for importing it. Got both. "
                    "Drop one."
                )
        return self
