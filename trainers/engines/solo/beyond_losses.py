"""Runs that see more of a step than its losses: each task's gradient, or the batch again after it.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor

from trainers.engines import masks
from trainers.engines.fused.forward import losses_apart
from trainers.engines.session import Session
from trainers.engines.solo.run import SoloRun
from trainers.engines.stepping import densify, gradients_apart
from trainers.errors import NoSharedPart
from trainers.jobs import Job, Pack
from trainers.network import MultiTaskNetwork
from trainers.parts import part
from trainers.protocol import Batch
from trainers.reading import owned
from trainers.weightings.levels import AfterStepWeighting, GradientWeighting


class _ApartRun(SoloRun):
    """A run that differentiates each task's weighted loss by itself."""

    def _weighted(
        self, batch: Batch, noise: Tensor | None
    ) -> tuple[Tensor, Tensor, list[Tensor], list[Tensor]]:
        """Detached losses and weights ``[T]``, their products, and the weighting's gradients."""
        with self._cast():
            outputs = self.network(batch.inputs)
            losses = losses_apart(outputs, batch.targets, self.functions, self.there)
        detached = torch.stack(losses).detach()
        weights, learned = self._weigh(detached, noise)
        self.optimizer.zero_grad(set_to_none=True)
        terms = [loss * weight for loss, weight in zip(losses, weights, strict=True)]
        return detached.detach(), weights, terms, learned


class GradientRun(_ApartRun):
    """A run whose trunk follows an update that is made from each task's own gradient.

    Each head follows the gradient of its own task. What is recorded as a task's weight is how much
    of its loss's gradient is in the trunk's update.
    """

    weighting: GradientWeighting

    def __init__(self, job: Job, pack: Pack, session: Session) -> None:
        super().__init__(job, pack, session)
        self._shared = SharedPart(self.network, self.weighting.title)

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        losses, weights, terms, learned = self._weighted(batch, noise)
        gradients = self._shared.gradients(terms)
        with torch.no_grad(), part(f"weighting {self.weighting.name}"):
            update, found = masks.update(
                self.weighting,
                gradients,
                there=self.there,
                hyper=self.hyper,
                params=self.params,
                state=self.state,
                noise=noise,
            )
        self._shared.follow(update)
        densify(self.network.parameters())
        self._take_step(learned)
        return losses, found * weights


class SharedPart:
    """The parameters of the trunk, on which gradients of tasks are compared.

    Args:
        title: Of the weighting that does.

    Raises:
        NoSharedPart: The trunk learns nothing, or a head has a parameter that is not its own.
    """

    def __init__(self, network: MultiTaskNetwork, title: str) -> None:
        self._params = [param for param in network.trunk.parameters() if param.requires_grad]
        self._reached: set[int] = set()
        rule = (
            f"{title} needs a trunk with parameters to learn, on which it compares the tasks' "
            "gradients, and heads with parameters of their own."
        )
        if not self._params:
            raise NoSharedPart(
                f"{rule} This trunk has none. Move what tasks share into `trunk`, or take a "
                "weighting of losses."
            )
        parts = [network.trunk, *network.heads.values()]
        holders = Counter(id(param) for of in parts for param in of.parameters())
        named = network.heads.named_parameters(prefix="heads")
        names = [n for n, param in named if param.requires_grad and holders[id(param)] > 1]
        if names:
            raise NoSharedPart(
                f"{rule} {names[0]} is part of more than one. Move it into `trunk`, or give each "
                "head its own."
            )

    def gradients(self, terms: Sequence[Tensor]) -> Tensor:
        """Gradients ``[T, P]`` of one term a task; each head keeps its own."""
        rows = []
        self._reached.clear()
        for place, term in enumerate(terms, start=1):
            with part("backward pass"):
                torch.autograd.backward(term, retain_graph=place < len(terms))
            densify(self._params)
            rows.append(torch.cat([_flat(param) for param in self._params]))
            for number, param in enumerate(self._params):
                if param.grad is not None:
                    self._reached.add(number)
                    param.grad = None
        return torch.stack(rows)

    def follow(self, update: Tensor) -> None:
        """Take ``[P]`` as the gradient of all that some task's gradient has reached."""
        pieces = torch.split(update, [_real(param).numel() for param in self._params])
        for number in self._reached:
            param, piece = self._params[number], pieces[number]
            param.grad = torch.empty_like(param)
            _real(param.grad).copy_(piece.view_as(_real(param)))


def _flat(param: Tensor) -> Tensor:
    gradient = torch.zeros_like(param) if param.grad is None else param.grad
    return _real(gradient.detach()).reshape(-1)


def _real(tensor: Tensor) -> Tensor:
    """The same memory; a complex number is two real ones."""
    return torch.view_as_real(tensor.detach()) if tensor.is_complex() else tensor.detach()


class PerTaskRun(_ApartRun):
    """A run whose optimiser keeps something of the gradient of each task's weighted loss."""

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        losses, weights, terms, learned = self._weighted(batch, noise)
        by_task = self._gradients(terms) if self._learns else {}
        for param, gradients in by_task.items():
            param.grad = gradients.sum(0)
        self._take_step(learned, by_task)
        return losses, weights

    def _gradients(self, terms: list[Tensor]) -> dict[Tensor, Tensor]:
        """Gradients ``[T, *shape]`` of one term a task, for each parameter that is reached."""
        params = [param for param in self.network.parameters() if param.requires_grad]
        with part("backward pass"):
            found = [*gradients_apart(terms, params)]
        by_param = zip(params, zip(*found, strict=True), strict=True)
        return {
            param: torch.stack([_dense(of, param) for of in of_tasks])
            for param, of_tasks in by_param
            if any(of is not None for of in of_tasks)
        }


def _dense(gradient: Tensor | None, param: Tensor) -> Tensor:
    if gradient is None:
        return torch.zeros_like(param)
    return gradient if gradient.layout == torch.strided else gradient.to_dense()


class AfterStepRun(SoloRun):
    """A run whose weighting sees each batch again after the step."""

    weighting: AfterStepWeighting

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        again = owned(batch)  # a network may change its batch in place
        before, weights = super()._step(batch, noise)
        with torch.no_grad():
            after = self._losses(again)
            with part(f"weighting {self.weighting.name}"):
                self.state = masks.after_step(
                    self.weighting, self.state, before, after, there=self.there, hyper=self.hyper
                )
        return before, weights
