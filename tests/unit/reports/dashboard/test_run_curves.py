"""Curves of trials: means over seeds, however far each has come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from reports.dashboard.showing.run_curves import charts, seeds_said, series_of
from tests.unit.reports.dashboard.clouds import record


class Reported:
    """A reader of losses: each run's by epoch."""

    def __init__(self, losses: dict[int, list[float]]) -> None:
        self._losses = losses

    def epochs(self, _study: str, *, split: str, runs: Collection[int]) -> Any:
        told = [
            (run, epoch, 7, loss)
            for run in runs
            for epoch, loss in enumerate(self._losses[run], start=1)
            if split == "train"
        ]
        return {7: ("left", "loss")}, told


def test_a_seed_that_has_not_begun_keeps_no_curve_from_being_shown() -> None:
    losses = Reported({1: [4.0, 2.0], 2: [2.0], 3: []})
    found = series_of(losses, record(), [1, 2, 3])  # type: ignore[arg-type]
    assert found == {("loss", "left", "train"): {1: 3.0, 2: 2.0}}


@pytest.mark.parametrize(
    ["reached", "said"],
    [
        ([3], "Means over 1 seed."),
        ([3, 3], "Means over 2 seeds."),
        ([0, 0], "Means over 2 seeds."),
        ([0, 5, 7], "Means over the seeds that have begun: 2 of 3 up to epoch 5, 1 up to epoch 7."),
        (
            [2, 5, 5],
            "Means over all 3 seeds up to epoch 2, then over those that have come further: 2 up to "
            "epoch 5.",
        ),
    ],
)
def test_it_is_said_what_means_are_over(reached: list[int], said: str) -> None:
    assert seeds_said(reached) == said


@pytest.mark.parametrize(
    ["spec", "card", "kept"],
    [
        ({}, {}, True),
        ({"trainer": None}, {}, True),
        ({"trainer": "cam"}, {}, False),
        ({}, {"kind": "function"}, False),
    ],
)
def test_what_trains_by_itself_has_no_curves_of_weighted_losses(
    spec: dict[str, Any], card: dict[str, Any], kept: bool
) -> None:
    plain = record(2)
    found = charts(replace(plain, spec={**plain.spec, **spec}, card={**plain.card, **card}), "ew")
    assert ({"loss", "weight"} <= {one["of"] for one in found}) is kept
