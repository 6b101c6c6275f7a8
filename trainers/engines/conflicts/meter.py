"""Compares gradients every few steps of an epoch, and leaves no trace in the runs.

Shapes: R runs, S samples, T tasks, M = S T gradients of a run, Q pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from time import perf_counter
from typing import TypeAlias

import torch
from torch import Tensor

from trainers.engines.conflicts.linear_trunk import LinearTrunk, NotFlat
from trainers.engines.conflicts.sample_gradients import SampleGradients
from trainers.engines.conflicts.similarities import (
    Products,
    Similarities,
    products,
    similarities,
)
from trainers.engines.session import Session
from trainers.engines.solo.micro_batches import refuse_undivided, some_of
from trainers.errors import LossOverBatch
from trainers.evaluation import batch_size_of
from trainers.gradients import GradientDiagnostics, Measure, Pairing, PairStatistics
from trainers.network import MultiTaskNetwork
from trainers.protocol import Batch, TaskFunctions
from trainers.randomness import Key, global_state, set_global_state

Tensors: TypeAlias = Callable[[], Mapping[str, Tensor]]
"""All parameters and copies of buffers, name to ``[R, *shape]``, made when they are asked for."""

_ROUNDING = 1e-3
"""By so much a mean may lie outside what it is a mean of, relative to the largest."""
_MEASURES: tuple[Measure, ...] = ("cosine", "negative_cosine", "magnitude", "opposite_signs")
_SHARES = (0.025, 0.5, 0.975)
"""Percentiles that are told; between two values they are interpolated."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Similarities ``[R, Q]`` of one step; the first `n_tasks` pairs are of tasks."""

    found: Similarities
    n_tasks: int


