"""ResNets of torchvision as trunks: features of an image, or of each pixel for DeepLabV3.

He et al., "Deep Residual Learning for Image Recognition" (2016); Chen et al., "Rethinking Atrous
Convolution for Semantic Image Segmentation" (2017). Names of parameters are torchvision's, so that
its weights fit.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from trainers.problems.errors import MissingPackage

_BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Blocks of each of four parts, by the layers of the whole."""


class Maps(NamedTuple):
    """Features of a smaller image, ``[B, C, H/8, W/8]``, and the size that outputs are to have."""

    features: Tensor
    size: tuple[int, int]


class ResNet(nn.Sequential):
    """A trunk from images ``[B, 3, H, W]`` to features ``[B, out_features]``.

    Args:
        width: Channels of the narrow part of the first blocks; other than 64 from depth 50 on.

    Attributes:
        out_features: What a head takes.

    Raises:
        MissingPackage: There is no torchvision.
    """

    def __init__(self, *, depth: int = 18, width: int = 64) -> None:
        super().__init__()
        for name, layer in _layers(depth, width, dilated=False).items():
            self.add_module(name, layer)
        self.add_module("flatten", nn.Flatten())
        self.out_features = resnet_features(depth)


class DilatedResNet(nn.Module):
    """A trunk that halves images three times and looks ever wider, as DeepLabV3 has it.

    Maps images ``[B, 3, H, W]`` to `Maps` of `out_features` channels.

    Args:
        width: As in `ResNet`.

    Raises:
        MissingPackage: There is no torchvision.
    """

    def __init__(self, *, depth: int = 50, width: int = 64) -> None:
        super().__init__()
        for name, layer in _layers(depth, width, dilated=True).items():
            if name != "avgpool":
                self.add_module(name, layer)
        self.out_features = resnet_features(depth)

    def forward(self, images: Tensor) -> Maps:
        """Features ``[B, C, H/8, W/8]`` of images ``[B, 3, H, W]``."""
        seen = images
        for layer in self.children():
            seen = layer(seen)
        height, width = images.shape[-2:]
        return Maps(seen, (height, width))


class DeepLabHead(nn.Module):
    """Several widths of view at once, then the size of the image: ``[B, n_outputs, H, W]``.

    Args:
        in_features: Channels that the trunk gives.

    Raises:
        MissingPackage: There is no torchvision.
    """

    def __init__(self, in_features: int, n_outputs: int) -> None:
        super().__init__()
        _needed()
        from torchvision.models.segmentation import deeplabv3

        self.head = deeplabv3.DeepLabHead(in_features, n_outputs)

    def forward(self, maps: Maps) -> Tensor:
        """Outputs ``[B, n_outputs, H, W]``."""
        return functional.interpolate(self.head(maps.features), size=maps.size, mode="bilinear")


def resnet_features(depth: int) -> int:
    """Features that a ResNet of so many layers gives."""
    return 2048 if depth >= 50 else 512


def _layers(depth: int, width: int, *, dilated: bool) -> dict[str, nn.Module]:
    """Torchvision's layers by name, without the classifier."""
    _needed()
    from torchvision.models import resnet

    block = resnet.Bottleneck if depth >= 50 else resnet.BasicBlock
    whole = resnet.ResNet(
        block,
        [*_BLOCKS[depth]],
        width_per_group=width,
        replace_stride_with_dilation=[False, dilated, dilated],
    )
    return {name: layer for name, layer in whole.named_children() if name != "fc"}


def _needed() -> None:
    try:
        import torchvision  # noqa: F401
    except ImportError as error:
        raise MissingPackage(
            "ResNets are torchvision's, which is not installed. Install it with: "
            "pip install 'weighbridge[vision]'"
        ) from error
