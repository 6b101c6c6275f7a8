"""What an epoch is made of, the same for both engines: batches, noise, rates and values.

Shapes: T tasks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from trainers.engines.masks import Present
from trainers.engines.session import Session
from trainers.errors import TaskMismatch
from trainers.evaluation import Value
from trainers.jobs import Job, Schedule, Training
from trainers.protocol import Batch
from trainers.randomness import Key

NOT_POSITIVE = "not_positive_steps"
"""What the count of steps with such a loss is called in the database."""
SKIPPED = "skipped_steps"
"""What the count of steps that were not taken is called there."""


def n_steps(session: Session, training: Training) -> int:
    """Batches of an epoch.

    Raises:
        TaskMismatch: There is none.
    """
    n_samples = training.samples_of(session.sources["train"].size)
    if not n_samples:
        raise TaskMismatch(
            "[training] `drop_last` leaves whole batches only. Got "
            f"{session.sources['train'].size} training samples and `batch_size = "
            f"{training.batch_size}`: none. Lower `batch_size`."
        )
    return -(-n_samples // training.batch_size)


def batches(
    session: Session, training: Training, key: Key, epoch: int, tasks: Sequence[str] = ()
) -> Iterator[Batch]:
    """The training batches of one epoch; seeds what the network draws (dropout), too.

    Args:
        tasks: Of the network; see `order`.
    """
    found = order(session, training, key, epoch, tasks)
    (key / "dropout" / epoch).seed_global(session.device)
    return session.sources["train"].batches(found, training.batch_size, key / "augment" / epoch)


def order(
    session: Session, training: Training, key: Key, epoch: int, tasks: Sequence[str] = ()
) -> Tensor:
    """The training samples of one epoch, ``[N]`` by number.

    Args:
        tasks: Of the network. One task that not all samples have a label of is trained on those
            that have, over and over, each time in another order: as many steps as of all samples.
    """
    size, address = session.sources["train"].size, key / "order" / epoch
    if task := session.trained_on(tasks):
        labelled = session.labelled[task]
        passes = [(address / number).generator() for number in range(-(-size // len(labelled)))]
        orders = [torch.randperm(len(labelled), generator=one_pass) for one_pass in passes]
        shuffled = labelled[torch.cat(orders)]
    else:
        shuffled = torch.randperm(size, generator=address.generator())
    return shuffled[: training.samples_of(size)]


def noise(job: Job, key: Key, epoch: int, steps: int, *, of_pairs: bool = False) -> Tensor:
    """Standard normal noise of one run, on the CPU: ``[steps, T]``; of pairs ``[steps, T, T]``."""
    generator = (key / "noise" / job.address / epoch).generator()
    n_tasks = len(job.tasks)
    return torch.randn(steps, *[n_tasks] * (1 + of_pairs), generator=generator)


def learning_rate(lr: float, schedule: Schedule, *, epoch: int, epochs: int) -> float:
    """Rate of one epoch, counted from 1.

    ``step``: lr * gamma^floor((epoch-1)/step_epochs);
    ``cosine``: lr * (1 + cos(pi (epoch-1)/epochs))/2.
    """
    if schedule.kind == "step":
        return lr * schedule.gamma ** ((epoch - 1) // schedule.step_epochs)
    if schedule.kind == "cosine":
        return lr * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2
    return lr


def train_values(
    tasks: Sequence[str],
    losses: Sequence[float],
    weights: Sequence[float],
    not_positive: Sequence[float] = (),
    there: Present = None,
    *,
    n_skipped: int = 0,
) -> list[Value]:
    """Mean training losses and loss weights of one run, as they are reported.

    Args:
        tasks: ``[T]``.
        losses: ``[T]``.
        weights: ``[T]``.
        not_positive: ``[T]``, steps whose loss was 0 or below, under a weighting that assumes
            positive ones; only tasks with some are reported.
        there: Tasks with valid elements in some step; the others have no values.
        n_skipped: Steps that were not taken, as their gradients overflowed; reported if some.
    """
    values: list[Value] = []
    for place, (task, loss, weight) in enumerate(zip(tasks, losses, weights, strict=True)):
        if there is not None and place not in there:
            continue
        values += [("train", task, "loss", loss), ("train", task, "weight", weight)]
        if n_skipped:
            values.append(("train", task, SKIPPED, n_skipped))
    for task, n_steps in zip(tasks, not_positive, strict=False):
        if n_steps:
            values.append(("train", task, NOT_POSITIVE, n_steps))
    return values
