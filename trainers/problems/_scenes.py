"""From the files of a stereo scene to tensors: what is measured, and what is computed from it.

Shapes: N tiles of side s.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray

from trainers.problems import _frames
from trainers.problems._frames import Camera, Floor
from trainers.problems._source import TensorSource
from trainers.problems.files.pictures import pillow

if TYPE_CHECKING:
    from trainers.problems._embedded import Arrays

_SHRUNK = 3  # times

MOTORCYCLE: Final = Camera(
    focal=994.978, centre=(311.193, 254.877), offset=31.086, baseline=0.193001
)
"""As `skimage.data.stereo_motorcycle` says."""
FLOOR: Final = Floor(upwards=(0.00723, -0.96637, -0.25708), distance=1.0783, height=0.03, near=3.2)
"""The plane that most points lie on."""


ALOE: Final = Camera(
    focal=3740 / _SHRUNK, centre=(213.0, 184.5), offset=270 / _SHRUNK, baseline=0.16
)
"""Middlebury's camera of 2006 and its offset for this scene; it is taken to look at the middle."""


def aloe(contents: Sequence[bytes]) -> Arrays:
    """``image`` as bytes, ``depth`` and ``normal``, a third as large as the photo.

    Args:
        contents: A JPEG, and a PNG of disparities, 0 where there is none.

    Raises:
        MissingPackage: What opens pictures is not installed.
    """
    photo, found = picture(contents[0]), picture(contents[1])[..., 0]
    height, width = (length // _SHRUNK for length in found.shape)
    whole = photo[: height * _SHRUNK, : width * _SHRUNK].astype(np.int64)
    squares = whole.reshape(height, _SHRUNK, width, _SHRUNK, 3).sum(axis=(1, 3))
    middle = found[_SHRUNK // 2 :: _SHRUNK, _SHRUNK // 2 :: _SHRUNK][:height, :width]
    disparities = np.where(middle > 0, middle / _SHRUNK, np.nan)
    n = _SHRUNK**2
    return {
        "image": np.moveaxis((2 * squares + n) // (2 * n), -1, 0).astype(np.uint8),
        "depth": _frames.depths(disparities, ALOE)[None].astype(np.float32),
        "normal": _frames.normals(disparities, ALOE),
    }


def motorcycle(contents: Sequence[bytes]) -> Arrays:
    """``image`` as bytes, ``label``, ``depth`` and ``normal`` of the whole photo.

    Args:
        contents: A PNG, and an archive of disparities.

    Raises:
        MissingPackage: What opens pictures is not installed.
    """
    with np.load(io.BytesIO(contents[1]), allow_pickle=False) as archive:
        disparities = archive["arr_0"].astype(np.float64)
    depth = _frames.depths(disparities, MOTORCYCLE)
    return {
        "image": np.moveaxis(picture(contents[0]), -1, 0).copy(),
        "label": _frames.classes(depth, MOTORCYCLE, FLOOR),
        "depth": depth[None].astype(np.float32),
        "normal": _frames.normals(disparities, MOTORCYCLE),
    }


def picture(content: bytes) -> NDArray[np.uint8]:
    """The pixels ``[H, W, 3]`` of a picture.

    Raises:
        MissingPackage: What opens pictures is not installed.
    """
    with pillow().open(io.BytesIO(content)) as opened:
        return np.asarray(opened.convert("RGB"))


def tile_sources(
    parts: Mapping[str, tuple[Arrays, tuple[int, int]]],
    *,
    side: int,
    strides: Mapping[str, int],
    mirrored: bool,
    targets: Mapping[str, str],
    device: torch.device,
) -> dict[str, TensorSource]:
    """Cut each split's part of a scene into tiles, and move them to the device.

    Images are ``[N, 3, s, s]`` in 0 to 1, targets ``[N, s, s]`` or ``[N, C, s, s]``.

    Args:
        parts: Scene and columns by split.
        mirrored: Training tiles are there from right to left, too, after all others.
        targets: Task to the array that it is judged by.
    """
    found = {}
    for split, (scene, columns) in parts.items():
        arrays = _frames.tiles(scene, columns, side=side, stride=strides[split])
        if mirrored and split == "train":
            other = _frames.mirrored(arrays)
            arrays = {name: np.concatenate([arrays[name], other[name]]) for name in arrays}
        tensors = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        found[split] = TensorSource(
            inputs=tensors["image"].to(torch.float32) / 255,
            targets={task: _target(tensors[name]) for task, name in targets.items()},
        )
    return found


def _target(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.is_floating_point() else tensor.to(torch.int64)
