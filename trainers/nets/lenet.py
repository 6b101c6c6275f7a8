"""LeNet for small square images: two convolutions with pooling, one linear layer.

LeCun et al., "Gradient-based learning applied to document recognition" (1998), with ReLU, maximum
pooling, and padding that lets it take images as small as 8x8.
"""

from __future__ import annotations

from torch import Tensor, nn


class LeNet(nn.Module):
    """A trunk of two 5x5 convolutions; the whole network grows with one number, `width`.

    Maps images ``[B, 1, side, side]`` to features ``[B, width]``; the convolutions have
    ``width / 8`` and ``width / 4`` channels. Padding keeps the image size and each pooling halves
    it, so `side` may be 4 or more: 8, 14 and 28 among them.

    Attributes:
        out_features: Length of the feature vector: what a head takes.
    """

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        n_first, n_second = max(1, width // 8), max(1, width // 4)
        pooled_side = side // 2 // 2
        self.layers = nn.Sequential(
            nn.Conv2d(1, n_first, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(n_first, n_second, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(n_second * pooled_side**2, width),
            nn.ReLU(),
        )
        self.out_features = width

    def forward(self, inputs: Tensor) -> Tensor:
        """Features ``[B, width]`` of images ``[B, 1, side, side]``."""
        features: Tensor = self.layers(inputs)
        return features
