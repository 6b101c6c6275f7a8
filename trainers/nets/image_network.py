"""A network of images as a problem's options name it: what it is, its trunk, its heads.

Reading what it is loads no torch; building it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from trainers.problems._options import check_at_least, check_choice
from trainers.problems.errors import BadOption, DataMissing

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What may be said of a network: title, usual size, all its numbers of layers if few."""

    title: str
    width: int
    layers: int
    choices: tuple[int, ...] = ()


_KINDS = {
    "unet": _Kind(title="U-Net of {} levels", width=16, layers=3),
    "segnet": _Kind(title="SegNet of {} stages", width=64, layers=5),
    "mtan": _Kind(title="MTAN on SegNet of {} stages", width=64, layers=5),
    "deeplabv3": _Kind(
        title="DeepLabV3 with ResNet-{}", width=64, layers=50, choices=(50, 101, 152)
    ),
    "resnet": _Kind(title="ResNet-{}", width=64, layers=18, choices=(18, 34, 50, 101, 152)),
}


@dataclass(frozen=True, kw_only=True)
class ImageNetwork:
    """A trunk and heads that fit it, by name.

    Attributes:
        name: ``unet``, ``segnet``, ``mtan``, ``deeplabv3`` (outputs for each pixel) or ``resnet``
            (outputs for each image).
        width: Channels of the first level; of a ResNet's narrow part. None for the usual one.
        layers: Levels, stages, or layers of a ResNet. None for the usual number.
        pretrained: File with torchvision's weights of that ResNet, for the trunk; empty for none.
        among: Names that a problem can do with; all by default.
        DENSE: Names of those that give each pixel outputs of its own.

    Raises:
        BadOption: There is no such network, or none of that size.
        DataMissing: There is no such file.
    """

    DENSE: ClassVar[tuple[str, ...]] = ("unet", "segnet", "mtan", "deeplabv3")

    name: str
    width: int | None = None
    layers: int | None = None
    pretrained: str = ""
    among: Sequence[str] = tuple(_KINDS)

    def __post_init__(self) -> None:
        check_choice("network", self.name, self.among)
        width, layers = self._size
        check_at_least("width", width, 1)
        check_at_least("layers", layers, 1)
        if self._kind.choices:
            check_choice("layers", layers, self._kind.choices)
            if layers < 50 and width != 64:
                raise BadOption(
                    f"`width` of a ResNet must be 64 below 50 layers. Got {width} with `layers = "
                    f"{layers}`. Drop it, or take more of them."
                )
        elif self.pretrained:
            known = [name for name in self.among if _KINDS[name].choices]
            raise BadOption(
                "`pretrained` is for networks on a ResNet. Got `network = "
                f'"{self.name}"`. Drop it, or take one of: {", ".join(known) or "none here"}.'
            )

    @property
    def title(self) -> str:
        """In a few words, for a card; with the hash of pretrained weights.

        Raises:
            DataMissing: There is no file with weights.
        """
        width, layers = self._size
        title = f"{self._kind.title.format(layers)}, width {width}"
        if not self.pretrained:
            return title
        return f"{title}, from weights with SHA-256 {digest_of(self.pretrained)[:16]}"

    def trunk(self, in_channels: int = 3) -> nn.Module:
        """The shared part: images ``[B, in_channels, H, W]`` to what `head` takes.

        Raises:
            MissingPackage: It needs torchvision.
            DataMissing: There is no file with weights.
            WeightsUnfit: The file's weights are not those of this ResNet.
        """
        if self._kind.choices:
            return self._resnet(in_channels)
        from trainers.nets.mtan import Mtan
        from trainers.nets.segnet import SegNet
        from trainers.nets.unet import UNet

        kinds = {"unet": UNet, "segnet": SegNet, "mtan": Mtan}
        width, layers = self._size
        return kinds[self.name](in_channels, width=width, depth=layers)

    def head(self, n_outputs: int) -> nn.Module:
        """The part of a task, from what `trunk` gives.

        Its outputs are ``[B, n_outputs, H, W]``, or ``[B, n_outputs]`` of a ``resnet``.

        Raises:
            MissingPackage: It needs torchvision.
        """
        width, layers = self._size
        if self._kind.choices:
            from trainers.nets.mlp import linear_head
            from trainers.nets.resnet import DeepLabHead, resnet_features

            of_resnet = DeepLabHead if self.name == "deeplabv3" else linear_head
            return of_resnet(resnet_features(layers), n_outputs)
        if self.name == "unet":
            from trainers.nets.unet import pixel_head

            return pixel_head(width, n_outputs)
        if self.name == "segnet":
            from trainers.nets.segnet import SegNetHead

            return SegNetHead(width, n_outputs)
        from trainers.nets.mtan import MtanHead

        return MtanHead(n_outputs, width=width, depth=layers)

    @property
    def _kind(self) -> _Kind:
        return _KINDS[self.name]

    @property
    def _size(self) -> tuple[int, int]:
        """Width and layers."""
        width, layers = self.width, self.layers
        kind = self._kind
        return (
            kind.width if width is None else width,
            kind.layers if layers is None else layers,
        )

    def _resnet(self, in_channels: int) -> nn.Module:
        if in_channels != 3:
            raise BadOption(
                f"A ResNet takes images of 3 channels. Got {in_channels}. Repeat them, or take "
                "another `network`."
            )
        from trainers.nets.resnet import DilatedResNet, ResNet

        width, layers = self._size
        kind = DilatedResNet if self.name == "deeplabv3" else ResNet
        trunk = kind(width=width, depth=layers)
        if self.pretrained:
            from trainers.nets.pretrained import begin_from

            begin_from(trunk, self.pretrained, self._kind.title.format(layers))
        return trunk


def digest_of(path: str) -> str:
    """SHA-256 of a file with weights, in hexadecimal.

    Raises:
        DataMissing: There is none.
    """
    file = Path(path).expanduser()
    try:
        if not file.is_file():
            raise FileNotFoundError
        found = file.stat()
        return _digest(str(file), found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise DataMissing(
            "`pretrained` must name a file with torchvision's weights of the network's ResNet, as "
            f"`torchvision.models.resnet50(weights=...).state_dict()` saved by `torch.save`. Got "
            f"{path}: {error.strerror or 'no such file'}. Download them once, and give the whole "
            "path."
        ) from error


@cache
def _digest(path: str, _size: int, _changed_ns: int) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
