"""Class activation maps: where in an image a network that saw image labels only finds a class.

With feature maps f, global average pooling and one linear layer w, an image's logit is the mean of
its map, the sum over channels of w_c f_c, plus the layer's bias. Zhou, Khosla, Lapedriza, Oliva,
Torralba, Learning Deep Features for Discriminative Localization, CVPR 2016, arXiv 1512.04150.

Shapes: B images, C channels, h and w of feature maps, H and W of images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def activation_maps(features: Floats, weights: Floats) -> Floats:
    """The maps ``[B, h, w]`` of a class, in logits.

    Args:
        features: ``[B, C, h, w]``.
        weights: Of the linear layer for the class, ``[C]``.
    """
    maps: Floats = np.einsum("bchw,c->bhw", features, weights)
    return maps


def upsampled(maps: Floats, size: tuple[int, int]) -> Floats:
    """Maps ``[B, H, W]`` of the images' size, bilinear between the centres of cells ``[B, h, w]``.

    Beyond the outermost centres the outermost values stay: no value leaves the range of its map.

    Args:
        size: H and W.
    """
    down, across = (
        _bilinear(n_from, n_to) for n_from, n_to in zip(maps.shape[1:], size, strict=True)
    )
    return down.astype(maps.dtype) @ maps @ across.astype(maps.dtype).T


def _bilinear(n_from: int, n_to: int) -> NDArray[np.float64]:
    """The share ``[n_to, n_from]`` of each cell in each pixel along one axis; rows sum to 1."""
    places = np.clip((np.arange(n_to) + 0.5) * n_from / n_to - 0.5, 0, n_from - 1)
    lower = np.floor(places).astype(np.int64)
    upper, rows = np.minimum(lower + 1, n_from - 1), np.arange(n_to)
    shares = np.zeros((n_to, n_from))
    np.add.at(shares, (rows, lower), 1 - (places - lower))
    np.add.at(shares, (rows, upper), places - lower)
    return shares


@dataclass(frozen=True, slots=True)
class MapRange:
    """The activations that become 0 and 1.

    Attributes:
        low: In logits.
        high: In logits.
    """

    low: float
    high: float

    @classmethod
    def of(cls, maps: Floats) -> MapRange:
        """The extremes of maps ``[B, h, w]``; upsampled ones have no others."""
        return cls(float(maps.min()), float(maps.max()))


def normalised(maps: Floats, over: MapRange | None) -> Floats:
    """Maps ``[B, H, W]`` as shares, 0 to 1; a map without any contrast is 0 throughout.

    Args:
        over: One range for all images, values beyond which are cut off; None: each image has that
            of its own map, so that each has a 1 somewhere.
    """
    if over is None:
        low = maps.min(axis=(1, 2), keepdims=True)
        high = maps.max(axis=(1, 2), keepdims=True)
    else:
        low, high = np.asarray(over.low, maps.dtype), np.asarray(over.high, maps.dtype)
    width = high - low
    shares: Floats = np.clip((maps - low) / np.where(width > 0, width, 1), 0, 1)
    return shares
