"""MTAN: each task's own attention to what a shared SegNet sees.

Liu, Johns and Davison, "End-to-End Multi-Task Learning with Attention" (CVPR 2019), as in the
authors' code: masks are the tasks' own, and the convolutions between them are shared. So the trunk
holds these, and hands them to the heads together with what it has seen.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.nets.segnet import (
    SegNet,
    SegNetHead,
    Stage,
    channels_of,
    convolution,
    initialise,
    resized,
)


class Shared(NamedTuple):
    """What tasks attend to.

    Attributes:
        stages: Of the SegNet, that of most detail first.
        down: From a stage's attended features to the next stage, by stage.
        up: To a stage's attention from the stage below, by stage.
    """

    stages: list[Stage]
    down: nn.ModuleList
    up: nn.ModuleList


class Mtan(nn.Module):
    """The shared part: a SegNet, and the convolutions between the tasks' masks.

    Maps images ``[B, in_channels, H, W]`` to `Shared`.
    """

    def __init__(self, in_channels: int = 3, *, width: int = 64, depth: int = 5) -> None:
        super().__init__()
        channels = channels_of(width, depth)
        self.segnet = SegNet(in_channels, width=width, depth=depth)
        self.down = nn.ModuleList(map(convolution, channels, [*channels[1:], channels[-1]]))
        self.up = nn.ModuleList(map(convolution, channels, [width, *channels[:-1]]))
        self.apply(initialise)

    def forward(self, images: Tensor) -> Shared:
        """All that tasks attend to of images ``[B, C, H, W]``."""
        return Shared(self.segnet.stages(images), self.down, self.up)


class MtanHead(nn.Module):
    """A task's masks, and its prediction: `Shared` to outputs ``[B, n_outputs, H, W]``."""

    def __init__(self, n_outputs: int, *, width: int = 64, depth: int = 5) -> None:
        super().__init__()
        channels = channels_of(width, depth)
        above = [width, *channels[:-1]]
        first, *others = channels
        self.encoder = nn.ModuleList([_mask(first, first), *(_mask(2 * n, n) for n in others)])
        self.decoder = nn.ModuleList(
            _mask(n + up, up) for n, up in zip(channels, above, strict=True)
        )
        self.predict = SegNetHead(width, n_outputs)
        self.apply(initialise)

    def forward(self, shared: Shared) -> Tensor:
        """Outputs ``[B, n_outputs, H, W]``."""
        passed: list[Tensor] = []  # from one stage to the next: the first has none
        for stage, mask, down in zip(shared.stages, self.encoder, shared.down, strict=True):
            attended = mask(torch.cat([stage.entered, *passed], dim=1)) * stage.encoded
            passed = [functional.max_pool2d(down(attended), 2)]
        (found,) = passed
        ways = zip(shared.stages, self.decoder, shared.up, strict=True)
        for stage, mask, up in reversed([*ways]):
            below = up(resized(found, stage.unpooled))
            found = mask(torch.cat([stage.unpooled, below], dim=1)) * stage.decoded
        outputs: Tensor = self.predict(found)
        return outputs


def _mask(n_in: int, n_out: int) -> nn.Sequential:
    """Attention from 0 to 1, pixel by pixel."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 1),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(n_out, n_out, 1),
        nn.BatchNorm2d(n_out),
        nn.Sigmoid(),
    )
