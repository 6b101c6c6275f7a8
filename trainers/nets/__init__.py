"""Trunks and heads: ordinary modules, initialised from torch's global generator.

Importing this package loads no torch; the parts that need it load when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainers.nets.image_network import ImageNetwork

if TYPE_CHECKING:
    from trainers.nets.lenet import LeNet
    from trainers.nets.maps import ConvMaps, LocalContrast, PooledHead
    from trainers.nets.mlp import Mlp, linear_head
    from trainers.nets.mtan import Mtan, MtanHead
    from trainers.nets.resnet import DeepLabHead, DilatedResNet, ResNet
    from trainers.nets.segnet import SegNet, SegNetHead
    from trainers.nets.unet import UNet, pixel_head
    from trainers.nets.units import UnitHead

__all__ = [
    "ConvMaps",
    "DeepLabHead",
    "DilatedResNet",
    "ImageNetwork",
    "LeNet",
    "LocalContrast",
    "Mlp",
    "Mtan",
    "MtanHead",
    "PooledHead",
    "ResNet",
    "SegNet",
    "SegNetHead",
    "UNet",
    "UnitHead",
    "linear_head",
    "pixel_head",
]

_TORCH_BOUND = {
    "ConvMaps": "maps",
    "DeepLabHead": "resnet",
    "DilatedResNet": "resnet",
    "LeNet": "lenet",
    "LocalContrast": "maps",
    "Mlp": "mlp",
    "Mtan": "mtan",
    "MtanHead": "mtan",
    "PooledHead": "maps",
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
