"""Trunks and heads: ordinary modules, initialised from torch's global generator.

Importing this package loads no torch; the parts that need it load when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainers.nets.image_network import ImageNetwork

if TYPE_CHECKING:
    from trainers.nets.lenet import LeNet
    from trainers.nets.mlp import Mlp, linear_head
    from trainers.nets.mtan import Mtan, MtanHead
    from trainers.nets.resnet import DeepLabHead, DilatedResNet, ResNet
    from trainers.nets.segnet import SegNet, SegNetHead
    from trainers.nets.unet import UNet, pixel_head
    from trainers.nets.units import UnitHead

__all__ = [
    "DeepLabHead",
    "DilatedResNet",
    "ImageNetwork",
    "LeNet",
    "Mlp",
    "Mtan",
    "MtanHead",
    "ResNet",
    "SegNet",
    "SegNetHead",
    "UNet",
    "UnitHead",
    "linear_head",
    "pixel_head",
]

_TORCH_BOUND = {
    "DeepLabHead": "resnet",
    "DilatedResNet": "resnet",
    "LeNet": "lenet",
    "Mlp": "mlp",
    "Mtan": "mtan",
    "MtanHead": "mtan",
    "ResNet": "resnet",
    "SegNet": "segnet",
    "SegNetHead": "segnet",
    "UNet": "unet",
    "UnitHead": "units",
    "linear_head": "mlp",
    "pixel_head": "unet",
}


def __getattr__(name: str) -> Any:
    if name not in _TORCH_BOUND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_TORCH_BOUND[name]}"), name)
