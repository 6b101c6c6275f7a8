"""Where in an image something is: lesions that a problem knows of, for evaluation alone.

A problem that knows the lesions of its images has a method `evaluation_regions(split)`. What
trains, and what chooses thresholds or epochs, must not be given its answer. Importing this loads
neither torch nor NumPy.

Shapes: N images of a split, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.problems.errors import BadShape
from trainers.suggestions import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Region:
    """One lesion of an image.

    Attributes:
        kind: Of lesion, such as ``microaneurysm``.
        y: Row of its centre in pixels, from the middle of the first row on.
        x: Column of its centre in pixels, from the middle of the first column on.
        mask: Its pixels, ``[H, W]``, as large as the image.

    Raises:
        BadShape: The mask is no table of yes and no, has no pixel, or the centre lies outside.
    """

    kind: str
    y: float
    x: float
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.mask.ndim != 2 or self.mask.dtype != bool:
            raise BadShape(
                f"A region's mask must be [H, W] of yes and no. Got {self.mask.dtype} of "
                f"{list(self.mask.shape)}. Compare what it is made of with a threshold."
            )
        if not self.mask.any():
            raise BadShape(
                f"A region must have a pixel. Got none of a {self.kind} at row {self.y:g}, column "
                f"{self.x:g}. Leave it out."
            )
        height, width = self.mask.shape
        if not (-0.5 <= self.y <= height - 0.5 and -0.5 <= self.x <= width - 0.5):
            raise BadShape(
                f"A region's centre must lie in the image, {height}x{width} pixels. Got row "
                f"{self.y:g}, column {self.x:g}. Give it in pixels of the image."
            )


def evaluation_regions(problem: object, split: str) -> Sequence[Sequence[Region]]:
    """The lesions of each image of a split, ``[N]``, in the stored order of its source.

    An image without any has an empty sequence; a split of which nobody knows is empty itself.
    """
    found = getattr(problem, "evaluation_regions", None)
    return () if found is None else found(split)


def check_regions(
    regions: Sequence[Sequence[Region]], *, n_images: int, size: tuple[int, int]
) -> None:
    """Refuse regions that are not of these images.

    Args:
        regions: Of each image; empty if nobody knows.
        n_images: Of the split.
        size: Height and width of an image.

    Raises:
        BadShape: They are of another number of images, or a mask has another size.
    """
    _check_types(regions)
    if regions and len(regions) != n_images:
        raise BadShape(
            f"`evaluation_regions` must have an entry an image. Got {len(regions):,} for "
            f"{n_images:,} images. Give an image without lesions an empty one."
        )
    for number, of_image in enumerate(regions):
        for region in of_image:
            if region.mask.shape != size:
                raise BadShape(
                    f"A region's mask must be as large as its image, {size[0]}x{size[1]} pixels. "
                    f"Got {region.mask.shape[0]}x{region.mask.shape[1]} of a {region.kind} in "
                    f"image {number}. Shrink masks as the images are shrunk."
                )


def _check_types(regions: object) -> None:
    """Refuse what is no sequence of sequences of regions; a user's problem may give anything."""
    strange: list[object] = [] if isinstance(regions, Sequence) else [regions]
    for of_image in regions if isinstance(regions, Sequence) else ():
        if isinstance(of_image, Sequence):
            strange += [found for found in of_image if not isinstance(found, Region)]
        else:
            strange.append(of_image)
    if strange:
        raise BadShape(
            "`evaluation_regions` must give a list of `trainers.problems.regions.Region` for each "
            f"image. Got {shown(strange[0])}. Make a list of one for each lesion."
        )
