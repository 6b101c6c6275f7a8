"""Weightings of tests: by the matrix, not the Gramian; with a package that nobody has; unsolved."""

from __future__ import annotations

from torch import Tensor

from trainers.weightings import Unsolved
from trainers.weightings.levels import GradientWeighting, GramianWeighting


class Agreeing(GradientWeighting):
    """The sum of the tasks' gradients where all of them have the same sign, 0 elsewhere."""

    name, title, paper = "agreeing", "Agreeing", "An example; no source."

    def update(self, gradients: Tensor, **_: object) -> tuple[Tensor, Tensor]:
        kept = (gradients.sign().sum(0).abs() == len(gradients)).to(gradients.dtype)
        return kept * gradients.sum(0), kept.mean().expand(len(gradients))


class Wanting(GramianWeighting):
    """It would need a package that there is not."""

    name, title, paper = "wanting", "Wanting", "An example; no source."
    needs = ("torchjd", "no_such_package")

    def combination(self, gramian: Tensor, **_: object) -> Tensor:
        raise NotImplementedError


class Unsolvable(GramianWeighting):
    """Its solver solves what it is tried on beforehand, and then no step's problem."""

    name, title, paper = "unsolvable", "Unsolvable", "An example; no source."

    def combination(self, gramian: Tensor, *, losses: Tensor, **_: object) -> Tensor:
        if losses[0] != 1.0:  # as no loss of a step is, and the one of the trial is
            raise Unsolved(
                "Unsolvable must find a combination. It did not. Take another weighting."
            )
        return losses
