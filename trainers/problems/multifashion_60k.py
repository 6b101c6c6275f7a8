"""Multi-FashionMNIST: pairs of FashionMNIST's 60,000 and 10,000 clothes, as IDX files.

Composed as Multi-MNIST is (Lin et al., "Pareto Multi-Task Learning", 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainers.problems._image_pairs import ImagePairs


@dataclass(frozen=True, kw_only=True)
class MultiFashion60k(ImagePairs):
    """Pairs of FashionMNIST's clothes.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "multifashion-60k"
    title: ClassVar[str] = "Multi-FashionMNIST: two overlapping clothes"
    licence: ClassVar[str] = "FashionMNIST (Xiao et al. 2017): MIT"
    folders: ClassVar[tuple[str, ...]] = ("raw", "FashionMNIST/raw")
