"""SI, scale-invariant weighting: the plain sum of the losses' logarithms.

Weight of task k: 1 / L_k, as in UW-O, of which it has the gradient; recorded objectives differ. A
loss that is measured in another unit changes nothing. Losses are assumed to be positive; one below
1e-8 is taken as 1e-8, and not trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.weightings import EPS, Weighting

if TYPE_CHECKING:
    from torch import Tensor


class SI(Weighting):
    """The sum of the losses' logarithms."""

    name = "si"
    title = "SI"
    formula = "sum_k log L_k"
    positive = True
    paper = (
        "baseline of Navon et al., Multi-Task Learning as a Bargaining Game, ICML 2022, "
        "arXiv 2202.01017"
    )

    def objective(self, losses: Tensor, **_: object) -> Tensor:
        """Sum of logarithms over tasks: ``[..., T]`` to ``[...]``."""
        return losses.clamp(min=EPS).log().sum(-1)
