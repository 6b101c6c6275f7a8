"""Digit pairs from the 1,797 real 8x8 digits that ship with scikit-learn: a study in seconds.

Laid out as Multi-MNIST: a 12x12 canvas, the right digit 4 pixels lower and further right, pixel
maximum, shrunk to 8x8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainers.problems._digit_pairs import DigitFile, DigitPairs
from trainers.problems._embedded import EmbeddedFile


@dataclass(frozen=True, kw_only=True)
class Digits(DigitPairs):
    """Pairs of 8x8 digits.

    Raises:
        BadOption: An option is out of range.
    """

    digits: ClassVar[DigitFile] = DigitFile(
        file=EmbeddedFile(
            problem="digits",
            distribution="scikit-learn",
            package="sklearn",
            path="datasets/data/digits.csv.gz",
            sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
        ),
        digit_side=8,
        peak=16,
        shift=4,
        title="Digits: two overlapping 8x8 digits and their sum",
        n_split={"train": 1_087, "validation": 355, "test": 355},
        licence="scikit-learn: BSD-3-Clause; digits: Alpaydin and Kaynak (1998), UCI repository",
    )

    width: int = 64
    train_pairs: int = 800
    validation_pairs: int = 400
    test_pairs: int = 400

    @property
    def side(self) -> int:
        """Side of the images the network sees, in pixels."""
        return self.digits.digit_side
