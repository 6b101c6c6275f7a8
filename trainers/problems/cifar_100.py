"""CIFAR-100: photos of 32x32 pixels, each in one of 100 classes and one of 20 groups of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainers.problems._cifar import Cifar

if TYPE_CHECKING:
    from trainers.problems.files.cifar_files import CifarLayout


@dataclass(frozen=True, kw_only=True)
class Cifar100(Cifar):
    """Two tasks; with `labels` ``human`` the classes are those that people gave, groups are clean.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "cifar-100"
    title: ClassVar[str] = "CIFAR-100: a hundred classes of small photos, in twenty groups"
    classes: ClassVar[Mapping[str, tuple[str, int]]] = {
        "fine": ("Class of the photo", 100),
        "coarse": ("Group of its class", 20),
    }
    people: ClassVar[Mapping[str, str]] = {"human": "noisy_label"}
    n_train_files: ClassVar[int] = 1
    human_task: ClassVar[str] = "fine"

    @property
    def layout(self) -> CifarLayout:
        """One training file and one of test."""
        from trainers.problems.files.cifar_files import CifarLayout

        return CifarLayout(
            folder="cifar-100-python",
            files={"train": ["train"], "test": ["test"]},
            labels={"fine": ("fine_labels", 100), "coarse": ("coarse_labels", 20)},
            human_file="CIFAR-100_human.pt",
            human_task=self.human_task,
        )
