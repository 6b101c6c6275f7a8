"""ConFIG: the direction that has the same cosine with all tasks' gradients.

With u_k the gradients divided by their lengths, the direction is that of the pseudo-inverse of
their rows times 1, and its length sum_k <g_k, direction> (equations 2 and 3). It lies among the
gradients, so it is found from their cosines C: v = pinv(C) 1, direction sum_k v_k u_k, divided by
its length sqrt(v'Cv). A task without a gradient is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainers.weightings._solved import SolvedWeighting

if TYPE_CHECKING:
    from torch import Tensor


class ConFIG(SolvedWeighting):
    """The direction in the middle of the tasks' gradients, of the length of all projections."""

    name = "config"
    title = "ConFIG"
    formula = "the direction of one cosine with all g_k, as long as its projections together"
    also_in = ("TorchJD",)
    paper = (
        "Liu, Chu and Thuerey, ConFIG: Towards Conflict-Free Training of Physics Informed Neural "
        "Networks, ICLR 2025, arXiv 2408.11104"
    )

    def solved(self, gramian: Tensor, _size: float, _hyper: Mapping[str, float]) -> Tensor:
        """Coefficients ``[T]``."""
        from torch.linalg import pinv

        lengths = gramian.diagonal().sqrt()
        there = lengths > 0
        inverse = lengths.where(there, lengths.new_ones(())).reciprocal() * there
        cosines = inverse.unsqueeze(-1) * gramian * inverse
        v = pinv(cosines, hermitian=True, rtol=_PRECISION) @ there.to(lengths)
        projections = cosines @ v
        squared = v @ projections
        # gradients that cancel each other have no direction in the middle: no step
        if squared <= 0:
            return lengths.new_zeros(len(lengths))
        coefficients: Tensor = (lengths @ projections / squared) * v * inverse
        return coefficients


_PRECISION = 1e-6  # of cosines from inner products that were added up in float32
