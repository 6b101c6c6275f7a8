"""Pictures of the user's, opened by pillow: whole, or shrunk while they are read.

Shapes: H and W height and width.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import MissingPackage
from trainers.problems.files.findings import Finding

Pixels = NDArray[np.uint8]
_AGAIN = "Copy it again from where the set came from."


def picture_of(path: Path, size: tuple[int, int], *, shrunk_to: tuple[int, int]) -> Pixels:
    """Pixels ``[H, W, 3]``; a JPEG is decoded no larger than it must be.

    Args:
        size: Width and height that it should have.
        shrunk_to: Height and width.

    Raises:
        OSError: It is no picture, or torn.
        ValueError: It has another size.
        MissingPackage: Pillow is not installed.
    """
    with open(path, "rb", buffering=0) as file:
        content = file.read()
    height, width = shrunk_to
    with unread(io.BytesIO(content)) as opened:
        if opened.size != size:
            raise ValueError(f"{_times(opened.size)} pixels, not {_times(size)}")
        opened.draft("RGB", (width, height))
        whole = opened.convert("RGB")
        return np.asarray(whole.resize((width, height), pillow().Resampling.BILINEAR))


def wrong_picture(path: Path, size: tuple[int, int]) -> Finding | None:
    """What is wrong with a picture; all of it is decoded.

    Args:
        size: Width and height that it should have.

    Raises:
        MissingPackage: Pillow is not installed.
    """
    try:
        with unread(path) as opened:
            opened.load()
            found = opened.size
    except (OSError, SyntaxError, ValueError) as error:
        return Finding(path=path, expected="a picture", found=str(error), way_out=_AGAIN)
    if found != size:
        return Finding(
            path=path,
            expected=f"{_times(size)} pixels",
            found=_times(found),
            way_out="Get the set as its authors give it away, not resized.",
        )
    return None


def pillow() -> ModuleType:
    """Pillow's `Image`.

    Raises:
        MissingPackage: It is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingPackage(
            "Pictures are opened by pillow, which is not installed. Install it with: "
            "pip install 'weighbridge[datasets]'"
        ) from error
    return Image


def unread(of: Path | io.BytesIO) -> Any:
    """A picture whose header has been read.

    Raises:
        ValueError: It says that it is larger than pillow opens.
    """
    image = pillow()
    try:
        return image.open(of)
    except image.DecompressionBombError as error:  # neither an OSError nor a ValueError
        raise ValueError(str(error)) from error


def _times(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


@dataclass(frozen=True, slots=True)
class PngHeader:
    """What a PNG says of itself.

    Attributes:
        bits: Of a channel.
        colour: 0 grey, 2 colours, 3 a palette, 4 and 6 the first two with transparency.
    """

    width: int
    height: int
    bits: int
    colour: int

    def __str__(self) -> str:
        kinds = {0: "grey", 2: "colours", 3: "a palette", 4: "grey, transparent"}
        return f"{self.bits} bits of {kinds.get(self.colour, 'colours, transparent')}"


def png_header(path: Path) -> PngHeader:
    """The header of a PNG.

    Raises:
        OSError: It cannot be read.
        ValueError: It is none.
    """
    with open(path, "rb", buffering=0) as file:
        head = file.read(26)
    if len(head) < 26 or not head.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError("the file does not begin as a PNG" if head else "an empty file")
    width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
    return PngHeader(width, height, head[24], head[25])


def opened(path: Path, *, reduced: tuple[int, int] | None = None) -> NDArray[Any]:
    """The pixels ``[H, W]`` or ``[H, W, 3]`` of a picture.

    Args:
        reduced: Height and width to shrink it to, of which its own are a whole multiple.

    Raises:
        OSError: It is no picture, or torn.
        ValueError: It says that it is larger than pillow opens.
        MissingPackage: Pillow is not installed.
    """
    with unread(path) as picture:
        if reduced is not None:
            return np.asarray(picture.reduce(picture.height // reduced[0]))
        return np.asarray(picture)
