"""Tiles of one measured photo: class, depth and surface normal of each pixel of a garage.

A frame of Middlebury's stereo set, which scikit-image brings: a small stand-in for NYUv2, with the
same tasks, losses and metrics, for machines without a GPU. Depth is measured by structured light;
normals and classes are computed from it. Reading the card loads neither torch nor data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from trainers.cards import ProblemCard
from trainers.problems._dense_network import DenseNetwork, targets_of
from trainers.problems._dense_tasks import task_cards
from trainers.problems._embedded import EmbeddedFile, cache_folder, load_all, version_of
from trainers.problems._options import check_choice
from trainers.problems.errors import BadOption

if TYPE_CHECKING:
    from torch import device

    from trainers.problems._source import TensorSource

SELECTION_VERSION = 1  # to be raised when the same options would give other tiles or numbers

FILES = tuple(
    EmbeddedFile(
        problem="motorcycle",
        distribution="scikit-image",
        package="skimage",
        path=f"data/{path}",
        sha256=sha256,
    )
    for path, sha256 in (
        (
            "motorcycle_left.png",
            "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        ),
        (
            "motorcycle_disp.npz",
            "2e49c8cebff3fa20359a0cc6880c82e1c03bbb106da81a177218281bc2f113d7",
        ),
    )
)
ALOE_FILES = tuple(
    EmbeddedFile(
        problem="motorcycle",
        distribution="opencv-doc",
        package="opencv-doc",
        path=path,
        sha256=sha256,
        install="apt install opencv-doc",
        reinstall="apt install --reinstall opencv-doc",
    )
    for path, sha256 in (
        ("aloeL.jpg", "cce5736808efe80d9f04b118dbb978c344d4345672b332718c3e039a3eeb8eee"),
        ("aloeGT.png", "39ce4f3cb48d797d1091c5152f93361d8104298c337f8a1c134d87dda3442c04"),
    )
)
DEBIANS: Final = Path("/usr/share/doc/opencv-doc/examples/data")
ALOE_SIZE: Final = (370, 427)
HEIGHT: Final = 500
COLUMNS: Final = {"train": (0, 360), "validation": (432, 528), "test": (600, 741)}
"""Of the photo, by split: between two of them lie more columns than the largest tile has."""
SIDES: Final = (32, 64)
_JUDGED_STRIDE = 32
_SHIFTED = (
    "The test scene is another one, of another camera: depths are 1.2 to 1.9 m there, and 2.1 to "
    "5.0 m in training, so that errors are large. Its disparities are whole pixels, of which "
    "normals have steps, and its camera is second-hand knowledge."
)


@dataclass(frozen=True, kw_only=True)
class Motorcycle(DenseNetwork):
    """Segmentation, depth and normals of square tiles.

    Attributes:
        side: Of a tile in pixels, 32 or 64.
        stride: Pixels from one training tile to the next: 16, 32 or 64.
        mirrored: Whether each training tile is there from right to left, too.
        judged_on: ``motorcycle``, or ``aloe``, another measured scene, which has no classes: the
            tasks are then depth and normals.
        aloe_root: Folder with its files, a whole path; empty: where Debian's opencv-doc has them.

    Raises:
        BadOption: An option is out of range.
    """

    n_classes: ClassVar[int] = 3

    network: str = "unet"
    side: Literal[32, 64] = 64
    stride: Literal[16, 32, 64] = 32
    mirrored: bool = True
    judged_on: Literal["motorcycle", "aloe"] = "motorcycle"
    aloe_root: str = ""

    def __post_init__(self) -> None:
        check_choice("side", self.side, SIDES)
        check_choice("stride", self.stride, (16, 32, 64))
        check_choice("mirrored", self.mirrored, (True, False))
        check_choice("judged_on", self.judged_on, ("motorcycle", "aloe"))
        if self.aloe_root and not self._aloe_folder.is_absolute():
            raise BadOption(
                f"`aloe_root` must be a whole path. Got {self.aloe_root!r}. Begin with / or ~."
            )
        _ = self.image_network

    @property
    def targets(self) -> Mapping[str, str]:
        """Task to the array that it is judged by."""
        if self._shifted:
            return targets_of("depth", "normal")
        return targets_of("segmentation", "depth", "normal")

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        files = (*FILES, *(ALOE_FILES if self._shifted else ()))
        return ProblemCard(
            name=FILES[0].problem,
            title="Motorcycle: segmentation, depth and normals of one garage",
            kind="derived",
            source="scikit-image: skimage/data/motorcycle_left.png, motorcycle_disp.npz"
            + ("; opencv-doc: aloeL.jpg, aloeGT.png" if self._shifted else ""),
            data_version=f"sha256:{version_of(files)}, selection {SELECTION_VERSION}",
            tasks=task_cards([*self.targets], depth="Depth", unit="m"),
            packages=("skimage", "PIL"),
            sizes={split: self._n_tiles(split) for split in COLUMNS},
            network=f"{self.image_network.title}, on {self.side}x{self.side}",
            convolutional=True,
            images="dense",
            free_options=("pretrained", "aloe_root"),  # the network's title has the hash of weights
            missing=self._missing,
            licence="scikit-image: BSD-3-Clause; photo and disparities: Middlebury 2014 "
            "(Scharstein et al., GCPR 2014), for research with citation",
            distinct={split: self._n_squares(split, self.side) for split in COLUMNS},
            caveats=(
                "One photo of one scene: it shows how weightings compare here, not what a network "
                "learns of other rooms.",
                "Classes (floor, object, background) and normals are computed from the measured "
                "depth, so that the tasks are closer than those of NYUv2.",
                _SHIFTED
                if self._shifted
                else "Training, validation and test are parts of the photo with gaps between them.",
            ),
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, images ``[N, 3, s, s]`` in 0 to 1.

        Raises:
            MissingPackage: The package with the photo, or one that opens it, is not installed.
            DataMissing: The package has no such file.
            DataChanged: A file is not the known one.
        """
        from trainers.problems._scenes import aloe, motorcycle, tile_sources

        scene = load_all(FILES, motorcycle, cache=cache_folder())
        parts = {split: (scene, columns) for split, columns in COLUMNS.items()}
        if self._shifted:
            other = load_all(ALOE_FILES, aloe, locate=self._located, cache=cache_folder())
            parts["test"] = (other, (0, ALOE_SIZE[1]))
        return tile_sources(
            parts,
            side=self.side,
            strides={split: self._stride(split) for split in COLUMNS},
            mirrored=self.mirrored,
            targets=self.targets,
            device=device,
        )

    def _stride(self, split: str) -> int:
        return self.stride if split == "train" else _JUDGED_STRIDE

    def _n_tiles(self, split: str) -> int:
        twice = 2 if split == "train" and self.mirrored else 1
        return twice * self._n_squares(split, self._stride(split))

    def _n_squares(self, split: str, stride: int) -> int:
        first, end = COLUMNS[split]
        height, width = HEIGHT, end - first
        if split == "test" and self._shifted:
            height, width = ALOE_SIZE
        return ((height - self.side) // stride + 1) * ((width - self.side) // stride + 1)

    @property
    def _shifted(self) -> bool:
        return self.judged_on == "aloe"

    @property
    def _aloe_folder(self) -> Path:
        return Path(self.aloe_root).expanduser() if self.aloe_root else DEBIANS

    @property
    def _missing(self) -> str:
        if not self._shifted or all((self._aloe_folder / of.path).exists() for of in ALOE_FILES):
            return ""
        return (
            f'`judged_on = "aloe"` reads {", ".join(of.path for of in ALOE_FILES)} of Debian\'s '
            f"package opencv-doc, which are not in {self._aloe_folder}. Install it with: "
            f"{ALOE_FILES[0].install}, or set `aloe_root` to a folder that has them."
        )

    def _located(self, _package: str) -> Path | None:
        return self._aloe_folder if self._aloe_folder.is_dir() else None
