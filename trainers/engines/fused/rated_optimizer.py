"""One optimiser for all rows of a stack on a GPU: a few kernels, whatever the rates.

PyTorch's fused kernels take one rate for all they change, so that 36 runs of as many rates are 36
calls. A GPU waits longer for those than it works; here rates and decays are columns beside the
rows. On a CPU `_stacked_optimizer` is faster, and its results are those of earlier versions.

Shapes: R rows, W numbers a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.engines.fused.rows import Rows
from trainers.engines.fused.stacked_optimizer import ANY
from trainers.jobs import Job, Training
from trainers.optimizers import learning_rate, optimizer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows that are changed alike.

    Attributes:
        decay: Of each row ``[R, 1]``; None where nothing is decayed.
    """

    rows: Rows
    decay: Tensor | None


class RatedOptimizer:
    """Adam, AdamW or SGD over stacked rows, each with its own rate and decay.

    Args:
        jobs: One a row.
        network: Rows that are decayed.
        learned: Rows of what the weightings learn, which are never decayed.
        steps_done: Steps before this stack was made.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        network: Rows,
        learned: Rows,
        training: Training,
        steps_done: int,
    ) -> None:
        self._training, self._jobs, self._n_steps = training, jobs, steps_done
        self._settings = optimizer_of([{"params": [ANY]}], training, lr=0.0).defaults
        self._like = network.values
        decays = [job.weight_decay for job in jobs]
        decay = self._column(decays) if any(decays) else None
        parts = [Part(rows=network, decay=decay), Part(rows=learned, decay=None)]
        self._parts = [part for part in parts if part.rows.layout.shapes]
        self._rates = self._column([job.lr for job in jobs])

    def begin_epoch(self, epoch: int) -> None:
        """Set the rates of an epoch, counted from 1."""
        schedule, epochs = self._training.schedule, self._training.epochs
        self._rates = self._column(
            [learning_rate(job.lr, schedule, epoch=epoch, epochs=epochs) for job in self._jobs]
        )

    @torch.no_grad()
    def step(self) -> None:
        """Change all rows by their gradients."""
        self._n_steps += 1
        for part in self._parts:
            if self._training.optimizer == "sgd":
                self._descend(part)
            else:
                self._adapt(part)

    def _descend(self, part: Part) -> None:
        change = self._decayed_gradient(part)
        if self._training.momentum:
            kept = part.rows.slots["momentum_buffer"]
            change = kept.mul_(self._training.momentum).add_(change)
        part.rows.values.sub_(change * self._rates)

    def _adapt(self, part: Part) -> None:
        """As in Kingma and Ba (2015); decoupled decay as in Loshchilov and Hutter (2019)."""
        values, slots = part.rows.values, part.rows.slots
        first, second = self._settings["betas"]
        if self._training.optimizer == "adamw" and part.decay is not None:
            values.mul_(1 - self._rates * part.decay)
            gradient = part.rows.grads
        else:
            gradient = self._decayed_gradient(part)
        slots["exp_avg"].lerp_(gradient, 1 - first)
        slots["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        size = (
            (slots["exp_avg_sq"] / (1 - second**self._n_steps)).sqrt_().add_(self._settings["eps"])
        )
        rates = self._rates / (1 - first**self._n_steps)
        values.sub_((slots["exp_avg"] / size).mul_(rates))

    def _decayed_gradient(self, part: Part) -> Tensor:
        grads = part.rows.grads
        return grads if part.decay is None else torch.addcmul(grads, part.rows.values, part.decay)

    def _column(self, values: Sequence[float]) -> Tensor:
        return self._like.new_tensor(values).unsqueeze(1)
