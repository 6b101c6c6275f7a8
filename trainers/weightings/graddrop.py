"""GradDrop: each number of the trunk's gradient takes one sign by chance, and drops the other one.

With P = 1/2 (1 + sum_k g_k / sum_k |g_k|) at each parameter and U uniform in [0, 1], drawn anew in
every step, the parts of the tasks' gradients that are positive are kept where U < P, else those
that are negative, and summed (lines 10 to 15 of algorithm 1). Of a task with a leak l a share of l
passes in any case. As in most other code it is the gradient on the parameters that is dropped,
where the paper drops that on the shared representation.

What is recorded as a task's weight is the share of its gradient, by squares, that has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from zlib import crc32

from trainers.weightings import Hyper, MissingNoise
from trainers.weightings.levels import GradientWeighting

if TYPE_CHECKING:
    from torch import Tensor


class GradDrop(GradientWeighting):
    """The sum of the tasks' gradients, of one sign at each parameter."""

    name = "graddrop"
    title = "GradDrop"
    formula = "sum of g_k, of one sign at each parameter, by chance"
    also_in = ("LibMTL", "TorchJD")
    noise = True
    paper = (
        "Chen et al., Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign "
        "Dropout, NeurIPS 2020, arXiv 2010.06808"
    )
    hypers = (
        Hyper(
            name="leak",
            doc="share of each task's gradient that always passes",
            default=0.0,
            per_task=True,
            low=0.0,
            high=1.0,
        ),
    )

    def update(
        self,
        gradients: Tensor,
        *,
        hyper: Mapping[str, Tensor],
        noise: Tensor | None,
        **_: object,
    ) -> tuple[Tensor, Tensor]:
        """Rows ``[T, P]`` to their masked sum ``[P]``; the noise is what U is drawn from.

        Raises:
            MissingNoise: There is no noise.
        """
        if noise is None:
            n_tasks = len(gradients)
            raise MissingNoise(
                f"GradDrop needs standard normal noise of shape [{n_tasks}, {n_tasks}]. Got none. "
                "Draw it anew for every step."
            )
        total = gradients.abs().sum(0)
        purity = 0.5 * (1 + gradients.sum(0) / total.where(total > 0, total.new_ones(())))
        positive = purity > _uniform(gradients[0], noise)
        leak = hyper["leak"].to(gradients.dtype).unsqueeze(-1)
        passed = gradients * (leak + (1 - leak) * ((gradients > 0) == positive))
        squares = gradients.square().sum(-1)
        shares = (passed * gradients).sum(-1) / squares.where(squares > 0, squares.new_ones(()))
        return passed.sum(0), shares


def _uniform(like: Tensor, noise: Tensor) -> Tensor:
    """``[P]`` in [0, 1], from a generator whose seed is the noise, and so the step's address."""
    from torch import Generator

    generator = Generator(like.device).manual_seed(crc32(noise.cpu().float().numpy().tobytes()))
    return like.new_empty(like.shape).uniform_(generator=generator)