class ConflictMeter:
    """Compares gradients of runs of one network that are given the same batches.

    Args:
        network: The template of all, in which nothing changes but that it evaluates meanwhile.
        functions: Losses by task.
        key: Of the runs' seed.
        alone: Whether the network is the one run.

    Attributes:
        seconds: What it has taken since the epoch began.

    Raises:
        NoSharedPart: The network's trunk learns nothing.
    """

    def __init__(
        self,
        wanted: GradientDiagnostics,
        network: MultiTaskNetwork,
        functions: Mapping[str, TaskFunctions],
        *,
        key: Key,
        session: Session,
        alone: bool = False,
    ) -> None:
        self._wanted, self._network, self._functions = wanted, network, functions
        self._gradients = SampleGradients(network, functions)
        self._linear = LinearTrunk(network, functions) if LinearTrunk.fits(network) else None
        self._key, self._session = key / "gradients", session
        self._judged, self._alone = False, alone
        self._places: dict[tuple[int, int], tuple[Tensor, Tensor, int]] = {}
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Forget what the epoch before has come to."""
        self._epoch, self._step = epoch, 0
        self._looks: list[_Look] = []
        self.seconds = 0.0

    def look(self, batch: Batch, tensors: Tensors) -> None:
        """Compare gradients before a step, if it is time to.

        Args:
            batch: Which the step is taken on; its order is random.
            tensors: All parameters of the runs and copies of their buffers, name to
                ``[R, *shape]``.

        Raises:
            LossOverBatch: A loss is no mean over samples.
            TaskMismatch: A tensor of the batch is not ``[B, ...]``.
        """
        step, self._step = self._step, self._step + 1
        if step % self._wanted.every:
            return
        self._session.synchronize()
        began_s, draws = perf_counter(), global_state(self._session.device)
        n_batch = batch_size_of(batch.inputs)
        refuse_undivided(batch, n_batch, asked="[diagnostics] `gradients`")
        some = some_of(batch, 0, min(self._wanted.samples, n_batch))
        self._network.eval()
        try:
            self._compare(some, tensors, self._tasks_of(step))
        finally:
            self._network.train()
            set_global_state(draws, self._session.device)
        self._session.synchronize()
        self.seconds += perf_counter() - began_s

    def statistics(self, n_runs: int) -> list[tuple[PairStatistics, ...]]:
        """What the epoch has come to, of the first runs."""
        began_s = perf_counter()
        found = [tuple(self._of_run(run)) if self._looks else () for run in range(n_runs)]
        self.seconds += perf_counter() - began_s
        return found

    def _tasks_of(self, step: int) -> list[str]:
        """All tasks; of more than are to be compared, some at random."""
        tasks, most = [*self._functions], self._wanted.samples
        if len(tasks) <= most:
            return tasks
        draws = (self._key / self._epoch / step).generator()
        return [
            tasks[place] for place in sorted(torch.randperm(len(tasks), generator=draws)[:most])
        ]

    def _compare(self, batch: Batch, tensors: Tensors, tasks: Sequence[str]) -> None:
        labelled = self._labelled(batch, tasks)
        if not self._judged:
            some = [task for task in tasks if task not in labelled or labelled[task].any()]
            self._refuse_joint(tensors(), batch, some)
            self._judged = True
        first, second, n_tasks = self._pairs(batch_size_of(batch.inputs), len(tasks))
        found = self._products(tensors, batch, tasks)
        alike = similarities(found, first, second, self._gradients.n_coordinates)
        if labelled:
            every = torch.ones(batch_size_of(batch.inputs), dtype=torch.bool, device=first.device)
            have = torch.stack([labelled.get(task, every) for task in tasks], dim=1).flatten()
            alike = replace(alike, exist=alike.exist & (have[first] & have[second]))
        self._looks.append(_Look(alike, n_tasks))

    def _products(self, tensors: Tensors, batch: Batch, tasks: Sequence[str]) -> Products:
        """Products ``[R, M, M]``, on a shorter way where the trunk allows it."""
        if self._linear is not None:
            try:
                of_runs = None if self._alone else tensors()
                return self._linear.products(of_runs, batch, tasks)
            except NotFlat:
                self._linear = None
        found = [products(parts) for parts in self._gradients.parts(tensors(), batch, tasks)]
        return Products(
            inner=torch.cat([of.inner for of in found]),
            opposite=torch.cat([of.opposite for of in found]),
        )

    def _pairs(self, n_samples: int, n_tasks: int) -> tuple[Tensor, Tensor, int]:
        key = n_samples, n_tasks
        if key not in self._places:
            first, second, n = pairs(n_samples, n_tasks)
            device = self._session.device
            places = torch.tensor(first, device=device), torch.tensor(second, device=device)
            self._places[key] = *places, n
        return self._places[key]

    def _labelled(self, batch: Batch, tasks: Sequence[str]) -> dict[str, Tensor]:
        """Which samples ``[S]`` have valid elements, of each task that counts these."""
        n_samples, device = batch_size_of(batch.inputs), self._session.device
        found = {}
        for task in tasks:
            count = self._functions[task].valid_elements
            if count is None:
                continue
            singles = (some_of(batch, at, at + 1) for at in range(n_samples))
            found[task] = torch.stack([count(one.targets[task]) > 0 for one in singles]).to(device)
        return found

    def _refuse_joint(
        self, tensors: Mapping[str, Tensor], batch: Batch, tasks: Sequence[str]
    ) -> None:
        """Refuse losses whose value of several samples is no mean of those of single ones.

        Raises:
            LossOverBatch: It lies outside their range.
        """
        for task, (whole, singles) in self._gradients.losses(tensors, batch, tasks).items():
            finite = [loss for loss in singles if math.isfinite(loss)]
            if not finite or not math.isfinite(whole):
                continue
            slack = _ROUNDING * max(abs(whole), *map(abs, finite), 1e-6)
            if not min(finite) - slack <= whole <= max(finite) + slack:
                raise LossOverBatch(
                    "`gradients` of [diagnostics] takes gradients of single samples, so a loss "
                    f"must be a mean over samples. That of task {task} is {whole:.6g} for "
                    f"{len(singles)} samples together, and {min(finite):.6g} to {max(finite):.6g} "
                    "for each alone. Drop `gradients`, or let the loss be a mean."
                )

    def _of_run(self, run: int) -> Iterator[PairStatistics]:
        """Of pairs of tasks, if there are several, then of samples."""
        n_tasks = [look.n_tasks for look in self._looks]
        if len(self._functions) > 1:
            yield from self._of_pairs("tasks", run, [slice(0, n) for n in n_tasks])
        yield from self._of_pairs("samples", run, [slice(n, None) for n in n_tasks])

    def _of_pairs(
        self, pairing: Pairing, run: int, places: Sequence[slice]
    ) -> Iterator[PairStatistics]:
        looks = [*zip((look.found for look in self._looks), places, strict=True)]
        cosine, magnitude, opposite, exist = (
            torch.cat([getattr(found, name)[run, of] for found, of in looks])
            for name in ("cosine", "magnitude", "opposite", "exist")
        )
        values = torch.stack([cosine, (cosine < 0).to(cosine.dtype), magnitude, opposite])
        known = values[:, exist].double().cpu().sort(dim=1).values
        n_pairs = known.shape[1]
        for measure, row in zip(_MEASURES, _described(known), strict=True):
            yield PairStatistics(
                pairing=pairing,
                measure=measure,
                n_pairs=n_pairs,
                n_left_out=len(exist) - n_pairs,
                one_by_one=self._gradients.one_by_one,
                **row,
            )


def pairs(n_samples: int, n_tasks: int) -> tuple[list[int], list[int], int]:
    """Both places of all pairs among S T gradients, and how many pairs are of tasks.

    Tasks of a sample lie side by side. Pairs of tasks come first.
    """
    of_tasks = [
        (sample * n_tasks + one, sample * n_tasks + other)
        for sample in range(n_samples)
        for one, other in combinations(range(n_tasks), 2)
    ]
    of_samples = [
        (one * n_tasks + task, other * n_tasks + task)
        for task in range(n_tasks)
        for one, other in combinations(range(n_samples), 2)
    ]
    pairs = [*of_tasks, *of_samples]
    return [one for one, _ in pairs], [other for _, other in pairs], len(of_tasks)


def _described(rising: Tensor) -> list[dict[str, float]]:
    """Mean, sd and percentiles of each row ``[4, Q]``; nothing of none."""
    n_pairs = rising.shape[1]
    if not n_pairs:
        return [{} for _ in rising]
    places = torch.tensor(_SHARES, dtype=rising.dtype) * (n_pairs - 1)
    below = places.long()
    above = (below + 1).clamp(max=n_pairs - 1)
    found = torch.lerp(rising[:, below], rising[:, above], places - below)
    columns = [rising.mean(1, keepdim=True), rising.std(1, correction=0, keepdim=True), found]
    names = ("mean", "sd", "low", "median", "high")
    return [dict(zip(names, row, strict=True)) for row in torch.cat(columns, dim=1).tolist()]
