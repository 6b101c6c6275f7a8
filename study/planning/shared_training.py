"""The section [training] as workers are told it: what all runs of a study share."""

from __future__ import annotations

from study.errors import BadSpec
from study.spec.training import TrainingSpec
from trainers.errors import TrainingError
from trainers.jobs import Schedule, Training
from trainers.optimizers import BUILT_IN, optimizer


def optimizer_home(training: Training) -> list[str]:
    """The module of an optimiser that is not built in; others need not be loaded.

    Raises:
        BadSpec: There is no such optimiser.
    """
    if training.optimizer in BUILT_IN:
        return []
    try:
        return [type(optimizer(training.optimizer, training.folder)).__module__]
    except TrainingError as error:
        raise BadSpec(f"[training] `optimizer`: {error}") from error


def shared_training(part: TrainingSpec, folder: str | None) -> Training:
    """What all runs share, as workers are told it."""
    schedule = (
        Schedule(kind=part.schedule)
        if isinstance(part.schedule, str)
        else Schedule(kind="step", step_epochs=part.schedule.step, gamma=part.schedule.gamma)
    )
    return Training(
        epochs=part.epochs,
        batch_size=part.batch_size,
        optimizer=part.optimizer,
        momentum=part.momentum,
        schedule=schedule,
        clip_norm=part.clip_norm,
        eval_batch_size=part.eval_batch_size,
        threads=part.threads,
        precision=part.precision,
        compile=part.compile,
        data_parallel=part.data_parallel,
        drop_last=part.drop_last,
        channels_last=part.channels_last,
        micro_batch_size=part.micro_batch_size,
        folder=folder if ":" in part.optimizer else None,
    )
