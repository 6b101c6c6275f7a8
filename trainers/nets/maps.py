"""A small convolutional network whose maps show where in an image an answer comes from.

Convolutions, the mean over each map, one linear layer (Zhou et al., "Learning deep features for
discriminative localization", 2016): the maps, weighted as the linear layer weighs their means, are
the class activation map.

Shapes: B batch, C channels, h and w height and width of a map.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE: Final = 4
"""Pixels of an image a pixel of the maps."""


class LocalContrast(nn.Module):
    """What each pixel differs by from the mean of the square around it, ``[B, 3, H, W]`` each.

    Photos of the eye are brighter here than there, by more than a lesion is dark.

    Args:
        side: Of the square in pixels, odd.
        gain: Factor of the difference.
    """

    def __init__(self, side: int = 21, gain: float = 20.0) -> None:
        super().__init__()
        self.side, self.gain = side, gain

    def forward(self, images: Tensor) -> Tensor:
        """Images ``[B, 3, H, W]`` in 0 to 1 as differences ``[B, 3, H, W]``, which are around 0."""
        mean, reach = images, self.side // 2
        for kernel, padding in (((self.side, 1), (reach, 0)), ((1, self.side), (0, reach))):
            mean = functional.avg_pool2d(
                mean, kernel, stride=1, padding=padding, count_include_pad=False
            )
        return (images - mean) * self.gain


class ConvMaps(nn.Sequential):
    """A trunk of three convolutions: images ``[B, 3, H, W]`` to maps ``[B, 4 width, H/4, W/4]``.

    Attributes:
        out_features: Number of the maps: what a head takes.
    """

    def __init__(self, width: int) -> None:
        super().__init__(
            LocalContrast(),
            nn.Conv2d(3, width, kernel_size=5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(2 * width, 4 * width, kernel_size=3, padding=1),
            nn.ReLU(),
        )
        self.out_features = 4 * width


class PooledHead(nn.Module):
    """A head: the mean over each map, then one linear layer; ``[B, C, h, w]`` to ``[B, outputs]``.

    Attributes:
        linear: The layer; its weights ``[outputs, C]`` are those of the class activation maps.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, maps: Tensor) -> Tensor:
        """Logits or values ``[B, outputs]``."""
        found: Tensor = self.linear(torch.mean(maps, dim=(2, 3)))
        return found
