"""Fundus photos that the user has: Kaggle's with a level each, DiaretDB1's with marked lesions.

Reading the card loads no torch, and of the files what is needed for their hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from trainers.cards import ProblemCard, TaskCard
from trainers.problems._lesion_tasks import TASKS, lesion_functions, lesion_head
from trainers.problems._options import check_at_least, check_choice
from trainers.problems.errors import BadOption, DataBroken
from trainers.problems.files.on_disk import FREE_OPTIONS, OnDisk
from trainers.problems.files.where import found_root
from trainers.suggestions import shown

if TYPE_CHECKING:
    from torch import nn

    from trainers.problems.files.fundus_tree import FundusTree
    from trainers.problems.files.samples import Samples
    from trainers.problems.files.split import Names
    from trainers.problems.regions import Region
    from trainers.protocol import TaskFunctions

SETS: Final = ("kaggle-dr", "diaretdb1")
_OTHERS: Final = ("Disc", "Fundus_area", "IRMA", "Neovascularisation")
_USUAL: Final = {
    ("kaggle-dr", "kaggle-dr"): (28_126, 3_500, 3_500),
    ("kaggle-dr", "diaretdb1"): (31_626, 3_500, 89),
    ("diaretdb1", "diaretdb1"): (20, 8, 61),
}
"""Photos to train on, to select by and to judge by, of the whole sets."""


@dataclass(frozen=True, kw_only=True)
class FundusFiles(OnDisk):
    """Whether a photo shows diabetic retinopathy, how grave it is, and how many lesions there are.

    Attributes:
        trained_on: ``kaggle-dr``, or ``diaretdb1``.
        judged_on: The same, or ``diaretdb1`` of a network that is trained on Kaggle's photos.
        agreement: Experts agree on a pixel of DiaretDB1 if the mean of how sure they are (1, 0.75
            or 0.25, 0 unmarked) is at least this, above 0 and at most 1.
        ignored: Types of markings of DiaretDB1 that are no lesions.
        size: Side that photos are shrunk to, in pixels.
        width: Channels of the first of three convolutions.
        train_samples: Photos to train on; 0: as many as the whole set has for it.
        validation_samples: Photos to select by, held out of those for training; 0: the same.
        test_samples: Photos to judge by, of Kaggle's held out, too; 0: the same.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "fundus-files"

    trained_on: Literal["kaggle-dr", "diaretdb1"] = "kaggle-dr"
    judged_on: Literal["kaggle-dr", "diaretdb1"] = "kaggle-dr"
    agreement: float = 0.75
    ignored: Sequence[str] = _OTHERS
    size: int = 256
    width: int = 16
    train_samples: int = 0
    validation_samples: int = 0
    test_samples: int = 0

    def __post_init__(self) -> None:
        for option in ("trained_on", "judged_on"):
            check_choice(option, getattr(self, option), SETS)
        if (usual := _USUAL.get((self.trained_on, self.judged_on))) is None:
            raise BadOption(
                "`judged_on` must be diaretdb1 if `trained_on` is: its 28 photos are too few to "
                f"be judged on Kaggle's. Got {self.judged_on!r}. Set both to diaretdb1."
            )
        is_number = isinstance(self.agreement, int | float) and not isinstance(self.agreement, bool)
        if not is_number or not 0 < self.agreement <= 1:
            raise BadOption(
                f"`agreement` must be above 0 and at most 1. Got {shown(self.agreement)}. 0.75 is "
                "that of the set's authors."
            )
        if not isinstance(self.ignored, list | tuple) or not all(
            isinstance(name, str) for name in self.ignored
        ):
            raise BadOption(
                f"`ignored` must be a list of types of markings. Got {shown(self.ignored)}. Write "
                'as in ["Disc", "IRMA"].'
            )
        check_at_least("size", self.size, 32)
        check_at_least("width", self.width, 1)
        for split, n in zip(("train", "validation", "test"), usual, strict=True):
            check_at_least(f"{split}_samples", found := getattr(self, f"{split}_samples"), 0)
            object.__setattr__(self, f"{split}_samples", found or n)
        super().__post_init__()

    @property
    def tasks(self) -> Mapping[str, TaskCard]:
        """What is known of every photo; lesions are counted where experts have marked them."""
        known = {
            ("kaggle-dr", "kaggle-dr"): ("present", "severity"),
            ("kaggle-dr", "diaretdb1"): ("present",),
            ("diaretdb1", "diaretdb1"): tuple(TASKS),
        }
        return {name: TASKS[name] for name in known[self.trained_on, self.judged_on]}

    @property
    def targets(self) -> Mapping[str, str]:
        """Task to the array that it is judged by."""
        return {name: name for name in self.tasks}

    @property
    def transform(self) -> None:
        """Training samples are as they are."""

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        marked = "diaretdb1" in (self.trained_on, self.judged_on)
        return ProblemCard(
            name=self.name,
            title=f"Fundus photos of {self.trained_on}, judged on {self.judged_on}",
            kind="real",
            source="files of yours, as their authors give them away",
            data_version={**self.data_version, "agreement": self.agreement if marked else None},
            tasks=tuple(self.tasks.values()),
            packages=("PIL",),
            sizes={
                "train": self.train_samples,
                "validation": self.validation_samples,
                "test": self.test_samples,
            },
            network=f"three convolutions of {self.width}, {2 * self.width} and {4 * self.width} "
            f"channels on the local contrast of {self.size}x{self.size}; means of maps, linear "
            "heads",
            convolutional=True,
            images="labelled",
            feature_maps=True,
            free_options=FREE_OPTIONS,
            missing=self.missing,
            licence="Kaggle's and EyePACS's rules of the competition; DiaretDB1: for research",
            caveats=(
                "Photos are shrunk by pillow, whose pixels may differ by a step from version to "
                "version.",
                "Severity is level 0, 1 to 2, 3 to 4 of Kaggle's photos, and 0, 1 to 2, 3 and more "
                "lesions of DiaretDB1's.",
            ),
        )

    def samples(self, root: Path) -> FundusTree:
        """The photos in a folder."""
        from trainers.problems.files.fundus_tree import FundusTree

        n_train = self.train_samples + self.validation_samples
        if self.judged_on == "kaggle-dr":
            n_samples = {"train": n_train + self.test_samples, "test": 0}
        else:
            n_samples = {"train": n_train, "test": self.test_samples}
        return FundusTree(
            root=root,
            trained_on=self.trained_on,
            judged_on=self.judged_on,
            size=self.size,
            agreement=self.agreement,
            ignored=tuple(self.ignored),
            n_samples=n_samples,
        )

    def split(self, samples: Samples) -> Names:
        """DiaretDB1's test list, Kaggle's held out; both eyes of a patient are in one split.

        Raises:
            DataBroken: Numbers of photos are such that the eyes of a patient would be parted.
        """
        names = samples.names
        sizes = {"test": self.test_samples} if self.judged_on == "kaggle-dr" else {}
        found, rest = _held_out(
            names["train"],
            {**sizes, "validation": self.validation_samples},
            self.split_seed,
            samples.root,
        )
        return {
            "train": rest,
            "validation": found["validation"],
            "test": found.get("test", names["test"]),
        }

    def paths(self, samples: Samples) -> Iterator[str]:
        """All photos, their lists and what is marked on them."""
        yield from self.samples(samples.root).lists
        yield from super().paths(samples)

    def evaluation_regions(self, split: str) -> Sequence[Sequence[Region]]:
        """The lesions of each photo of a split of DiaretDB1, ``[N]``; empty of one of Kaggle's.

        Raises:
            DataMissing: Nobody has said where the files are, or there is nothing.
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        whose = self.judged_on if split == "test" else self.trained_on
        if whose != "diaretdb1":
            return ()
        samples = self.samples(found_root(self.name, self.root))
        return [samples.regions(name) for name in self.split(samples)[split]]

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 3, size, size]`` to maps ``[B, 4 width, h, w]``."""
        from trainers.nets.maps import ConvMaps

        return ConvMaps(self.width)

    def head(self, task: str) -> nn.Module:
        """The mean over each map, then a linear layer: ``[B, 1]``, or ``[B, 3]`` of severity.

        Raises:
            UnknownTask: There is no such task.
        """
        return lesion_head(task, 4 * self.width, self.tasks)

    def functions(self, task: str) -> TaskFunctions:
        """Loss and metrics of one task.

        Raises:
            UnknownTask: There is no such task.
        """
        return lesion_functions(task, self.tasks)


