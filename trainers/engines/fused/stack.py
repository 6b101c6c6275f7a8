"""K runs as one model: stacked parameters, one forward pass, one optimiser.

Shapes: K runs, R rows (the runs, then padding rows), T tasks.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from trainers.engines import masks, one_epoch
from trainers.engines.compiled.blocks import Blocks, Whole, filled
from trainers.engines.compiled.compiling import compiled_stack
from trainers.engines.conflicts.meter import ConflictMeter
from trainers.engines.fused.forward import Forward, carried_tensors, repeated, trained_parameters
from trainers.engines.fused.long_lived import Places, Stored
from trainers.engines.fused.member import Member
from trainers.engines.fused.rows import RowLayout, Rows
from trainers.engines.fused.stack_evaluation import StackEvaluation
from trainers.engines.fused.stack_states import (
    Store,
    buffers_outside,
    fill,
    network_copies,
    network_keys,
    states,
)
from trainers.engines.fused.stacked_optimizers import GroupedOptimizer, RatedOptimizer
from trainers.engines.fused.weighting_rows import weighed
from trainers.engines.masks import Present
from trainers.engines.session import Session
from trainers.engines.stepping import grad_evals, gradients_apart
from trainers.evaluation import Value
from trainers.gradients import PairStatistics
from trainers.hardware import gpu
from trainers.jobs import Job, Pack
from trainers.keeping.checkpoints import State
from trainers.keeping.networks import NetworkCopy
from trainers.optimizers import optimizer
from trainers.protocol import Batch
from trainers.randomness import Key


class Stack:
    """Runs of the same tasks that stand at the same epoch, between two epochs.

    An exception in it is one of all its runs.

    Args:
        members: At least one.
        forward: The network they share, freshly initialised.
        n_padding_rows: Rows that repeat the last run.

    Attributes:
        members: The runs, in the order of the rows: equal rates lie side by side, on a GPU equal
            weightings first of all.
    """

    def __init__(
        self,
        members: Sequence[Member],
        forward: Forward,
        *,
        pack: Pack,
        session: Session,
        n_padding_rows: int,
    ) -> None:
        few = gpu.wants_few_kernels(session.device)
        self.members = sorted(members, key=_by_weighting if few else _by_rate)
        self.epoch = self.members[0].epoch
        self._traced: list[Tensor] = []
        self._forward, self._training, self._session = forward, pack.training, session
        self._pack, self._n_padding_rows = pack, n_padding_rows
        self._key = Key(str(pack.seed))
        method = optimizer(pack.training.optimizer, pack.training.folder)
        self._kept, self._splits_tasks = (
            method.kept(pack.training),
            method.splits_tasks(pack.training),
        )
        self._tasks = self.members[0].job.tasks
        # A stack of one would take other kernels than a stack of many.
        n_rows = pack.rows or max(len(members) + n_padding_rows, 2)
        if pack.training.compile:
            n_rows = filled(n_rows)
        rows = [*self.members, *[self.members[-1]] * (n_rows - len(members))]
        self.trace(())
        self._weighed = weighed(rows, session.device)
        self._store = self._filled(rows)
        kind = RatedOptimizer if few else GroupedOptimizer
        self._optimizer = kind(
            [member.job for member in rows],
            network=self._store.network,
            learned=self._store.learned,
            training=pack.training,
            steps_done=self._steps_done,
        )
        self._evaluation = StackEvaluation(forward, n_members=len(self.members))
        own = self._store.network, self._store.carried
        self._whole, self._blocks = Whole(forward, *own), None
        if pack.training.compile:
            compiled = compiled_stack(session, self._tasks, pack.training)
            self._blocks = Blocks(compiled, forward, *own)
        self._conflicts = (
            ConflictMeter(
                pack.gradients, forward.network, forward.functions, key=self._key, session=session
            )
            if pack.gradients is not None
            else None
        )

    @property
    def jobs(self) -> Sequence[Job]:
        """The runs, in the order of the rows."""
        return [member.job for member in self.members]

    @property
    def flops(self) -> Sequence[float]:
        """Estimated operations of an epoch of each run."""
        return [self._session.epoch_flops(self._tasks, self._training)] * len(self.members)

    @property
    def grad_evals(self) -> Sequence[int]:
        """Gradients through the trunk in a step of each run."""
        return [
            grad_evals(member.weighting, self._training, len(self._tasks))
            for member in self.members
        ]

    def trace(self, runs: Container[int]) -> None:
        """Note the losses of these runs in each step from now on."""
        rows = [row for row, member in enumerate(self.members) if member.job.run in runs]
        self._watched, self._traced = torch.tensor(rows, device=self._session.device), []

    def traced(self) -> dict[int, list[list[float]]]:
        """What was noted, ``[N, T]`` by run; then no more is."""
        steps, rows = [losses.tolist() for losses in self._traced], self._watched.tolist()
        self.trace(())
        return {
            self.members[row].job.run: [step[place] for step in steps]
            for place, row in enumerate(rows)
        }

    def train_epoch(self) -> tuple[list[list[Value]], int]:
        """Train one epoch; returns each run's train values and the number of steps."""
        self.epoch += 1
        self._forward.network.train()
        self._optimizer.begin_epoch(self.epoch)
        if self._conflicts is not None:
            self._conflicts.begin_epoch(self.epoch)
        n_steps = one_epoch.n_steps(self._session, self._training)
        for part in self._weighed:
            part.begin_epoch(self._key, self.epoch, n_steps)
        n_rows = len(self._store.network.values)
        loss_sum, weight_sum, not_positive = (
            torch.zeros(n_rows, len(self._tasks), device=self._session.device) for _ in range(3)
        )
        counting = any(member.weighting.positive for member in self.members)
        batches = one_epoch.batches(
            self._session, self._training, self._key, self.epoch, self._tasks
        )
        task_steps = masks.TaskSteps(len(self._tasks), n_steps)
        for step, batch in enumerate(batches):
            if self._conflicts is not None:
                self._conflicts.look(batch, self._tensors)
            there = masks.present(batch.targets, self._forward.functions)
            losses, weights = self._step(batch, step, there)
            task_steps.note(there)
            loss_sum += losses
            if len(self._watched):
                self._traced.append(losses.index_select(0, self._watched))
            weight_sum += weights
            if counting:
                not_positive += masks.not_positive(losses, there)
        mean_losses = task_steps.mean(loss_sum)
        for part in self._weighed:
            part.end_epoch(mean_losses, task_steps.present)
        columns = (mean_losses, task_steps.mean(weight_sum), not_positive)
        told = zip(self.members, *(column.tolist() for column in columns), strict=False)
        values = [
            one_epoch.train_values(
                self._tasks,
                losses,
                weights,
                counts if member.weighting.positive else (),
                task_steps.present,
            )
            for member, losses, weights, counts in told
        ]
        return values, n_steps

    def conflicts(self) -> tuple[list[tuple[PairStatistics, ...]], float]:
        """How alike gradients were in the epoch, if asked; and the seconds this took for all."""
        if self._conflicts is None:
            return [()] * len(self.members), 0.0
        return self._conflicts.statistics(len(self.members)), self._conflicts.seconds

    def evaluate(self, split: str) -> list[list[Value]]:
        """Losses and metrics of each run on one split."""
        return self._evaluation.values(
            self._store.network.leaves,
            self._store.carried,
            self._session.sources[split],
            split=split,
            batch_size=self._training.eval_batch_size,
        )

    def states(self) -> list[State]:
        """Each run's state as the solo engine has it; views of the stack, not copies."""
        return states(
            self._store,
            self.members,
            self._weighed,
            training=self._training,
            epoch=self.epoch,
            steps=self._steps_done,
        )

    def networks(self, runs: Container[int]) -> dict[int, NetworkCopy]:
        """Copies of the networks of these runs as they are now, on the CPU."""
        rows = {m.job.run: row for row, m in enumerate(self.members) if m.job.run in runs}
        return dict(zip(rows, network_copies(self._store, [*rows.values()]), strict=True))

    def kept(self, runs: Container[int]) -> Stack:
        """The stack of those runs only, which go on as if the others had never been there."""
        states = zip(self.members, self.states(), strict=True)
        members = [replace(m, state=state) for m, state in states if m.job.run in runs]
        return Stack(
            members,
            self._forward,
            pack=self._pack,
            session=self._session,
            n_padding_rows=self._n_padding_rows,
        )

    @property
    def _steps_done(self) -> int:
        return self.epoch * one_epoch.n_steps(self._session, self._training)

    def _step(self, batch: Batch, step: int, there: Present = None) -> tuple[Tensor, Tensor]:
        """One optimiser step; returns losses and loss weights, both ``[R, T]``, detached."""
        store = self._store
        way: Whole | Blocks = self._whole
        apart: list[Tensor] = []
        if self._splits_tasks:
            apart = self._whole.losses_apart(batch, there)
            losses = torch.stack(apart, dim=1)
        elif there is None and self._blocks and self._blocks.takes(batch):
            way = self._blocks
            losses = way.losses(batch)
        else:
            losses = self._whole.losses(batch, there)
        detached = losses.detach()
        weights = torch.empty_like(detached)
        for part in self._weighed:
            part.weigh(detached, weights, store.learned, step, there)
        # `grad(losses, leaves, weights)` has the same derivatives and imports a computer algebra
        # system
        if apart:
            terms = [loss * weight for loss, weight in zip(apart, weights.T, strict=True)]
            _differentiate_apart(terms, store.network)
        else:
            gradients = torch.autograd.grad((losses * weights).sum(), way.leaves)
            torch._foreach_copy_(way.gradients, gradients)
        if self._training.clip_norm is not None:
            _clip(store.network.grads, self._training.clip_norm)
        self._optimizer.step()
        return detached, weights

    def _tensors(self) -> dict[str, Tensor]:
        """The members' parameters and copies of their buffers, name to ``[K, *shape]``."""
        n_runs, store = len(self.members), self._store
        found = {name: of.detach()[:n_runs] for name, of in store.network.leaves.items()}
        return found | {name: of[:n_runs].clone() for name, of in store.carried.items()}

    def _filled(self, rows: Sequence[Member]) -> Store:
        """The members' parameters and what their optimisers keep, in rows."""
        network = self._forward.network
        per_task = (len(self._tasks),)
        learned = {name: per_task for m in rows for name in m.weighting.params(m.hyper)}
        shapes = {name: tuple(p.shape) for name, p in trained_parameters(network).items()}

        def made() -> Stored:
            own = self._rows(shapes, len(rows), n_tasks=len(self._tasks))
            return own, repeated(carried_tensors(network), len(rows))

        recorded = self._training.compile and gpu.wants_few_kernels(self._session.device)
        places = self._session.places if recorded else Places()
        own, carried = places.take(self, self._tasks, (shapes, len(rows), self._kept), made)
        store = Store(
            network=own,
            learned=self._rows(learned, len(rows)),
            carried=carried,
            keys=network_keys(network),
            outside=buffers_outside(network),
            order=[name for name, _ in network.named_parameters()],
        )
        fill(store, rows, network)
        return store

    def _rows(
        self, shapes: Mapping[str, tuple[int, ...]], n_rows: int, *, n_tasks: int = 1
    ) -> Rows:
        device = self._session.device
        layout = RowLayout.on(device, shapes)
        return Rows(layout, n_rows=n_rows, kept=self._kept, device=device, n_tasks=n_tasks)


def _by_rate(member: Member) -> tuple[object, ...]:
    return member.job.lr, member.job.weight_decay


def _by_weighting(member: Member) -> tuple[object, ...]:
    return member.weighting.name, member.job.lr, member.job.weight_decay


def _differentiate_apart(terms: Sequence[Tensor], rows: Rows) -> None:
    """Set the rows' gradients of each task to those of its term ``[R]``."""
    leaves, sums = [*rows.leaves.values()], [term.sum() for term in terms]
    for found, into in zip(gradients_apart(sums, leaves), rows.by_task, strict=True):
        for gradient, of in zip(found, into.values(), strict=True):
            of.zero_() if gradient is None else of.copy_(gradient)


def _clip(gradients: Tensor, clip_norm: float) -> None:
    """Shorten each row ``[R, W]`` to a norm of `clip_norm` at most, as `clip_grad_norm_` does.

    Of gradients by task ``[T, R, W]``, it is the sum that is.
    """
    whole = gradients if gradients.dim() == 2 else gradients.sum(0)
    norms = torch.linalg.vector_norm(whole, dim=1, keepdim=True)
    gradients.mul_((clip_norm / (norms + 1e-6)).clamp(max=1.0))
