"""Pixels as the bytes of a PNG, by the standard library alone: no run needs Pillow to show them."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from trainers.errors import BadExhibit

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(pixels: Any) -> bytes:
    """Pixels as a PNG.

    Args:
        pixels: ``[H, W]`` grey or ``[H, W, 3]`` red, green, blue; uint8, or floats from 0 to 1,
            which are cut off there.

    Raises:
        BadExhibit: The array has another shape or type.
    """
    array = np.asarray(pixels)
    if array.dtype.kind == "f":
        array = np.rint(np.nan_to_num(array).clip(0, 1) * 255).astype(np.uint8)
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if not is_picture or array.dtype != np.uint8 or 0 in array.shape:
        raise BadExhibit(
            "A picture has pixels [H, W] or [H, W, 3] of uint8 or floats. Got "
            f"{list(array.shape)} of {array.dtype}. Move its channels last, or choose one."
        )
    height, width = array.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 8, 0 if array.ndim == 2 else 2, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in array)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
