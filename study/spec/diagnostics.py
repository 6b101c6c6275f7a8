"""[diagnostics]: what is looked at while runs train; no run comes out otherwise for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from study.spec._section import PositiveInt, Section

if TYPE_CHECKING:
    from study.spec.training import TrainingSpec

_Several = Annotated[int, Field(ge=2, le=1000, strict=True)]


class GradientsSpec(Section):
    """How gradients of tasks and of samples are compared."""

    every: PositiveInt = Field(
        5, description="Steps from one look to the next; each epoch begins with one."
    )
    samples: _Several = Field(
        8, description="Most samples of a batch, and most tasks, whose gradients are taken."
    )


class DiagnosticsSpec(Section):
    """What is looked at while runs train; free to change at any time."""

    gradients: GradientsSpec | None = Field(
        None,
        description="Compare gradients of tasks and of samples on the shared parameters, such as "
        "`{ every = 5, samples = 8 }`; see "
        "[gradient conflicts](../how-to/gradient-conflicts.md). Off by default.",
    )


def not_comparable(spec: DiagnosticsSpec, training: TrainingSpec) -> str:
    """Why gradients cannot be compared in such a training; empty if they can."""
    if spec.gradients is None:
        return ""
    if training.data_parallel > 1:
        return (
            "`gradients` of [diagnostics] are compared in one process. Got `data_parallel = "
            f"{training.data_parallel}` in [training]. Drop one of them."
        )
    if training.batch_size < 2:
        return (
            "`gradients` of [diagnostics] compares samples of a batch. Got `batch_size = "
            f"{training.batch_size}` in [training]. Take 2 or more, or drop `gradients`."
        )
    return ""
