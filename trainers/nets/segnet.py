"""SegNet: an encoder whose places of maxima the decoder puts its values back to.

Badrinarayanan, Kendall and Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for
Image Segmentation" (2017), laid out as in the code of MTAN (Liu et al. 2019, lorenmt/mtan), which
LibMTL has taken over: so many parameters, biases before normalisations, and initial values.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Stage(NamedTuple):
    """What one stage of SegNet has seen on its way down and up.

    Attributes:
        entered: After the first convolution of the encoder, ``[B, C, H, W]``.
        encoded: After its last, ``[B, C, H, W]``.
        unpooled: What the decoder begins from, ``[B, C, H, W]``.
        decoded: What it ends with, ``[B, C', H, W]``.
    """

    entered: Tensor
    encoded: Tensor
    unpooled: Tensor
    decoded: Tensor


class SegNet(nn.Module):
    """A trunk that gives each pixel `width` features; images may have any size.

    Maps images ``[B, in_channels, H, W]`` to features ``[B, width, H, W]``. Stage i, from 0 to
    ``depth - 1``, has ``width * min(2**i, 8)`` channels; from the third one on, three convolutions
    each way instead of two. The paper's is `width` 64 and `depth` 5.

    Attributes:
        out_features: Channels: what a head takes.
    """

    def __init__(self, in_channels: int = 3, *, width: int = 64, depth: int = 5) -> None:
        super().__init__()
        channels = channels_of(width, depth)
        above = [width, *channels]  # a stage's decoder ends with the channels of the one above
        self.enter = nn.ModuleList(map(convolution, [in_channels, *channels[:-1]], channels))
        self.encode = nn.ModuleList(_more(n, stage) for stage, n in enumerate(channels))
        self.leave = nn.ModuleList(map(convolution, channels, above[:-1]))
        self.decode = nn.ModuleList(_more(n, stage) for stage, n in enumerate(above[:-1]))
        self.pool = nn.MaxPool2d(2, return_indices=True)
        self.out_features = width
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Features ``[B, width, H, W]`` of images ``[B, C, H, W]``."""
        return self.stages(images)[0].decoded

    def stages(self, images: Tensor) -> list[Stage]:
        """All that is seen of images ``[B, C, H, W]``, the stage of most detail first."""
        down: list[tuple[Tensor, Tensor, Tensor]] = []
        seen = images
        for enter, encode in zip(self.enter, self.encode, strict=True):
            entered = enter(seen)
            encoded = encode(entered)
            seen, places = self.pool(encoded)
            down.append((entered, encoded, places))
        up: list[Stage] = []
        ways = zip(down, self.leave, self.decode, strict=True)
        for (entered, encoded, places), leave, decode in reversed([*ways]):
            unpooled = put_back(seen, places, encoded)
            seen = decode(leave(unpooled))
            up.append(Stage(entered, encoded, unpooled, seen))
        return up[::-1]


class SegNetHead(nn.Sequential):
    """Two convolutions from features ``[B, width, H, W]`` to outputs ``[B, n_outputs, H, W]``."""

    def __init__(self, width: int, n_outputs: int) -> None:
        super().__init__(nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, n_outputs, 1))
        self.apply(initialise)


def channels_of(width: int, depth: int) -> list[int]:
    """Channels of each stage."""
    return [width * min(2**stage, 8) for stage in range(depth)]


def convolution(n_in: int, n_out: int) -> nn.Sequential:
    """Three by three pixels to one, normalised."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)
    )


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Weights of a convolution by Glorot's rule for normal numbers, biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def put_back(maxima: Tensor, places: Tensor, like: Tensor) -> Tensor:
    """Maxima ``[B, C, h, w]`` at their places ``[B, C, h, w]`` in zeros ``[B, C, H, W]``.

    As `nn.MaxUnpool2d` does, which `vmap` takes one by one.
    """
    nothing = torch.zeros_like(like).flatten(2)
    return nothing.scatter(2, places.flatten(2), maxima.flatten(2)).view_as(like)


def resized(features: Tensor, like: Tensor) -> Tensor:
    """Features ``[B, C, H, W]``, interpolated to the size of others ``[B, C', H', W']``."""
    size = like.shape[-2:]
    return functional.interpolate(features, size=size, mode="bilinear", align_corners=True)


def _more(n: int, stage: int) -> nn.Sequential:
    return nn.Sequential(*(convolution(n, n) for _ in range(1 if stage < 2 else 2)))
