"""Runs whose optimiser keeps something of each task's own gradient.

Shapes: T tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.engines.solo.run import SoloRun
from trainers.parts import part
from trainers.protocol import Batch


class PerTaskRun(SoloRun):
    """A run that shows its optimiser the gradient of each task's weighted loss."""

    def _step(self, batch: Batch, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        losses = self._losses_apart(batch)
        detached = torch.stack(losses).detach()
        weights, learned = self._weigh(detached, noise)
        terms = [loss * weight for loss, weight in zip(losses, weights, strict=True)]
        self.optimizer.zero_grad(set_to_none=True)
        by_task = self._gradients(terms) if self._learns else {}
        for param, gradients in by_task.items():
            param.grad = gradients.sum(0)
        self._take_step(learned, by_task)
        return detached.detach(), weights

    def _gradients(self, terms: list[Tensor]) -> dict[Tensor, Tensor]:
        """Gradients ``[T, *shape]`` of one term a task, for each parameter that is reached."""
        params = [param for param in self.network.parameters() if param.requires_grad]
        found = []
        with part("backward pass"):
            for place, term in enumerate(terms, start=1):
                more = place < len(terms)
                found.append(
                    torch.autograd.grad(term, params, retain_graph=more, allow_unused=True)
                )
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
