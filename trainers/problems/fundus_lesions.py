"""Tiles of a healthy retina with real microaneurysms put into them: are there any, how many.

The photo and the lesions are real and of two eyes; where lesions are is made up, and known to the
pixel. Reading the card loads neither torch nor data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from trainers.cards import ProblemCard
from trainers.problems._embedded import EmbeddedFile, cache_folder, load_all, version_of
from trainers.problems._fundus_sectors import SECTORS, SIDES
from trainers.problems._lesion_tasks import TASKS, lesion_functions, lesion_head
from trainers.problems._options import check_at_least, check_choice
from trainers.problems.errors import BadOption
from trainers.suggestions import did_you_mean, shown

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._fundus_tiles import Tiles
    from trainers.problems._source import ByteSource
    from trainers.problems.regions import Region
    from trainers.protocol import TaskFunctions

SELECTION_VERSION = 1  # to be raised when the same options would give other tiles or numbers

FILES = tuple(
    EmbeddedFile(
        problem="fundus-lesions",
        distribution="scikit-image",
        package="skimage",
        path=f"data/{path}",
        sha256=sha256,
    )
    for path, sha256 in (
        ("retina.jpg", "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6"),
        ("microaneurysms.png", "a1e1be59aa447f8ce082f7fa809997ab369a2b137cb6c4202abc647c7ccf6456"),
    )
)
_MOST_CONTRAST: Final = 1.5


@dataclass(frozen=True, kw_only=True)
class FundusLesions:
    """Whether a tile has a lesion, how grave that is, and how many there are.

    Attributes:
        contrast: Factor of how dark lesions are: 1 is as dark as the real ones.
        distractors: A tile has none to so many dark streaks and soft spots that are no lesions.
        side: Of a tile in pixels, 48, 64 or 96.
        width: Channels of the first of three convolutions.
        train_tiles: To train on.
        validation_tiles: To select by.
        test_tiles: To judge by.
        split_seed: What is cut, and what is put where.

    Raises:
        BadOption: An option is out of range.
    """

    contrast: float = 0.7
    distractors: int = 2
    side: int = 96
    width: int = 16
    train_tiles: int = 800
    validation_tiles: int = 400
    test_tiles: int = 400
    split_seed: int = 0

    def __post_init__(self) -> None:
        is_number = isinstance(self.contrast, int | float) and not isinstance(self.contrast, bool)
        if not is_number or not 0 < self.contrast <= _MOST_CONTRAST:
            raise BadOption(
                f"`contrast` must be above 0 and at most {_MOST_CONTRAST}. Got "
                f"{shown(self.contrast)}. 1 is as dark as real lesions are."
            )
        check_at_least("distractors", self.distractors, 0)
        if self.distractors > 5:
            raise BadOption(
                f"`distractors` must be at most 5, for which a tile has room. Got "
                f"{self.distractors}. Set fewer."
            )
        check_choice("side", self.side, SIDES)
        check_at_least("width", self.width, 1)
        for name in SECTORS:
            check_at_least(f"{name}_tiles", getattr(self, f"{name}_tiles"), 6)
        check_at_least("split_seed", self.split_seed, 0)

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        return ProblemCard(
            name=FILES[0].problem,
            title="Fundus lesions: microaneurysms in tiles of a retina",
            kind="semi-synthetic",
            source="scikit-image: skimage/data/retina.jpg, microaneurysms.png",
            data_version=f"sha256:{version_of(FILES)}, selection {SELECTION_VERSION}",
            tasks=tuple(TASKS.values()),
            packages=("skimage", "PIL"),
            sizes={split: self._n_tiles(split) for split in SECTORS},
            network=f"three convolutions of {self.width}, {2 * self.width} and {4 * self.width} "
            f"channels on the local contrast of {self.side}x{self.side}; means of maps, linear "
            "heads",
            convolutional=True,
            images="labelled",
            feature_maps=True,
            licence="scikit-image: BSD-3-Clause; both photos: CC0",
            distinct={split: self._n_squares(split) for split in SECTORS},
            caveats=(
                "Semi-synthetic: the photo of the retina and the profiles of two microaneurysms "
                "are real, but one was put into the other by a program. It shows how methods "
                "compare here, and nothing of patients.",
                "One eye: tiles of a split overlap. Training, validation and test are parts of the "
                "photo with gaps between them that are wider than a tile.",
            ),
        )

    def sources(self, device: device) -> dict[str, ByteSource]:
        """The splits, images ``[N, 3, s, s]`` in 0 to 1; they do not say where lesions are.

        Raises:
            MissingPackage: The package with the photos, or one that opens them, is not installed.
            DataMissing: The package has no such file.
            DataChanged: A file is not the known one.
        """
        import torch

        from trainers.problems._source import ByteSource

        grades = torch.tensor([0, 1, 1, 2])
        found = {}
        for split, tiles in self._tiles.items():
            counts = torch.from_numpy(tiles.counts)
            found[split] = ByteSource(
                inputs=torch.from_numpy(tiles.images).to(device),
                targets={
                    "present": (counts > 0).float().to(device),
                    "severity": grades[counts].to(device),
                    "count": counts.float().to(device),
                },
            )
        return found

    def evaluation_regions(self, split: str) -> Sequence[Sequence[Region]]:
        """The lesions of each tile of a split, ``[N]``: for evaluation alone.

        Raises:
            BadOption: There is no such split.
        """
        if split not in SECTORS:
            raise BadOption(
                f"The splits are {', '.join(SECTORS)}. Got `{split}`."
                f"{did_you_mean(split, SECTORS)} Use one of them."
            )
        return self._tiles[split].regions

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 3, s, s]`` to maps ``[B, 4 width, s/4, s/4]``."""
        from trainers.nets.maps import ConvMaps

        return ConvMaps(self.width)

    def head(self, task: str) -> nn.Module:
        """The mean over each map, then a linear layer: ``[B, 1]``, or ``[B, 3]`` of severity.

        Raises:
            UnknownTask: There is no such task.
        """
        return lesion_head(task, 4 * self.width)

    def functions(self, task: str) -> TaskFunctions:
        """Loss and metrics of one task.

        Raises:
            UnknownTask: There is no such task.
        """
        return lesion_functions(task)

    @cached_property
    def _tiles(self) -> dict[str, Tiles]:
        from trainers.problems._fundus_tiles import parsed, tiles
        from trainers.randomness import Key

        photo = load_all(FILES, parsed, cache=cache_folder())
        return {
            split: tiles(
                photo,
                SECTORS[split],
                n_tiles=self._n_tiles(split),
                side=self.side,
                contrast=self.contrast,
                distractors=self.distractors,
                key=Key(f"split-{self.split_seed}") / split,
            )
            for split in SECTORS
        }

    def _n_tiles(self, split: str) -> int:
        n_tiles: int = getattr(self, f"{split}_tiles")
        return n_tiles

    def _n_squares(self, split: str) -> int:
        return min(SECTORS[split].n_squares(self.side), self._n_tiles(split))
