"""One run of the solo engine, plain PyTorch.

Shapes: T tasks, B batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import repeat
from typing import Any

import torch
from torch import Tensor

from trainers.engines import masks, one_epoch
from trainers.engines.compiled.compiling import compiled_solo
from trainers.engines.conflicts.meter import ConflictMeter
from trainers.engines.fused.forward import task_functions, task_losses
from trainers.engines.looking.outside import Outside
from trainers.engines.loss_scale import LossScale
from trainers.engines.masks import Present
from trainers.engines.precision import autocast, laid_out
from trainers.engines.session import Session
from trainers.engines.solo.micro_batches import MicroBatch, micro_batches, total
from trainers.engines.stepping import build_optimizer, densify, restore, take_step
from trainers.evaluation import Evaluation, Value
from trainers.jobs import Job, Pack
from trainers.keeping import networks
from trainers.keeping.checkpoints import State
from trainers.network import build_network
from trainers.parts import part
from trainers.protocol import Batch
from trainers.randomness import Key, global_state, set_global_state
from trainers.reading import owned
from trainers.weightings import weighting


class SoloRun:
    """One run's network, optimiser and weighting, given batch after batch.

    Attributes:
        epoch: Epochs it has begun.
        candidates: Networks that its checkpoint has held for it.
        traced: Losses ``[T]`` of each step from now on, where somebody wants them.
        there: The tasks that the batch of the step has valid elements of.
        scale: Of what is differentiated.
        conflicts: Compares gradients, if somebody wants that.
    """

    def __init__(self, job: Job, pack: Pack, session: Session) -> None:
        self.job, self.training, self.session = job, pack.training, session
        self.key = Key(str(pack.seed))
        self.functions = task_functions(session.problem, job.tasks)
        network = build_network(session.problem, job.tasks, self.key / "init")
        self.network = laid_out(network, session.device, pack.training.channels_last)
        self.outside = Outside(self.network, self.functions)
        if job.initial is not None:
            self._begin_from(networks.initial(job.initial, self.network.state_dict()))
        self.compiled = (
            compiled_solo(session, job.tasks, pack.training) if pack.training.compile else None
        )
        self.weighting = weighting(job.weighting, job.folder)
        hyper = self.weighting.checked(job.hyper, len(job.tasks))
        self.hyper = {name: self._tensor(value) for name, value in hyper.items()}
        self.params = {
            name: self._per_task(start).requires_grad_()
            for name, start in self.weighting.params(hyper).items()
        }
        self.state = {
            name: self._per_task(start) for name, start in self.weighting.state(hyper).items()
        }
        self.optimizer = build_optimizer(
            self.network.parameters(), self.params.values(), job=job, training=self.training
        )
        self.scale = LossScale(self.training.precision)
        self.conflicts = (
            ConflictMeter(
                pack.gradients,
                self.network,
                self.functions,
                key=self.key,
                session=session,
                alone=True,
            )
            if pack.gradients is not None
            else None
        )
        self.epoch = 0
        self.candidates: list[State] = []
        self.traced: list[Tensor] | None = None
        self.there: Present = None
        # A network without parameters is a baseline like any other; what has some must use them.
        self._learns = any(param.requires_grad for param in self.network.parameters())

    def begin_epoch(self, n_steps: int) -> None:
        """Let the network train, set the rate of the next epoch and draw its noise."""
        self.epoch, self._n_steps = self.epoch + 1, n_steps
        self.network.train()
        if self.conflicts is not None:
            self.conflicts.begin_epoch(self.epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = one_epoch.learning_rate(
                self.job.lr,
                self.training.schedule,
                epoch=self.epoch,
                epochs=self.training.epochs,
            )
        self._noise = self._noise_of(n_steps)
        self._task_steps = masks.TaskSteps(len(self.job.tasks), n_steps)
        self._loss_sum, self._weight_sum = self._per_task(0.0), self._per_task(0.0)
        self._not_positive = self._per_task(0.0)
        self.scale.n_skipped = 0

    def train_on(self, batch: Batch) -> None:
        """Take one step."""
        if self.conflicts is not None:
            self.conflicts.look(batch, self._tensors)
        self.there = masks.present(batch.targets, self.functions)
        self._note(*self._step(batch, next(self._noise)))

    def end_epoch(self) -> list[Value]:
        """The train values of the epoch."""
        mean_losses, there = self._task_steps.mean(self._loss_sum), self._task_steps.present
        self.state = masks.end_epoch(self.weighting, self.state, mean_losses, there)
        return one_epoch.train_values(
            self.job.tasks,
            mean_losses.tolist(),
            self._task_steps.mean(self._weight_sum).tolist(),
            self._not_positive.tolist(),
            there,
            n_skipped=self.scale.n_skipped,
        )

    def _note(self, losses: Tensor, weights: Tensor) -> None:
        """Add the detached losses and weights ``[T]`` of a step to those of the epoch."""
        self._task_steps.note(self.there)
        self._loss_sum += losses
        if self.traced is not None:
            self.traced.append(losses)
        self._weight_sum += weights
        if self.weighting.positive:
            self._not_positive += masks.not_positive(losses, self.there)

    def begin_split(self) -> None:
        """Let the network evaluate, until the next epoch begins."""
        self._evaluation = Evaluation(self.network, self.functions)

    def judge_on(self, batch: Batch) -> None:
        """Take a batch into the losses and metrics."""
        with self._cast():
            self._evaluation.add(batch)

    def end_split(self, split: str) -> list[Value]:
        """Losses and metrics on the whole split."""
        return self._evaluation.values(split)

    def state_dict(self) -> State:
        """What it goes on from after an epoch."""
        return {
            **self.network_state(),
            "optimizer": self.optimizer.state_dict(),
            "params": {name: value.detach() for name, value in self.params.items()},
            "state": self.state,
            "epoch": self.epoch,
            **self.scale.state(),
        }

    def network_state(self) -> State:
        """The part of it that is the network's."""
        return {"network": self.network.state_dict(), "outside": self.outside.changed()}

    def restore(self, state: State) -> None:
        """Go on from a state; with one that is not its own, raises whatever torch does."""
        self.network.load_state_dict(state["network"])
        self.outside.restore(state.get("outside", {}))  # files of earlier versions have none
        restore(self.optimizer, state["optimizer"])
        with torch.no_grad():
            for name, param in self.params.items():
                param.copy_(state["params"][name])
        self.state = {name: value.to(self.session.device) for name, value in state["state"].items()}
        self.scale.restore(state)
        self.epoch = int(state["epoch"])
        self.candidates = state.get("candidates", [])

    def _begin_from(self, state: State) -> None:
        self.network.load_state_dict(state["network"], strict=False)
        self.outside.restore(state["outside"])

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """One optimiser step; returns losses and loss weights, both ``[T]``, detached.

        The objective is differentiated with respect to the losses first: these derivatives are
        the loss weights, exactly what is recorded, and the seed of the network's backward pass.
        """
        if parts := self._parts(batch):
            losses = self._looked_at(parts)
            weights, gradients = self._weigh(losses.detach(), noise)
            each = (self._losses(of.batch, of.there) * of.shares for of in parts)
            self._descend(((of_part * weights).sum() for of_part in each), gradients)
            return losses.detach(), weights
        losses = self._losses(batch, self.there)
        weights, gradients = self._weigh(losses.detach(), noise)
        # a weighted sum has the same derivatives as `backward(losses, weights)`, which imports a
        # computer algebra system
        self._descend([(losses * weights).sum()], gradients)
        return losses.detach(), weights

    def _parts(self, batch: Batch) -> list[MicroBatch]:
        """The parts in which a batch goes through the network; none if it goes as a whole."""
        size = self.training.micro_batch_size
        return [] if size is None else micro_batches(batch, size, self.functions)

    @torch.no_grad()
    def _looked_at(self, parts: Sequence[MicroBatch]) -> Tensor:
        """Losses ``[T]`` of a batch that is trained on afterwards, in the same parts.

        Weights need the losses of all parts. The network is left as it was, so that each part has
        the same dropout again and running statistics take it in once.
        """
        device, buffers = self.session.device, [*self.network.buffers()]
        draws, before = global_state(device), [of.clone() for of in buffers]
        losses = total(parts, lambda batch, there: self._losses(owned(batch), there))
        set_global_state(draws, device)
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)
        return losses

    def _weigh(self, losses: Tensor, noise: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """Loss weights ``[T]`` of detached losses, and gradients of the weighting's parameters."""
        leaf = losses.requires_grad_()
        with part(f"weighting {self.weighting.name}"):
            objective = masks.objective(
                self.weighting,
                leaf,
                there=self.there,
                hyper=self.hyper,
                params=self.params,
                state=self.state,
                noise=noise,
            )
            weights, *gradients = torch.autograd.grad(objective, [leaf, *self.params.values()])
        return weights, gradients

    def _descend(self, weighted: Iterable[Tensor], gradients: Sequence[Tensor]) -> None:
        """Step down weighted sums of the losses, each made when the one before is done with.

        Args:
            gradients: The weighting's own.
        """
        self.optimizer.zero_grad(set_to_none=True)
        if self._learns:
            for one in weighted:
                with part("backward pass"):
                    torch.autograd.backward(self.scale.scaled(one))
            densify(self.network.parameters())
        if self.scale.take_out(self._gradients()):
            self._take_step(gradients)

    def _gradients(self) -> list[Tensor]:
        """Those of the network's parameters, each ``[*shape]``, as far as they are there."""
        return [param.grad for param in self.network.parameters() if param.grad is not None]

    def _take_step(
        self, gradients: Sequence[Tensor], by_task: Mapping[Tensor, Tensor] | None = None
    ) -> None:
        """Step along the network's gradients; those given are the weighting's own.

        Args:
            by_task: Parameter to gradients ``[T, *shape]``, if the optimiser splits tasks.
        """
        for param, gradient in zip(self.params.values(), gradients, strict=True):
            param.grad = gradient
        if (most := self.training.clip_norm) is not None:
            norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), most)
            for of_tasks in (by_task or {}).values():
                of_tasks.mul_((most / (norm + 1e-6)).clamp(max=1.0))
        take_step(self.optimizer, self.training, by_task)

    def _losses(self, batch: Batch, there: Present) -> Tensor:
        """Task losses ``[T]``, to be differentiated; of those that are not there 0."""
        with self._cast():
            if self.compiled is not None and there is None and self.compiled.takes(batch):
                self.compiled.begin_step()
                return self.compiled(self.network, batch.inputs, batch.targets)
            outputs = self.network(batch.inputs)
            return task_losses(outputs, batch.targets, self.functions, there)

    def _cast(self) -> AbstractContextManager[object]:
        """Surrounds what is computed in the study's precision."""
        return autocast(self.session.device, self.training.precision)

    def _noise_of(self, n_steps: int) -> Iterator[Tensor | None]:
        """The noise of each step of the epoch."""
        if not self.weighting.noise:
            return repeat(None)
        of_pairs = self.weighting.level == "gradient"
        drawn = one_epoch.noise(self.job, self.key, self.epoch, n_steps, of_pairs=of_pairs)
        return iter(drawn.to(self.session.device))

    def _tensors(self) -> dict[str, Tensor]:
        """Parameters and copies of buffers, name to ``[1, *shape]``."""
        params, buffers = self.network.named_parameters(), self.network.named_buffers()
        found = {name: of.detach().unsqueeze(0) for name, of in params}
        return found | {name: of.clone().unsqueeze(0) for name, of in buffers}

    def _tensor(self, value: Any) -> Tensor:
        return torch.tensor(value, dtype=torch.get_default_dtype(), device=self.session.device)

    def _per_task(self, start: float) -> Tensor:
        return self._tensor([start] * len(self.job.tasks))
