"""How long steps take, alone and in packs: chooses the pack size, never the engine.

Shapes: K runs of a pack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import perf_counter

import torch
from torch import Tensor

from trainers.engines import one_epoch
from trainers.engines.fused.forward import (
    Forward,
    carried_tensors,
    repeated,
    task_functions,
    trained_parameters,
)
from trainers.engines.fused.member import MemberFactory
from trainers.engines.fused.padding import n_padding_rows_of
from trainers.engines.fused.stack import Stack
from trainers.engines.pace import Shortened, paced, whole_epoch_s
from trainers.engines.session import Session
from trainers.engines.solo.engine import begun
from trainers.engines.solo.lockstep import Lockstep
from trainers.events import Calibrated, ShapeTimes
from trainers.failures import OUT_OF_MEMORY, failure_class, told
from trainers.hardware.gpu import end_if_broken
from trainers.jobs import Calibrate, Job, Pack, Training
from trainers.network import MultiTaskNetwork, build_network
from trainers.optimizers import optimizer
from trainers.protocol import Batch
from trainers.randomness import Key
from trainers.resources import pack_memory_bytes

_REPEATS = 2
_ALONE = 3
"""Repeats of a run alone: the first ones of a process, and the measure of all costs."""
_LOSS = 1.5  # larger packs are not tried any more when a step takes that much longer
_NEARLY = 1.05  # times that differ by less do not count
_SHARE = 0.02
"""What a calibration may take of the time that the planned epochs would take alone."""
_LEAST_S = 1.0
"""What a calibration may take in any case: others, of larger studies, go by it later."""


def calibrate(
    wanted: Calibrate, session: Session, now: Callable[[], float] = perf_counter
) -> Calibrated:
    """Measure training steps of each tuple of tasks alone, and of the first one in packs.

    Packs grow four-fold as long as they fit. All takes a small part of the time that is planned,
    or a few steps: what that does not allow is not timed but estimated, or left out. An error is
    told and not raised: the runs themselves will meet it, and end with it.

    Args:
        now: A clock in s.
    """
    allowance = _Allowance(wanted.run_epochs, now)
    shapes, failure = list[ShapeTimes](), ""
    try:
        for tasks in wanted.shapes:
            shapes.append(_alone(tasks, wanted, session, allowance, shapes[:1]))
        if wanted.most > 1:
            shapes[0] = _in_packs(shapes[0], wanted, session, allowance)
    except BaseException as error:  # a user's problem may raise anything
        end_if_broken(session.device)
        shapes, failure = [], told(error)
    seconds = allowance.spent_s * session.n_devices
    return Calibrated(shapes=tuple(shapes), seconds=seconds, failure=failure)


def _alone(
    tasks: tuple[str, ...],
    wanted: Calibrate,
    session: Session,
    allowance: _Allowance,
    first: Sequence[ShapeTimes],
) -> ShapeTimes:
    """Steps and epochs of one run in the solo engine, which reads its batches for itself.

    Args:
        first: What was timed before of another network, by which this one is estimated if its own
            first steps cost too much.
    """
    if first and not allowance.has(3 * first[0].run_step_ms[1] / 1_000):
        return _estimated(tasks, first[0], wanted.training, session)
    short, training = Shortened(session, wanted.training, allowance.now), wanted.training
    run = _solos(1, tasks, wanted, short)
    trained = paced(run, training, short, allowance.has, repeats=_ALONE)
    judged = short.pace(lambda: run.evaluate("validation"), "validation", training.eval_batch_size)
    epoch_s = whole_epoch_s(trained, judged, session, training)
    if not first:
        allowance.plan(epoch_s)
    return ShapeTimes(
        tasks=tasks, epoch_s=epoch_s, run_step_ms={1: 1_000 * trained.batch_s}, pack_size=1
    )


def _estimated(
    tasks: tuple[str, ...], first: ShapeTimes, training: Training, session: Session
) -> ShapeTimes:
    """Times of a network by those of another one and the operations of both."""
    of, other = (session.epoch_flops(names, training) for names in (tasks, first.tasks))
    part = of / other if other else 1.0
    return ShapeTimes(
        tasks=tasks,
        epoch_s=part * first.epoch_s,
        run_step_ms={1: part * first.run_step_ms[1]},
        pack_size=1,
    )


def _network(tasks: tuple[str, ...], session: Session) -> MultiTaskNetwork:
    return build_network(session.problem, tasks, Key("calibration")).to(session.device)


def _in_packs(
    alone: ShapeTimes, wanted: Calibrate, session: Session, allowance: _Allowance
) -> ShapeTimes:
    """Steps of packs of growing size, and the smallest size that is nearly the best."""
    times: dict[int, float] = {}
    for size in _sizes(_fitting(alone.tasks, wanted, session)):
        run_step_ms = min(times.values(), default=alone.run_step_ms[1])
        if times and not allowance.has(2 * size * run_step_ms / 1_000):
            break
        try:
            times[size] = _run_step_ms(size, alone.tasks, wanted, session, allowance)
        except Exception as error:
            if failure_class(error) != OUT_OF_MEMORY:
                raise
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


def _run_step_ms(
    size: int,
    tasks: tuple[str, ...],
    wanted: Calibrate,
    session: Session,
    allowance: _Allowance,
) -> float:
    """A training step of a pack divided by its runs, in ms."""
    short = Shortened(session, wanted.training, allowance.now)
    team: Lockstep | Stack
    if wanted.engine == "solo":
        team = _solos(size, tasks, wanted, short)
    else:
        n_padding_rows = n_padding_rows_of(session, tasks, wanted.training)
        team = _stack(size, tasks, wanted, short, n_padding_rows=n_padding_rows)
    pace = paced(team, wanted.training, short, allowance.has, repeats=_REPEATS)
    return 1_000 * pace.batch_s / size


def _solos(size: int, tasks: tuple[str, ...], wanted: Calibrate, short: Shortened) -> Lockstep:
    pack = _pack(size, tasks, wanted)
    runs = [begun(job, pack, short.session) for job in pack.jobs]
    return Lockstep(runs, short.session, wanted.training)


def _stack(
    size: int, tasks: tuple[str, ...], wanted: Calibrate, short: Shortened, *, n_padding_rows: int
) -> Stack:
    pack, session = _pack(size, tasks, wanted), short.session
    network = _network(tasks, session)
    opening = MemberFactory(network, wanted.training)
    return Stack(
        [opening.member(job, lambda _skipped: None) for job in pack.jobs],
        Forward(network, task_functions(session.problem, tasks), wanted.training.precision),
        pack=pack,
        session=session,
        n_padding_rows=n_padding_rows,
    )


def _fitting(tasks: tuple[str, ...], wanted: Calibrate, session: Session) -> int:
    """The largest pack that stays within the memory, by what one run of it takes.

    Runs in step take their steps one after the other: one at a time has activations.
    """
    network = _network(tasks, session)
    n_bytes = sum(p.numel() * p.element_size() for p in trained_parameters(network).values())
    method, n_tasks = optimizer(wanted.training.optimizer, wanted.training.folder), len(tasks)
    copies = [n_tasks if of.per_task else 1 for of in method.kept(wanted.training)]
    gradients = n_tasks if method.splits_tasks(wanted.training) else 1
    per_run: float = (2 + gradients + sum(copies)) * n_bytes  # with parameters, gradients twice
    if wanted.engine == "fused":
        functions = task_functions(session.problem, tasks)
        forward = Forward(network, functions, wanted.training.precision)
        short = Shortened(session, wanted.training, perf_counter).session
        batch = next(one_epoch.batches(short, wanted.training, Key("c"), 1))
        larger = max(1.0, wanted.training.eval_batch_size / wanted.training.batch_size)
        per_run += 2 * _activation_bytes(forward, batch) * larger
    room = pack_memory_bytes(session.device, wanted.memory_gib, share=session.memory_share)
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


def _pack(size: int, tasks: tuple[str, ...], wanted: Calibrate) -> Pack:
    jobs = (Job(run=run, token=0, weighting="ew", tasks=tasks, lr=1e-3) for run in range(size))
    return Pack(
        problem=wanted.problem,
        training=wanted.training,
        seed=0,
        until_epoch=wanted.training.epochs,
        jobs=tuple(jobs),
        engine=wanted.engine,
    )


class _Allowance:
    """Time that may still be spent on timing: a small part of what it plans for.

    Args:
        run_epochs: Epochs of all runs that are planned.

    Attributes:
        now: A clock in s.
    """

    def __init__(self, run_epochs: int, now: Callable[[], float]) -> None:
        self._run_epochs, self.now = run_epochs, now
        self._began_s = now()
        self._limit_s = _LEAST_S

    @property
    def spent_s(self) -> float:
        """Time since the beginning."""
        return self.now() - self._began_s

    def plan(self, epoch_s: float) -> None:
        """Set the limit by what an epoch of a run takes."""
        self._limit_s = max(_LEAST_S, _SHARE * self._run_epochs * epoch_s)

    def has(self, seconds: float) -> bool:
        """Whether so much may still be spent."""
        return self.spent_s + seconds <= self._limit_s
