"""When a proposed region has found a lesion: three rules, and what a split comes to by each.

A lesion counts once, however many regions hit it. A region that hits several finds them all; one
that hits none is one false positive.

Shapes: L lesions, F false positives of a split.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainers.localising.proposals import ProposedRegion
from trainers.problems.regions import Region

NOT_FOUND = -math.inf
"""The score of a lesion that no region hits."""


def touches(proposal: ProposedRegion, lesion: Region) -> bool:
    """Whether they share a pixel."""
    return bool(_covered(proposal, lesion))


def covers_half(proposal: ProposedRegion, lesion: Region) -> bool:
    """Whether this region alone covers at least half of the lesion's pixels."""
    return 2 * _covered(proposal, lesion) >= int(lesion.mask.sum())


def is_near(proposal: ProposedRegion, lesion: Region, *, distance: float) -> bool:
    """Whether their centres are no further apart than a distance in pixels."""
    return math.hypot(proposal.y - lesion.y, proposal.x - lesion.x) <= distance


def _covered(proposal: ProposedRegion, lesion: Region) -> int:
    return int(lesion.mask.reshape(-1)[proposal.pixels].sum())


HitRule = Callable[[ProposedRegion, Region], bool]


def hit_rules(distance: float) -> dict[str, HitRule]:
    """The three rules by name.

    Args:
        distance: Of `is_near`, in pixels.
    """
    return {
        "touching": touches,
        "half": covers_half,
        "centre": lambda proposal, lesion: is_near(proposal, lesion, distance=distance),
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matches:
    """What proposals of a split are worth by one rule.

    Attributes:
        n_images: Images of the split, those without lesions included.
        lesion_images: Image of each lesion, ``[L]``.
        lesion_kinds: Kind of each lesion, L of them.
        lesion_scores: ``[L]``, the largest score of a region that hits it; `NOT_FOUND` if none.
        false_images: Image of each false positive, ``[F]``.
        false_scores: ``[F]``.
    """

    n_images: int
    lesion_images: NDArray[np.int64]
    lesion_kinds: tuple[str, ...]
    lesion_scores: NDArray[np.float64]
    false_images: NDArray[np.int64]
    false_scores: NDArray[np.float64]

    @property
    def sensitivity(self) -> float:
        """Share of lesions that a region hits; NaN without lesions."""
        return _share(self.lesion_scores > NOT_FOUND)

    @property
    def image_sensitivity(self) -> float:
        """Share of images with lesions of which at least one is hit; NaN without lesions."""
        diseased = np.unique(self.lesion_images)
        return _share(np.isin(diseased, self.lesion_images[self.lesion_scores > NOT_FOUND]))

    @property
    def false_positives_per_image(self) -> float:
        """Regions that hit no lesion, divided by the number of all images."""
        return len(self.false_scores) / self.n_images

    def of_kind(self, kind: str) -> Matches:
        """The same with the lesions of one kind only; a region that hits another is not false."""
        of = np.array([found == kind for found in self.lesion_kinds], dtype=bool)
        return Matches(
            n_images=self.n_images,
            lesion_images=self.lesion_images[of],
            lesion_kinds=tuple(found for found in self.lesion_kinds if found == kind),
            lesion_scores=self.lesion_scores[of],
            false_images=self.false_images,
            false_scores=self.false_scores,
        )


def match(
    proposals: Sequence[Sequence[ProposedRegion]],
    lesions: Sequence[Sequence[Region]],
    rule: HitRule,
) -> Matches:
    """Hold the regions of each image against its lesions."""
    found: list[tuple[int, str, float]] = []
    wrong: list[tuple[int, float]] = []
    for image, (proposed, there) in enumerate(zip(proposals, lesions, strict=True)):
        hits = [[rule(proposal, lesion) for lesion in there] for proposal in proposed]
        wrong += [
            (image, proposal.score)
            for proposal, row in zip(proposed, hits, strict=True)
            if not any(row)
        ]
        for number, lesion in enumerate(there):
            scores = [
                proposal.score for proposal, row in zip(proposed, hits, strict=True) if row[number]
            ]
            found.append((image, lesion.kind, max(scores, default=NOT_FOUND)))
    return Matches(
        n_images=len(proposals),
        lesion_images=np.array([image for image, _, _ in found], dtype=np.int64),
        lesion_kinds=tuple(kind for _, kind, _ in found),
        lesion_scores=np.array([score for _, _, score in found], dtype=np.float64),
        false_images=np.array([image for image, _ in wrong], dtype=np.int64),
        false_scores=np.array([score for _, score in wrong], dtype=np.float64),
    )


def matches_by_rule(
    proposals: Sequence[Sequence[ProposedRegion]],
    lesions: Sequence[Sequence[Region]],
    distance: float,
) -> Mapping[str, Matches]:
    """What they are worth by each of the three rules; see `hit_rules`."""
    rules = hit_rules(distance)
    return {name: match(proposals, lesions, rule) for name, rule in rules.items()}


def _share(of: NDArray[np.bool_]) -> float:
    return float(of.mean()) if len(of) else math.nan
