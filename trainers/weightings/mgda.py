"""MGDA: the shortest of all convex combinations of the tasks' gradients.

Coefficients are not negative and sum to 1. The update helps every task, and is 0 where no
direction does; a task whose gradient is 0 makes it 0, too. TorchJD finds it by the Frank-Wolfe
steps of Sener and Koltun, algorithm 2, 100 at most. Gradients are taken as they are, not divided by
their lengths or losses.
"""

from __future__ import annotations

from trainers.weightings._solved import TorchJDWeighting


class MGDA(TorchJDWeighting):
    """The shortest convex combination of the tasks' gradients."""

    name = "mgda"
    title = "MGDA"
    formula = "the shortest of sum_k a_k g_k, a on the simplex"
    also_in = ("LibMTL", "TorchJD")
    peer = "MGDAWeighting"
    paper = (
        "Sener and Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018, "
        "arXiv 1810.04650"
    )
