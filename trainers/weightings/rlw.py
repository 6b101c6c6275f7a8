"""RLW, random loss weighting: new weights by chance in every step.

Weight of task k: softmax_k(z), z standard normal; weights sum to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.weightings import MissingNoise, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class RLW(Weighting):
    """A weighted sum with random weights."""

    name = "rlw"
    title = "RLW"
    formula = "sum_k softmax_k(z) L_k, z standard normal in every step"
    also_in = ("LibMTL", "TorchJD")
    paper = (
        "Lin et al., Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task "
        "Learning, TMLR 2022, arXiv 2111.10603"
    )
    noise = True

    def objective(self, losses: Tensor, *, noise: Tensor | None, **_: object) -> Tensor:
        """Randomly weighted sum over tasks: ``[..., T]`` to ``[...]``.

        Raises:
            MissingNoise: `noise` is None.
        """
        if noise is None:
            raise MissingNoise(
                "RLW needs noise in every step. Got None. "
                f"Draw standard normal noise of shape {list(losses.shape)}."
            )
        return (noise.softmax(-1) * losses).sum(-1)
