"""What proposed regions are worth, by one who knows the lesions: for reports alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trainers.localising.froc import RATES, sensitivities
from trainers.localising.hits import Matches, matches_by_rule
from trainers.localising.proposals import ProposedRegion
from trainers.problems.regions import Region, check_regions, evaluation_regions
from trainers.protocol import Problem


@dataclass(frozen=True, slots=True)
class LesionJudge:
    """Holds the lesions of a problem, and is asked with what has been decided without them.

    Attributes:
        distance: How far apart centres may be, in pixels.
        lesions: Of splits that were asked about, by image; empty where nobody knows.
    """

    problem: Problem
    distance: float
    lesions: dict[str, Sequence[Sequence[Region]]] = field(default_factory=dict)

    def judged(
        self, split: str, proposals: Sequence[Sequence[ProposedRegion]], size: tuple[int, int]
    ) -> Mapping[str, Matches]:
        """What the proposals of a split are worth, by rule; empty where nobody knows its lesions.

        Args:
            proposals: Of each image, in the stored order.
            size: Height and width of an image.

        Raises:
            BadShape: The lesions are of other images.
        """
        if split not in self.lesions:
            found = evaluation_regions(self.problem, split)
            check_regions(found, n_images=len(proposals), size=size)
            self.lesions[split] = found
        lesions = self.lesions[split]
        return matches_by_rule(proposals, lesions, self.distance) if lesions else {}


def metrics_of(by_rule: Mapping[str, Matches]) -> dict[str, float]:
    """What is reported of a split: by each rule sensitivity, false positives and mean of FROC.

    The share of diseased images in which a lesion is found is by the rule `touching`.
    """
    if not by_rule:
        return {}
    found = {"image_sensitivity": by_rule["touching"].image_sensitivity}
    for rule, matches in by_rule.items():
        found |= {
            f"sensitivity_{rule}": matches.sensitivity,
            f"false_positives_{rule}": matches.false_positives_per_image,
            f"froc_{rule}": float(sensitivities(matches, RATES).mean()),
        }
    return {name: value for name, value in found.items() if not math.isnan(value)}
