"""What NYUv2 and Cityscapes share: pre-processed trees, networks of images, dense tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trainers.problems._dense_network import DenseNetwork
from trainers.problems._options import check_at_least, check_choice, check_pair
from trainers.problems.errors import BadOption
from trainers.problems.files.on_disk import FREE_OPTIONS, OnDisk

if TYPE_CHECKING:
    from trainers.problems.files.augment import ScaleCropFlip
    from trainers.problems.files.samples import Samples
    from trainers.problems.files.values import Kind

FREE = (*FREE_OPTIONS, "pretrained")  # of which the network's title has the hash


@dataclass(frozen=True, kw_only=True)
class DenseFiles(OnDisk, DenseNetwork):
    """Images whose pixels have classes, depths and normals, one `.npy` file each.

    Attributes:
        size: Height and width of the files' images in pixels.
        train_samples: Samples below ``train``, those held out for validation included.
        test_samples: Samples below ``val``, which are the test split.
        augment: ``scale-crop-flip``, as the papers do, or ``none``.

    Raises:
        BadOption: An option is out of range.
    """

    size: Sequence[int]
    train_samples: int
    test_samples: int
    augment: Literal["scale-crop-flip", "none"]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("test_samples", self.test_samples, 1)
        check_at_least("train_samples", self.train_samples, 2)
        check_choice("augment", self.augment, ("scale-crop-flip", "none"))
        object.__setattr__(self, "size", check_pair("size", self.size, 1))
        if self.validation_samples >= self.train_samples:
            raise BadOption(
                "`validation_samples` are held out of `train_samples`, and must be fewer. Got "
                f"{self.validation_samples:,} of {self.train_samples:,}. Lower them."
            )
        _ = self.image_network

    def folders_in(self, root: Path) -> Mapping[Kind, str]:
        """What is read below `root`, with the folder that has it."""
        raise NotImplementedError

    def samples(self, root: Path) -> Samples:
        """The tree in a folder."""
        from trainers.problems.files.dense_tree import DenseTree

        height, width = self.size
        return DenseTree(
            root=root,
            folders=self.folders_in(root),
            size=(height, width),
            n_samples={"train": self.train_samples, "test": self.test_samples},
            n_classes=self.n_classes,
        )

    @property
    def transform(self) -> ScaleCropFlip | None:
        """What training samples are changed by."""
        from trainers.problems.files.augment import ScaleCropFlip

        return ScaleCropFlip() if self.augment == "scale-crop-flip" else None

    @property
    def sizes(self) -> Mapping[str, int]:
        """Samples by split."""
        return {
            "train": self.train_samples - self.validation_samples,
            "validation": self.validation_samples,
            "test": self.test_samples,
        }

    @property
    def network_title(self) -> str:
        """In a few words, for the card."""
        height, width = self.size
        augmented = "" if self.augment == "none" else f", {self.augment}"
        return f"{self.image_network.title}, on {height}x{width}{augmented}"
