"""From a stereo frame to what each pixel shows: depth, surface normal, class; and tiles of it.

Sorting, sums in a fixed order and square roots alone: the same frame gives the same bytes on every
machine.

Axes of the camera: x to the right, y down, z away from it; normals look back at it.

Shapes: C channels, H and W height and width, N tiles of side s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays

Numbers = NDArray[np.float64]
_MEDIAN = 5  # pixels
_BINOMIAL = (1, 10, 45, 120, 210, 252, 210, 120, 45, 10, 1)  # near a Gaussian of 1.6 pixels
UNKNOWN = -1
FLOOR, OBJECT, BACKGROUND = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """How far apart two pictures were taken, and through which lens.

    Attributes:
        focal: Focal length in pixels.
        centre: Where the left camera looks at, x and y in pixels.
        offset: What disparities lack, in pixels.
        baseline: Between the cameras, in metres.
    """

    focal: float
    centre: tuple[float, float]
    offset: float
    baseline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A plane, and what counts as standing on it.

    Attributes:
        upwards: Its normal, of length 1.
        distance: Of the camera from it, in metres.
        height: Below which a pixel is of the floor, in metres.
        near: Depth beyond which nothing is an object, in metres.
    """

    upwards: tuple[float, float, float]
    distance: float
    height: float
    near: float


def depths(disparities: Numbers, camera: Camera) -> Numbers:
    """Metres along z, ``[H, W]``; NaN where a disparity ``[H, W]`` is not finite."""
    known = np.isfinite(disparities)
    shifts = np.where(known, disparities, 1.0) + camera.offset
    return np.where(known, camera.focal * camera.baseline / shifts, np.nan)


def points(depth: Numbers, camera: Camera) -> Numbers:
    """Places in metres, ``[3, H, W]``, of depths ``[H, W]``."""
    height, width = depth.shape
    x, y = camera.centre
    right = (np.arange(width) - x) / camera.focal
    down = (np.arange(height) - y)[:, None] / camera.focal
    return np.stack([depth * right, depth * down, depth])


def normals(disparities: Numbers, camera: Camera) -> NDArray[np.float32]:
    """Directions of length 1, ``[3, H, W]``; 0 where there is no disparity ``[H, W]``.

    Perpendicular to the surface through the points of smoothed depths: a median of 5x5 disparities,
    then a mean with binomial weights, both of those that are known.
    """
    known = np.isfinite(disparities)
    places = points(_blurred(depths(_medians(disparities), camera)), camera)
    down, right = np.gradient(places, axis=(1, 2))
    across = np.cross(down, right, axis=0)  # which looks at the camera
    length = np.sqrt((across**2).sum(axis=0))
    there = known & np.isfinite(length) & (length > 0)
    return np.where(there, across / np.where(there, length, 1.0), 0.0).astype(np.float32)


def classes(depth: Numbers, camera: Camera, floor: Floor) -> NDArray[np.int8]:
    """Floor, object or background, ``[H, W]``; -1 where there is no depth."""
    x, y, z = points(depth, camera)
    a, b, c = floor.upwards
    with np.errstate(invalid="ignore"):
        height = a * x + b * y + c * z + floor.distance
        found = np.where(depth < floor.near, OBJECT, BACKGROUND)
        found = np.where(height < floor.height, FLOOR, found)
    return np.where(np.isfinite(depth), found, UNKNOWN).astype(np.int8)


def tiles(
    scene: Mapping[str, NDArray[Any]], columns: tuple[int, int], *, side: int, stride: int
) -> Arrays:
    """Squares of a scene's arrays ``[..., H, W]``, ``[N, ..., s, s]``, row by row.

    Args:
        columns: First one, and the one after the last.
        stride: Pixels from one to the next.
    """
    found = {}
    for name, array in scene.items():
        part = array[..., slice(*columns)]
        windows = np.lib.stride_tricks.sliding_window_view(part, (side, side), axis=(-2, -1))
        chosen = np.moveaxis(windows[..., ::stride, ::stride, :, :], (-4, -3), (0, 1))
        found[name] = chosen.reshape(-1, *chosen.shape[2:])
    return found


def mirrored(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Arrays ``[..., W]`` from right to left; x of the normals ``[N, 3, H, W]`` is negated."""
    found = {name: array[..., ::-1].copy() for name, array in arrays.items()}
    if "normal" in found:
        np.negative(found["normal"][:, 0], out=found["normal"][:, 0])
    return found


def _medians(disparities: Numbers) -> Numbers:
    """Of what is known of 5x5 pixels; infinite where nothing is."""
    around = _MEDIAN // 2
    known = np.where(np.isfinite(disparities), disparities, np.inf)
    padded = np.pad(known, around, constant_values=np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_MEDIAN, _MEDIAN))
    found = np.empty_like(known)
    for row, of in enumerate(windows):  # a row fits the processor's cache
        ranked = of.reshape(-1, _MEDIAN**2)
        ranked.sort(axis=-1)
        n = np.isfinite(ranked).sum(axis=-1, keepdims=True)
        low, high = ((n + more).clip(0) // 2 for more in (-1, 0))
        middle = [np.take_along_axis(ranked, at, axis=-1)[:, 0] for at in (low, high)]
        found[row] = (middle[0] + middle[1]) / 2
    return found


def _blurred(depth: Numbers) -> Numbers:
    """Weighted means of what is known around each pixel; NaN where nothing is."""
    known = np.isfinite(depth)
    amount, weight = np.where(known, depth, 0.0), known.astype(np.float64)
    for axis in (0, 1):
        amount, weight = _weighted(amount, axis), _weighted(weight, axis)
    there = weight > 0
    return np.where(there, amount / np.where(there, weight, 1.0), np.nan)


def _weighted(values: Numbers, axis: int) -> Numbers:
    around = len(_BINOMIAL) // 2
    padded = np.pad(values, [(around, around) if at == axis else (0, 0) for at in (0, 1)])
    n, total = values.shape[axis], np.zeros_like(values)
    for at, weight in enumerate(_BINOMIAL):
        total += weight * padded.take(np.arange(at, at + n), axis=axis)
    return total
