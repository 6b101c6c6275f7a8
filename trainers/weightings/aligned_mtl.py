"""Aligned-MTL: the tasks' gradients, made orthogonal and of one length, then averaged.

With G = V diag(s^2) V' the inner products, the coefficients are V diag(min(s) / s) V' 1/T: all
singular values of the gradients become the smallest one that is not 0 (algorithm 1). TorchJD finds
the eigenvectors.
"""

from __future__ import annotations

from trainers.weightings._solved import TorchJDWeighting


class AlignedMTL(TorchJDWeighting):
    """The mean of gradients whose principal components are of one length."""

    name = "aligned-mtl"
    title = "Aligned-MTL"
    formula = "mean of g_k, their singular values all the smallest one"
    also_in = ("LibMTL", "TorchJD")
    peer = "AlignedMTLWeighting"
    paper = (
        "Senushkin et al., Independent Component Alignment for Multi-Task Learning, CVPR 2023, "
        "arXiv 2305.19000"
    )
