"""Multi-MNIST from MNIST's own 60,000 and 10,000 digits, as IDX files that the user has.

Two digits on a canvas of 36x36, the right one 8 pixels lower and further right, overlaid by pixel
maximum and shrunk to 28x28, as in Sener & Koltun (2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainers.problems._image_pairs import ImagePairs


@dataclass(frozen=True, kw_only=True)
class MultiMnist60k(ImagePairs):
    """Pairs of MNIST's digits.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "multimnist-60k"
    title: ClassVar[str] = "Multi-MNIST: two overlapping digits, of all of MNIST"
    licence: ClassVar[str] = "MNIST (LeCun, Cortes): commonly taken as CC BY-SA 3.0"
    folders: ClassVar[tuple[str, ...]] = ("raw", "MNIST/raw")