def _held_out(
    names: Sequence[str], sizes: Mapping[str, int], split_seed: int, root: Path
) -> tuple[dict[str, list[str]], list[str]]:
    """Photos of each split that is held out, and the rest, each in their order.

    Args:
        sizes: Photos of each split.
        root: Of the set, for what is said of it.
    """
    from trainers.problems._draws import permutation
    from trainers.randomness import Key

    eyes: dict[str, list[str]] = {}
    for name in names:
        eyes.setdefault(name.rsplit("/", 1)[-1].split("_left")[0].split("_right")[0], []).append(
            name
        )
    patients = list(eyes.values())
    order = permutation(len(patients), Key(f"split-{split_seed}") / "patients")
    split_of: dict[str, str] = {}
    for split, n in sizes.items():
        room = n
        for number in order.tolist():
            of_patient = patients[number]
            if of_patient[0] not in split_of and len(of_patient) <= room:
                split_of |= dict.fromkeys(of_patient, split)
                room -= len(of_patient)
        if room:
            raise DataBroken(
                f"The eyes of a patient must be in one split. {root} has none of {room} photo to "
                f"make {n:,} for {split}. Hold out another number, an even one as a rule."
            )
    found = {split: [n for n in names if split_of.get(n) == split] for split in sizes}
    return found, [name for name in names if name not in split_of]
