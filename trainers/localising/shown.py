"""What of an epoch is shown of the test split: FROC, a table of sensitivities, some images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainers.exhibits import Curve, Pictures, Table
from trainers.localising.drawing import drawn
from trainers.localising.froc import (
    LEVEL,
    RATES,
    REPLICATES,
    Interval,
    drawn_anew,
    found_shares,
    froc,
)
from trainers.localising.hits import Matches, touches
from trainers.localising.maps import Floats, normalised, upsampled
from trainers.localising.of_images import auroc, diseased_found
from trainers.localising.proposals import CALLED, ProposedRegion
from trainers.problems.regions import Region

if TYPE_CHECKING:
    from trainers.localising.network import Looked

_GRID = tuple(float(rate) for rate in np.geomspace(RATES[0], RATES[-1], 26))
_OF_DISEASED, _OF_HEALTHY = 8, 4
_ALL_KINDS = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochExhibits:
    """Makes the exhibits of one epoch.

    Attributes:
        seed: Of the run; images are drawn anew by it.
        size: H and W of images.
    """

    epoch: int
    seed: int
    size: tuple[int, int]

    def froc(self, by_rule: Mapping[str, Matches]) -> Curve:
        """Sensitivity by false positives an image, by each hit rule, with intervals.

        Args:
            by_rule: Of images with a lesion or more.
        """
        found = {
            rule: froc(matches, _GRID, drawn_anew(matches.n_images, self.seed))[:-1]
            for rule, matches in by_rule.items()
        }
        return Curve(
            name="froc",
            title=f"FROC on test, epoch {self.epoch}; band: {self._how}",
            x_title="false positives an image",
            y_title="sensitivity",
            points={
                rule: [(rate, of.value) for rate, of in zip(_GRID, row, strict=True)]
                for rule, row in found.items()
            },
            intervals={
                rule: [(rate, of.low, of.high) for rate, of in zip(_GRID, row, strict=True)]
                for rule, row in found.items()
            },
            x_log=True,
        )

    def table(self, by_rule: Mapping[str, Matches]) -> Table:
        """Of each hit rule and kind of lesion: how many are found, and FROC."""
        rows: list[tuple[str | float | int | None, ...]] = []
        for rule, matches in by_rule.items():
            counts = drawn_anew(matches.n_images, self.seed)
            kinds = tuple(dict.fromkeys(matches.lesion_kinds))
            for kind in kinds if len(kinds) == 1 else (_ALL_KINDS, *kinds):
                of = matches if kind == _ALL_KINDS else matches.of_kind(kind)
                *at_rates, mean = froc(of, RATES, counts)
                rows.append(
                    (
                        rule,
                        kind,
                        len(of.lesion_scores),
                        *_cells(found_shares(of, counts)),
                        _cell(of.image_sensitivity),
                        _cell(of.false_positives_per_image),
                        *(_cell(rate.value) for rate in at_rates),
                        *_cells(mean),
                    )
                )
        return Table(
            name="sensitivities",
            title=f"Lesions found on test, epoch {self.epoch}; intervals: {self._how}",
            columns=(
                *("hit rule", "kind", "lesions", "sensitivity", "low", "high"),
                *("images found", "FP an image"),
                *(f"at {_fraction(rate)} FP" for rate in RATES),
                *("FROC mean", "FROC low", "FROC high"),
            ),
            rows=rows,
        )

    def images(self, looked: Looked, by_rule: Mapping[str, Matches]) -> Table:
        """What is found of whole images, with intervals: telling them apart, and their lesions."""
        labels = looked.labels.numpy()
        counts = drawn_anew(len(labels), self.seed)
        found = {"AUROC": auroc(looked.logits.double().numpy(), labels, counts)}
        found |= {
            f"diseased with a lesion found: {rule}": diseased_found(matches, counts)
            for rule, matches in by_rule.items()
        }
        return Table(
            name="images",
            title=f"Test images, epoch {self.epoch}; intervals: {self._how}",
            columns=("of images", "value", "low", "high"),
            rows=[(name, *_cells(of)) for name, of in found.items()],
        )

    @property
    def _how(self) -> str:
        return f"{100 * LEVEL:.0f} % of {REPLICATES:,} bootstrap replicates of images"

    def chosen(self, labels: Floats) -> list[int]:
        """Which test images are shown: the first with the label and the first without, by number.

        Args:
            labels: ``[N]``, 0 or 1.
        """
        diseased, healthy = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
        first = [*diseased[:_OF_DISEASED], *healthy[:_OF_HEALTHY]]
        return [int(number) for number in first] or [0]

    def pictures(
        self,
        numbers: Sequence[int],
        images: Floats,
        looked: Looked,
        proposals: Sequence[Sequence[ProposedRegion]],
        lesions: Sequence[Sequence[Region]],
    ) -> Pictures:
        """Images with their lesions, and again with map and regions.

        Args:
            numbers: Of n images.
            images: ``[n, channels, H, W]``.
            looked: At the whole split.
            proposals: Of the whole split.
            lesions: Of the whole split; empty where nobody knows.
        """
        items = []
        for number, image in zip(numbers, images, strict=True):
            shares = normalised(upsampled(looked.maps[[number]], self.size), None)[0]
            there = lesions[number] if lesions else None
            picture = drawn(image, shares, proposals[number], there or ())
            called = looked.probabilities[number]
            items.append((picture, _caption(number, called, proposals[number], there)))
        truth = "Lesions are outlined in cyan. " if lesions else ""
        return Pictures(
            name="regions",
            title=f"Test images, epoch {self.epoch}. {truth}Right: map, and regions in white",
            items=items,
        )


def _caption(
    number: int,
    probability: float,
    proposed: Sequence[ProposedRegion],
    lesions: Sequence[Region] | None,
) -> str:
    called = "diseased" if probability >= CALLED else "healthy"
    told = f"Image {number}: called {called} (probability {probability:.2f}), regions: "
    if lesions is None:
        return f"{told}{len(proposed)}"
    found = sum(any(touches(of, lesion) for of in proposed) for lesion in lesions)
    false = sum(not any(touches(of, lesion) for lesion in lesions) for of in proposed)
    return (
        f"{told}{len(proposed)}, of which false: {false}; lesions: {len(lesions)}, touched: {found}"
    )


def _cells(of: Interval) -> tuple[float | None, ...]:
    return _cell(of.value), _cell(of.low), _cell(of.high)


def _cell(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _fraction(rate: float) -> str:
    return f"{rate:g}" if rate >= 1 else f"1/{1 / rate:g}"
