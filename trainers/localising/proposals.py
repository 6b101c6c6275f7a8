"""Region proposals: where a network says that something is, by its map and its probability alone.

Nothing here knows where lesions are.

Shapes: B images, h and w of maps, H and W of images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainers.components import components
from trainers.localising.maps import Floats, MapRange, normalised, upsampled

CALLED = 0.5
"""Probability from which on an image is called diseased."""


@dataclass(frozen=True, slots=True, eq=False)
class ProposedRegion:
    """A region of one image.

    Attributes:
        pixels: Numbers ``[n]`` of its pixels in their image, row by row, rising.
        y: Mean row of its pixels.
        x: Mean column of its pixels.
        score: The image's probability times the largest share that the region has of the
            normalised map, 0 to 1: what regions of all images are ranked by.
    """

    pixels: NDArray[np.int64]
    y: float
    x: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRule:
    """How maps become regions.

    Attributes:
        over: See `normalised`.
        gate: Whether images that are not called diseased have no regions.
        threshold: Share of the normalised map from which on a pixel belongs to a region.
        minimal_area: Pixels that a region has at least.
    """

    over: MapRange | None
    gate: bool
    threshold: float
    minimal_area: int

    def proposals(
        self, maps: Floats, probabilities: Floats, size: tuple[int, int]
    ) -> list[tuple[ProposedRegion, ...]]:
        """The regions of each image.

        Args:
            maps: ``[B, h, w]``, in logits.
            probabilities: ``[B]``.
            size: H and W.
        """
        shares = normalised(upsampled(maps, size), self.over)
        masks = shares >= self.threshold
        if self.gate:
            masks &= (probabilities >= CALLED)[:, None, None]
        found: list[list[ProposedRegion]] = [[] for _ in maps]
        for image, proposal in self._regions(shares, masks, probabilities):
            found[image].append(proposal)
        return [tuple(of_image) for of_image in found]

    def _regions(
        self, shares: Floats, masks: NDArray[np.bool_], probabilities: Floats
    ) -> Iterator[tuple[int, ProposedRegion]]:
        """Images by number and their regions, of shares and masks ``[B, H, W]``."""
        _, height, width = masks.shape
        flat = shares.reshape(-1)
        for numbers in components(masks):
            if len(numbers) < self.minimal_area:
                continue
            image, pixels = int(numbers[0]) // (height * width), numbers % (height * width)
            rows, columns = np.divmod(pixels, width)
            yield (
                image,
                ProposedRegion(
                    pixels=pixels,
                    y=float(rows.mean()),
                    x=float(columns.mean()),
                    score=float(probabilities[image] * flat[numbers].max()),
                ),
            )
