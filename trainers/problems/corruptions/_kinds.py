"""The kinds of corruption and their severities, as plain values."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

KINDS: Final = (
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
)
MOVING: Final = ("glass_blur", "zoom_blur", "elastic_transform")
"""Kinds that move pixels, so that a label a pixel would lie beside what it names."""
SEVERITIES: Final = (1, 2, 3, 4, 5)
PACKAGE: Final = "imagecorruptions-imaug"


def condition(kind: str, severity: int) -> str:
    """``fog/3``: how names of what is measured on such images end."""
    return f"{kind}/{severity}"


def is_installed() -> bool:
    """Whether the package that corrupts can be imported."""
    return find_spec("imagecorruptions") is not None
