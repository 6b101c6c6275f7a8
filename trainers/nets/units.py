"""A head whose output is in the target's own unit, however large or small that is."""

from __future__ import annotations

from torch import Tensor, nn


class UnitHead(nn.Linear):
    """A linear layer whose answers are near 0 and 1, moved and stretched to the target's range.

    Without it a layer would have to grow to where its target is: by 3e6 for a pressure in pascals,
    at a learning rate of 0.001 a step.

    Maps ``[B, in_features]`` to ``[B, 1]``.
    """

    def __init__(self, in_features: int, *, centre: float, spread: float) -> None:
        super().__init__(in_features, 1)
        self.centre, self.spread = centre, spread

    def forward(self, inputs: Tensor) -> Tensor:
        """Values ``[B, 1]`` in the target's unit."""
        return super().forward(inputs) * self.spread + self.centre
