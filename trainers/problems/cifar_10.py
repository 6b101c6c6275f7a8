"""CIFAR-10: photos of 32x32 pixels in ten classes, from the batches that the user has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainers.problems._cifar import Cifar

if TYPE_CHECKING:
    from trainers.problems.files.cifar_files import CifarLayout


@dataclass(frozen=True, kw_only=True)
class Cifar10(Cifar):
    """One task of ten classes; `labels` may be ``aggre``, ``worse`` or ``random1`` to ``random3``.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "cifar-10"
    title: ClassVar[str] = "CIFAR-10: ten classes of small photos"
    classes: ClassVar[Mapping[str, tuple[str, int]]] = {"class": ("Class of the photo", 10)}
    people: ClassVar[Mapping[str, str]] = {
        "aggre": "aggre_label",
        "worse": "worse_label",
        **{f"random{number}": f"random_label{number}" for number in (1, 2, 3)},
    }
    n_train_files: ClassVar[int] = 5
    human_task: ClassVar[str] = "class"

    @property
    def layout(self) -> CifarLayout:
        """Five training batches and one of test."""
        from trainers.problems.files.cifar_files import CifarLayout

        return CifarLayout(
            folder="cifar-10-batches-py",
            files={
                "train": [f"data_batch_{number}" for number in range(1, 6)],
                "test": ["test_batch"],
            },
            labels={"class": ("labels", 10)},
            human_file="CIFAR-10_human.pt",
            human_task=self.human_task,
        )
