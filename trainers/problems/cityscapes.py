"""Cityscapes, official or as the MTAN authors have prepared it: classes and inverse depth.

Reading the card loads no torch, and of the files what is needed for their hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trainers.cards import ProblemCard
from trainers.problems._dense_files import FREE, DenseFiles
from trainers.problems._dense_network import targets_of
from trainers.problems._dense_tasks import task_cards
from trainers.problems._options import check_choice

if TYPE_CHECKING:
    from trainers.problems.files.samples import Samples
    from trainers.problems.files.values import Kind


@dataclass(frozen=True, kw_only=True)
class Cityscapes(DenseFiles):
    """Segmentation and inverse depth of streets (Cordts et al. 2016).

    Attributes:
        classes: 7 (flat, construction, object, nature, sky, human, vehicle) or 19.
        layout: ``prepared`` for MTAN's `.npy` files, ``official`` for the folders ``leftImg8bit``,
            ``gtFine`` and ``disparity`` of pictures.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "cityscapes"
    targets: ClassVar[Mapping[str, str]] = targets_of("segmentation", "depth")

    classes: Literal[7, 19] = 7
    layout: Literal["prepared", "official"] = "prepared"
    size: Sequence[int] = (128, 256)
    train_samples: int = 2_975
    test_samples: int = 500
    validation_samples: int = 595
    augment: Literal["scale-crop-flip", "none"] = "none"

    def __post_init__(self) -> None:
        check_choice("classes", self.classes, (7, 19))
        check_choice("layout", self.layout, ("prepared", "official"))
        super().__post_init__()

    def folders_in(self, root: Path) -> Mapping[Kind, str]:
        """What is read of the prepared files; LibMTL's copy of them has 7 classes in ``label``."""
        label = f"label_{self.classes}"
        of_libmtl = self.classes == 7 and not (root / "train" / label).exists()
        if of_libmtl and (root / "train" / "label").is_dir():
            label = "label"
        return {"image": "image", "label": label, "depth": "depth"}

    def samples(self, root: Path) -> Samples:
        """The tree in a folder."""
        if self.layout == "prepared":
            return super().samples(root)
        from trainers.problems.files.street_tree import StreetTree

        height, width = self.size
        return StreetTree(
            root=root,
            size=(height, width),
            n_samples={"train": self.train_samples, "test": self.test_samples},
            n_classes=self.classes,
        )

    @property
    def n_classes(self) -> int:
        """Of the segmentation."""
        return self.classes

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        official = self.layout == "official"
        return ProblemCard(
            name=self.name,
            title=f"Cityscapes: segmentation in {self.classes} classes and depth of streets",
            kind="real",
            source="files of yours, as their authors give them away (Cordts et al. 2016)"
            if official
            else "files of yours, as prepared for MTAN (Liu et al. 2019)",
            data_version=self.data_version,
            tasks=task_cards(
                [*self.targets], depth="Inverse depth", unit="1/m" if official else "1"
            ),
            packages=("PIL",) if official else (),
            sizes=self.sizes,
            network=self.network_title,
            convolutional=True,
            images="dense",
            free_options=FREE,
            missing=self.missing,
            licence="Cityscapes (Cordts et al. 2016): for research, after registration",
            caveats=(
                "Depth is inverse depth from stereo; the relative error is one of inverse depths.",
                "The test split is the official validation split, as in papers; validation is held "
                "out of the training samples.",
            ),
        )
