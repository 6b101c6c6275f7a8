"""IMTL-G: the update has projections of one length on all tasks' gradients.

Coefficients that sum to 1, such that <d, g_k / |g_k|> is the same for all k; any may be negative.
TorchJD finds them by a pseudo-inverse of the inner products, which are told in units of their mean
square, where gradients depend on each other.
"""

from __future__ import annotations

from trainers.weightings._solved import TorchJDWeighting


class IMTLG(TorchJDWeighting):
    """The combination that is impartial between the tasks' directions."""

    name = "imtl-g"
    title = "IMTL-G"
    formula = "sum_k a_k g_k, sum(a) = 1, <d, g_k> / |g_k| the same for all"
    also_in = ("LibMTL (with IMTL-L)", "TorchJD")
    peer = "IMTLGWeighting"
    paper = "Liu et al., Towards Impartial Multi-Task Learning, ICLR 2021"
