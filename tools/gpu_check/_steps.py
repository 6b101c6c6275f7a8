"""Single training steps of both engines, to be timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainers.engines import Session
from trainers.engines.fused.stack import Stack
from trainers.engines.one_epoch import batches
from trainers.engines.solo.run import SoloRun
from trainers.jobs import Pack, Training
from trainers.protocol import Batch
from trainers.randomness import Key

_KEY = Key("7")


def a_batch(session: Session, training: Training) -> Batch:
    """The first batch of an epoch."""
    return next(iter(batches(session, training, _KEY, 1)))


def stack_step(stack: Stack, session: Session) -> Callable[[], object]:
    """A step of a stack, on one batch again and again."""
    stack._optimizer.begin_epoch(1)
    for part in stack._weighed:
        part.begin_epoch(_KEY, 1, 1)
    batch = a_batch(session, stack._training)
    return lambda: stack._step(batch, 0)


def solo_step(pack: Pack, session: Session) -> Callable[[], object]:
    """A step of the first run alone, on one batch again and again."""
    run = SoloRun(pack.jobs[0], pack, session)
    batch = a_batch(session, pack.training)
    run.begin_epoch(1)
    noise = next(run._noise)
    return lambda: run._step(batch, noise)


def kernels(work: Callable[[], object]) -> int:
    """Operations of a call that compute or copy something."""
    counter = _Counter()
    with counter:
        work()
    return counter.n


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.n = 0

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        views = [ret.alias_info for ret in func._schema.returns]
        is_view = any(alias is not None and not alias.is_write for alias in views)
        name = func._schema.name.split("::")[-1]
        self.n += not is_view and not name.startswith(("empty", "detach", "_unsafe_view"))
        return func(*args, **(kwargs or {}))


def synchronize(device: torch.device) -> None:
    """Wait for a device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
