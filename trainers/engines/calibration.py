"""How long steps take, alone and in packs: chooses the pack size, never the engine.

Shapes: K runs of a pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import torch
from torch import Tensor

from trainers.engines import _epoch
from trainers.engines._forward import (
    Forward,
    carried_tensors,
    repeated,
    task_functions,
    trained_parameters,
)
from trainers.engines._ghosts import known_ghosts
from trainers.engines._member import Opening
from trainers.engines._stack import Stack
from trainers.engines.session import Session
from trainers.engines.solo import SoloRun
from trainers.events import Calibrated, ShapeTimes
from trainers.jobs import Calibrate, Job, Pack
from trainers.network import build_network
from trainers.optimizers import slots
from trainers.protocol import Batch, Source
from trainers.randomness import Key
from trainers.resources import pack_memory_bytes

_STEPS = 4
_REPEATS = 2
_LOSS = 1.5  # larger packs are not tried any more when a step takes that much longer
_NEARLY = 1.05  # times that differ by less do not count


def calibrate(wanted: Calibrate, session: Session) -> Calibrated:
    """Measure training steps of each tuple of tasks alone, and of the first one in packs.

    Packs grow four-fold as long as they fit; a few steps of each are timed. An error is told and
    not raised: the runs themselves will meet it, and end with it.
    """
    began_s = perf_counter()
    shapes, failure = [], ""
    try:
        shapes = [_alone(tasks, wanted, session) for tasks in wanted.shapes]
        if wanted.most > 1:
            shapes[0] = _in_packs(shapes[0], wanted, session)
    except Exception as error:
        shapes, failure = [], f"{type(error).__name__}: {error}"
    return Calibrated(shapes=tuple(shapes), seconds=perf_counter() - began_s, failure=failure)


def _alone(tasks: tuple[str, ...], wanted: Calibrate, session: Session) -> ShapeTimes:
    """Steps and epochs of one run in the solo engine."""
    pack = _pack([_job(0, tasks)], wanted)
    short, whole = _shortened(session, wanted), session.sources
    run = SoloRun(pack.jobs[0], pack, short)
    step_s = _step_s(run.train_epoch, wanted, short)
    evaluation_s = _timed(lambda: run.evaluate("validation"), short)
    n_steps = _epoch.n_steps(session, wanted.training)
    share = whole["validation"].size / short.sources["validation"].size
    return ShapeTimes(
        tasks=tasks,
        epoch_s=n_steps * step_s + share * evaluation_s,
        run_step_ms={1: 1_000 * step_s},
        pack_size=1,
    )


def _in_packs(alone: ShapeTimes, wanted: Calibrate, session: Session) -> ShapeTimes:
    """Steps of packs of growing size, and the smallest size that is nearly the best."""
    times: dict[int, float] = {}
    for size in _sizes(_fitting(alone.tasks, wanted, session)):
        try:
            times[size] = _run_step_ms(size, alone.tasks, wanted, session)
        except torch.OutOfMemoryError:
            break
        if times[size] > _LOSS * min(times.values()):
            break
    enough_ms = _NEARLY * min(times.values(), default=0.0)
    best = next((size for size, ms in times.items() if ms <= enough_ms), 1)
    return replace(alone, run_step_ms={**alone.run_step_ms, **times}, pack_size=best)


def _sizes(most: int) -> Iterator[int]:
    """2, 8, 32, ... and the largest one."""
    size = 2
    while size < most:
        yield size
        size *= 4
    yield max(most, 2)


def _run_step_ms(size: int, tasks: tuple[str, ...], wanted: Calibrate, session: Session) -> float:
    """A training step of a pack divided by its runs, in ms."""
    pack, short = _pack([_job(k, tasks) for k in range(size)], wanted), _shortened(session, wanted)
    network = build_network(session.problem, tasks, Key("calibration")).to(session.device)
    opening = Opening(network, wanted.training, short)
    stack = Stack(
        [opening.member(job, lambda _skipped: None) for job in pack.jobs],
        Forward(network, task_functions(session.problem, tasks), wanted.training.precision),
        pack=pack,
        session=short,
        n_ghosts=known_ghosts(session, tasks, wanted.training),
    )
    return 1_000 * _step_s(stack.train_epoch, wanted, short) / size


def _fitting(tasks: tuple[str, ...], wanted: Calibrate, session: Session) -> int:
    """The largest pack that stays within the memory, by what one run of it takes."""
    network = build_network(session.problem, tasks, Key("calibration")).to(session.device)
    functions = task_functions(session.problem, tasks)
    forward = Forward(network, functions, wanted.training.precision)
    params = trained_parameters(network)
    n_bytes = sum(p.numel() * p.element_size() for p in params.values())
    kept = 3 + len(slots(wanted.training))  # the parameters, their gradients twice, and slots
    batch = next(_epoch.batches(_shortened(session, wanted), wanted.training, Key("c"), 1))
    activations = _activation_bytes(forward, batch)
    larger = max(1.0, wanted.training.eval_batch_size / wanted.training.batch_size)
    per_run = kept * n_bytes + 2 * activations * larger
    room = pack_memory_bytes(session.device, wanted.memory_gib, sharers=wanted.sharers)
    return max(1, min(wanted.most, int(room / max(per_run, 1.0))))


def _activation_bytes(forward: Forward, batch: Batch) -> float:
    """What a forward pass keeps for the backward pass, per run."""
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    params = repeated(trained_parameters(forward.network), 2)
    leaves = {name: value.requires_grad_() for name, value in params.items()}
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        forward.losses(leaves, repeated(carried_tensors(forward.network), 2), batch)
    return sum(sizes.values()) / 2


@dataclass(frozen=True, slots=True)
class _First:
    """The first samples of a source."""

    source: Source
    size: int

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """Batches of these samples only."""
        chosen = torch.arange(self.size) if order is None else order
        return self.source.batches(chosen, batch_size, key)


def _shortened(session: Session, wanted: Calibrate) -> Session:
    """The session with as many samples as the timed steps take."""
    wished = {
        "train": _STEPS * wanted.training.batch_size,
        "validation": wanted.training.eval_batch_size,
        "test": wanted.training.eval_batch_size,
    }
    sources = {
        split: _First(source, min(source.size, wished[split]))
        for split, source in session.sources.items()
    }
    return replace(session, sources=sources)


def _step_s(train_epoch: Callable[[], object], wanted: Calibrate, short: Session) -> float:
    """A step of a shortened epoch, undisturbed and warm: the fastest of a few."""
    fastest_s = min(_timed(train_epoch, short) for _ in range(1 + _REPEATS))
    return fastest_s / _epoch.n_steps(short, wanted.training)


def _timed(work: Callable[[], object], session: Session) -> float:
    session.synchronize()
    began_s = perf_counter()
    work()
    session.synchronize()
    return perf_counter() - began_s


def _pack(jobs: Sequence[Job], wanted: Calibrate) -> Pack:
    return Pack(
        problem=wanted.problem,
        training=wanted.training,
        seed=0,
        until_epoch=wanted.training.epochs,
        jobs=tuple(jobs),
    )


def _job(number: int, tasks: tuple[str, ...]) -> Job:
    return Job(run=number, token=0, weighting="ew", tasks=tasks, lr=1e-3)
