"""EW, equal weighting: every loss counts as it is.

Weight of task k: 1, whatever the number of tasks (not 1/T). A single-task baseline is EW with one
task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.weightings import Weighting

if TYPE_CHECKING:
    from torch import Tensor


class EW(Weighting):
    """The plain sum of the losses."""

    name = "ew"
    title = "EW"
    formula = "sum_k L_k"
    also_in = ("LibMTL", "TorchJD")
    fixed = True
    paper = "The plain sum of the task losses; no source needed."

    def objective(self, losses: Tensor, **_: object) -> Tensor:
        """Sum over tasks: ``[..., T]`` to ``[...]``."""
        return losses.sum(-1)
