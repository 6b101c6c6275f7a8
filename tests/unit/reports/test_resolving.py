"""Seeds and trials that resolve a difference, by a pilot."""

from __future__ import annotations

import functools
import math

import pytest

from reports import load
from reports.comparing.differences import difference
from reports.comparing.resolving import Needs, needs
from reports.errors import NoPilot
from reports.inference.student import t_quantile
from reports.spending import budget_curve
from tests.unit.reports import synthetic

SIZES = (0.3, 1.0, 3.0)


@functools.cache
def found(half_width: float) -> Needs:
    return needs(synthetic.frames(epochs=3), half_width)


def half_width(sd: float, n_seeds: int) -> float:
    return float(t_quantile(0.975, n_seeds - 1)) * sd / math.sqrt(n_seeds)


@pytest.mark.parametrize("size", SIZES)
def test_so_many_seeds_resolve_it_and_one_less_does_not(size: float) -> None:
    for pair in found(size).pairs:
        sd, n_seeds = pair.difference.estimate.seed_sd, pair.seeds.value
        assert n_seeds is not None
        if n_seeds > 3:
            assert half_width(sd, n_seeds) <= size < half_width(sd, n_seeds - 1)
        else:  # as many as the pilot has, or fewer
            assert min(pair.difference.resolution, half_width(sd, n_seeds)) <= size


def test_a_smaller_difference_takes_more_seeds() -> None:
    for ends in ("low", "value", "high"):
        needed = [getattr(found(size).hardest.seeds, ends) for size in SIZES]
        assert needed == sorted(needed, reverse=True)
        assert needed[0] > needed[-1]


def test_few_seeds_leave_open_how_many_it_takes() -> None:
    for size in SIZES:
        for pair in found(size).pairs:
            low, value, high = pair.seeds.low, pair.seeds.value, pair.seeds.high
            assert low is not None
            assert value is not None
            assert low <= value <= (high or math.inf)
        assert found(0.3).typical.seeds.low != found(0.3).typical.seeds.high


def test_what_the_pilot_resolves_takes_no_more_seeds_than_it_has() -> None:
    frames = synthetic.frames(epochs=3)
    easy = difference(frames, "ew", "uw")
    assert easy is not None
    pairs = {(pair.difference.a, pair.difference.b): pair for pair in found(easy.resolution).pairs}
    assert (pairs["ew", "uw"].seeds.value or 99) <= 3


def test_with_the_pilots_seeds_its_own_resolution_is_expected() -> None:
    one = found(1.0)
    widths = sorted(pair.difference.resolution for pair in one.pairs)
    middle = (widths[(len(widths) - 1) // 2] + widths[len(widths) // 2]) / 2
    assert one.half_width_at(3) == pytest.approx(middle)
    assert one.half_width_at(1) == math.inf
    assert one.half_width_at(40) < one.half_width_at(20)


def test_trials_are_those_from_which_on_the_curve_stays_near_its_end() -> None:
    frames = synthetic.frames(epochs=3)
    for one in found(1.0).trials:
        curve = budget_curve(frames, one.search, axis="runs")
        near = curve.value <= curve.value[-1] + 1.0
        first = len(near) - int(near[::-1].argmin()) if not near.all() else 0
        assert one.trials * 3 == curve.cost[first]
        assert one.of * 3 == curve.cost[-1]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seeds": (1,)}, "has one seed"),
        ({"empty": True}, "fewer than two of them have a winner"),
    ],
)
def test_what_tells_nothing_is_no_pilot(changes: dict[str, object], why: str) -> None:
    with pytest.raises(NoPilot, match=why):
        needs(synthetic.frames(epochs=3, **changes), 1.0)


def test_a_sealed_study_tells_no_spread_of_test_values() -> None:
    reader = synthetic.reader(epochs=3)
    reader.sealed = True
    with pytest.raises(NoPilot, match="is sealed"):
        needs(load(reader, synthetic.STUDY), 1.0)
