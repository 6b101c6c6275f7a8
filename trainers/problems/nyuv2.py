"""NYUv2 as the MTAN authors have prepared it: 13 classes, depth and normals of indoor scenes.

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

if TYPE_CHECKING:
    from trainers.problems.files.values import Kind


@dataclass(frozen=True, kw_only=True)
class Nyuv2(DenseFiles):
    """Segmentation, depth and normals of rooms (Silberman et al. 2012).

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "nyuv2"
    targets: ClassVar[Mapping[str, str]] = targets_of("segmentation", "depth", "normal")
    n_classes: ClassVar[int] = 13

    size: Sequence[int] = (288, 384)
    train_samples: int = 795
    test_samples: int = 654
    validation_samples: int = 159
    augment: Literal["scale-crop-flip", "none"] = "scale-crop-flip"

    def folders_in(self, root: Path) -> Mapping[Kind, str]:  # noqa: ARG002 - they are the same everywhere
        """What is read, with the folder that has it."""
        return {"image": "image", "label": "label", "depth": "depth", "normal": "normal"}

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        return ProblemCard(
            name=self.name,
            title="NYUv2: segmentation, depth and normals of rooms",
            kind="real",
            source="files of yours, as prepared for MTAN (Liu et al. 2019)",
            data_version=self.data_version,
            tasks=task_cards([*self.targets], depth="Depth", unit="m"),
            sizes=self.sizes,
            network=self.network_title,
            convolutional=True,
            images="dense",
            free_options=FREE,
            missing=self.missing,
            licence="NYU Depth V2 (Silberman et al. 2012): for research",
            caveats=(
                "Validation is held out of the training samples; papers that select on the test "
                "split train on more, and report what is too good.",
            ),
        )
