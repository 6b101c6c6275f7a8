"""Runs that see more of a step than its losses: each task's gradient, or the batch again after it.

Shapes: T tasks, P shared parameters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from trainers.engines import masks
from trainers.engines.fused.forward import losses_apart
from trainers.engines.masks import Present
from trainers.engines.session import Session
from trainers.engines.solo.micro_batches import total
from trainers.engines.solo.run import SoloRun
from trainers.engines.stepping import densify, gradients_apart
from trainers.errors import NoSharedPart
from trainers.jobs import Job, Pack
from trainers.network import MultiTaskNetwork
from trainers.parts import part
from trainers.protocol import Batch
from trainers.reading import owned
from trainers.weightings.levels import AfterStepWeighting, GradientWeighting, state_shape


class _ApartRun(SoloRun):
    """A run that differentiates each task's weighted loss by itself."""

    def _weighted(
        self, batch: Batch, noise: Tensor | None
    ) -> tuple[Tensor, Tensor, Iterator[list[Tensor]], list[Tensor]]:
        """Detached losses and weights ``[T]``, their products, and the weighting's gradients.

        The products are scaled; of each part of the batch, made when they are asked for.
        """
        parts = self._parts(batch)
        whole = [] if parts else self._apart(batch, self.there)
        detached = (self._looked_at(parts) if parts else torch.stack(whole)).detach()
        weights, learned = self._weigh(detached, noise)
        self.optimizer.zero_grad(set_to_none=True)
        pieces = ((self._apart(of.batch, of.there), weights * of.shares) for of in parts)
        terms = (
            [self.scale.scaled(loss * weight) for loss, weight in zip(losses, by, strict=True)]
            for losses, by in (pieces if parts else [(whole, weights)])
        )
        return detached.detach(), weights, terms, learned

    def _apart(self, batch: Batch, there: Present) -> list[Tensor]:
        """Losses, each ``[]``, to be differentiated one by one."""
        with self._cast():
            outputs = self.network(batch.inputs)
            return losses_apart(outputs, batch.targets, self.functions, there)


class GradientRun(_ApartRun):
    """A run whose trunk follows an update that is made from each task's own gradient.

    Each head follows the gradient of its own task. What is recorded as a task's weight is how much
    of its loss's gradient is in the trunk's update.
    """

    weighting: GradientWeighting

    def __init__(self, job: Job, pack: Pack, session: Session) -> None:
        super().__init__(job, pack, session)
        self._shared = SharedPart(self.network, self.weighting.title)
        self.state = {name: self._of_axes(name, start) for name, start in self.state.items()}

    def _of_axes(self, name: str, of_tasks: Tensor) -> Tensor:
        """The start of what is kept, in the shape that the method says."""
        shape = state_shape(self.weighting, name, len(of_tasks), self._shared.size)
        return of_tasks if len(shape) == 1 else of_tasks[0].expand(shape).clone()

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        losses, weights, terms, learned = self._weighted(batch, noise)
        gradients = self._shared.gradients(terms)
        densify(self.network.parameters())
        if not self.scale.take_out([gradients, *self._gradients()]):
            return losses, weights
        with torch.no_grad(), part(f"weighting {self.weighting.name}"):
            found = masks.gradient_step(
                self.weighting,
                gradients,
                there=self.there,
                losses=losses,
                hyper=self.hyper,
                params=self.params,
                state=self.state,
                noise=noise,
            )
        self.state = dict(found.state)
        self._shared.follow(found.update)
        self._take_step(learned)
        return losses, found.weights * weights


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

    @property
    def size(self) -> int:
        """Numbers in the shared parameters, P."""
        return sum(_real(param).numel() for param in self._params)

    def gradients(self, pieces: Iterable[Sequence[Tensor]]) -> Tensor:
        """Gradients ``[T, P]`` of one term a task in each piece; each head keeps its own."""
        self._reached.clear()
        made = map(self._of_piece, pieces)  # one at a time: that is what parts are for
        total = next(made)
        for of_piece in made:
            total += of_piece
        return total

    def _of_piece(self, terms: Sequence[Tensor]) -> Tensor:
        rows = []
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
        by_task = self._gradients_by_task(terms) if self._learns else {}
        if not self.scale.take_out([*by_task.values()]):
            return losses, weights
        for param, gradients in by_task.items():
            param.grad = gradients.sum(0)
        self._take_step(learned, by_task)
        return losses, weights

    def _gradients_by_task(self, pieces: Iterable[list[Tensor]]) -> dict[Tensor, Tensor]:
        """Gradients ``[T, *shape]`` of one term a task in each piece, for each parameter that is
        reached.
        """
        found: dict[Tensor, Tensor] = {}
        for terms in pieces:
            for param, gradients in self._of_piece(terms).items():
                found[param] = found[param] + gradients if param in found else gradients
        return found

    def _of_piece(self, terms: list[Tensor]) -> dict[Tensor, Tensor]:
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
    """A run whose weighting learns after each step, by the batch seen again if it says so."""

    weighting: AfterStepWeighting

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        # a network may change its batch in place
        again = owned(batch) if self.weighting.forward_passes > 1 else None
        before, weights = super()._step(batch, noise)
        if self.scale.overflowed:  # nothing has changed by which to learn
            return before, weights
        with torch.no_grad():
            after = before if again is None else self._whole_losses(again)
            with part(f"weighting {self.weighting.name}"):
                self.state = masks.after_step(
                    self.weighting, self.state, before, after, there=self.there, hyper=self.hyper
                )
        return before, weights

    def _whole_losses(self, batch: Batch) -> Tensor:
        """Losses ``[T]`` that nobody differentiates."""
        parts = self._parts(batch)
        return total(parts, self._losses) if parts else self._losses(batch, self.there)
