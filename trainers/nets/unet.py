"""A small U-Net: detail of the upper levels goes around what the lower ones see.

Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation"
(2015), with padding, batch normalisation, and nearest neighbours on the way up.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class UNet(nn.Module):
    """A trunk that gives each pixel `width` features; images may have any size.

    Maps images ``[B, in_channels, H, W]`` to features ``[B, width, H, W]``. Level i, from 0 to
    `depth`, has ``width * 2**i`` channels and sees an image smaller by ``2**i``.

    Attributes:
        out_features: Channels: what a head takes.
    """

    def __init__(self, in_channels: int = 3, *, width: int = 16, depth: int = 3) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(map(_block, [in_channels, *channels[:-1]], channels))
        merged = (upper + lower for upper, lower in pairwise(channels))
        self.up = nn.ModuleList(map(_block, merged, channels[:-1]))
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.out_features = width

    def forward(self, images: Tensor) -> Tensor:
        """Features ``[B, width, H, W]`` of images ``[B, C, H, W]``."""
        levels: list[Tensor] = []
        seen = images
        for level, block in enumerate(self.down):
            seen = block(seen if level == 0 else self.pool(seen))
            levels.append(seen)
        found = levels.pop()
        for block in reversed(self.up):
            upper = levels.pop()
            larger = functional.interpolate(found, size=upper.shape[-2:], mode="nearest")
            found = block(torch.cat([upper, larger], dim=1))
        return found


def pixel_head(in_features: int, n_outputs: int) -> nn.Conv2d:
    """A head of one layer: ``[B, in_features, H, W]`` to ``[B, n_outputs, H, W]``."""
    return nn.Conv2d(in_features, n_outputs, 1)


def _block(n_in: int, n_out: int) -> nn.Sequential:
    # what a bias would add, the normalisation takes away
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )
