"""Weightings of tests: a gradient-level one that needs the matrix, not the Gramian."""

from __future__ import annotations

from torch import Tensor

from trainers.weightings.levels import GradientWeighting


class Agreeing(GradientWeighting):
    """The sum of the tasks' gradients where all of them have the same sign, 0 elsewhere."""

    name, title, paper = "agreeing", "Agreeing", "An example; no source."

    def update(self, gradients: Tensor, **_: object) -> tuple[Tensor, Tensor]:
        kept = (gradients.sign().sum(0).abs() == len(gradients)).to(gradients.dtype)
        return kept * gradients.sum(0), kept.mean().expand(len(gradients))
