"""The door to `imagecorruptions-imaug`: one image, corrupted in one way.

Its corruptions draw from NumPy's global generator, which is seeded for each image by an address,
and left where it was.

Shapes: B images, H and W height and width, C channels, 1 or 3.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainers.problems.corruptions._kinds import PACKAGE
from trainers.randomness import Key

Image = NDArray[np.uint8]
LEAST_SIDE: Final = 32
"""Of an image that the package takes; smaller ones are framed by copies of their edge."""
_SEEDED: Final = ("impulse_noise", "glass_blur")
"""Kinds that take a seed of their own instead of the global generator."""
_generator = Lock()


def corrupt(image: Image, kind: str, severity: int, key: Key) -> Image:
    """An image ``[H, W, C]``, 0 to 255, corrupted; of one channel it is the mean of three.

    Args:
        key: Address of all that is random in it.
    """
    from imagecorruptions import corrupt as corrupted  # loads OpenCV and Numba

    framed, inside = _framed(image)
    seed = key.seed % 2**32
    own = {"seed": seed} if kind in _SEEDED else {}
    with _generator:
        before = np.random.get_state()
        np.random.seed(seed)
        try:
            found = corrupted(framed, severity=severity, corruption_name=kind, **own)
        finally:
            np.random.set_state(before)
    colours = np.asarray(found, dtype=np.uint8)[inside]
    if image.shape[-1] == 3:
        return colours
    grey: Image = ((colours.astype(np.uint16).sum(axis=-1, keepdims=True) + 1) // 3).astype(
        np.uint8
    )
    return grey


def corrupt_all(
    images: Image, rows: Sequence[int], ways: Sequence[tuple[str, int]], *, cache: Path | None
) -> Image:
    """Images ``[B, H, W, C]``, each in its way.

    What is random in each is addressed by its pixels, its row, and the way.

    Args:
        rows: ``[B]``, places in the split.
        ways: ``[B]``, kind and severity.
        cache: Folder that keeps what was corrupted; None to do without.
    """
    file = None if cache is None else cache / f"{_digest(images, rows, ways)}.npy"
    if file is not None and (kept := _read(file, images.shape)) is not None:
        return kept
    found = np.empty_like(images)
    for place, (row, (kind, severity)) in enumerate(zip(rows, ways, strict=True)):
        image = images[place]
        pixels = blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).hexdigest()
        key = Key("corruption") / pixels / row / kind / severity
        found[place] = corrupt(image, kind, severity, key)
    if file is not None:
        _write(file, found)
    return found


def _framed(image: Image) -> tuple[Image, tuple[slice, slice]]:
    """The image in a frame of its edge, at least as large as must be, and where it lies there."""
    sides = image.shape[:2]
    before = [max(0, LEAST_SIDE - side) // 2 for side in sides]
    after = [max(0, LEAST_SIDE - side) - first for side, first in zip(sides, before, strict=True)]
    frame = [*zip(before, after, strict=True), (0, 0)]
    rows, columns = (slice(at, at + n) for at, n in zip(before, sides, strict=True))
    return np.pad(image, frame, mode="edge"), (rows, columns)


def _digest(images: Image, rows: Sequence[int], ways: Sequence[tuple[str, int]]) -> str:
    told = repr((version(PACKAGE), images.shape, [*rows], [*ways]))
    found = blake2b(told.encode(), digest_size=16)
    found.update(np.ascontiguousarray(images).tobytes())
    return found.hexdigest()


def _read(file: Path, shape: tuple[int, ...]) -> Image | None:
    try:
        found = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None


def _write(file: Path, images: Image) -> None:
    """Write aside and rename, so that no process reads half a file; a full disk is no error."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, images, allow_pickle=False)
        os.replace(aside, file)
    except OSError:
        Path(aside).unlink(missing_ok=True)
