"""What an epoch takes alone, and the cost ratios that rest on it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.comparing.cost_ratio import CostRatio, cost_ratio
from reports.frames import StudyFrames, load
from reports.timings import StepRatio, epoch_times, step_ratio
from tests.unit.reports import synthetic

MINE, OTHER = "uw-so", "scalarization"
SECONDS = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=6)


def timed(**sweeps: list[float]) -> StudyFrames:
    """The made-up study in packs, with timings by search; two sweeps are of one calibration."""
    made = synthetic.reader()
    made.engine = "fused"
    names = {"mine": MINE, "other": OTHER}
    made.rows["epoch_timings"] = [
        {
            "study": made.name,
            "search": names[name],
            "weighting": names[name],
            "role": "search",
            "attempt": number // 2,
            "sweep": number % 2,
            "hardware": "a cpu",
            "measured": "2026-01-01T00:00:00+00:00",
            "epoch_s": epoch_s,
        }
        for name, values in sweeps.items()
        for number, epoch_s in enumerate(values)
    ]
    return load(made, made.name)


def ratio_of(mine: list[float], other: list[float]) -> StepRatio:
    found = step_ratio(timed(mine=mine, other=other), MINE, OTHER)
    assert found is not None
    return found


def test_an_epoch_takes_the_mean_of_its_timings_with_its_error() -> None:
    (time,) = epoch_times(timed(mine=[1.0, 2.0, 3.0])).values()
    assert (time.mean_s, time.n) == (2.0, 3)
    assert time.error_s == pytest.approx(1 / math.sqrt(3))


def test_one_timing_has_no_error() -> None:
    assert math.isnan(epoch_times(timed(mine=[1.0]))[MINE].error_s)


def test_steps_that_are_always_twice_as_long_are_told_apart_whatever_the_drift() -> None:
    found = ratio_of([2.0, 20.0, 200.0], [1.0, 10.0, 100.0])
    assert found.value == pytest.approx(2.0)
    assert found.interval.half_width == pytest.approx(0.0, abs=1e-9)
    assert found.told_apart


def test_steps_that_are_now_longer_and_now_shorter_are_not_told_apart() -> None:
    found = ratio_of([1.0, 1.2, 0.9], [1.1, 1.0, 1.0])
    assert not found.told_apart
    assert found.n == 3


def test_the_interval_is_that_of_t_by_hand() -> None:
    found = ratio_of([1.0, math.e**2], [1.0, 1.0])
    assert found.value == pytest.approx(math.e)
    # two logarithms, 0 and 2: standard error 1, t of one degree of freedom 12.706
    assert math.log(found.interval.high) == pytest.approx(1 + 12.7062047, rel=1e-6)


@given(mine=SECONDS, other=SECONDS)
@settings(max_examples=15, deadline=None)
def test_the_other_way_round_is_the_inverse(mine: list[float], other: list[float]) -> None:
    n = min(len(mine), len(other))
    frames = timed(mine=mine[:n], other=other[:n])
    there, back = step_ratio(frames, MINE, OTHER), step_ratio(frames, OTHER, MINE)
    assert there is not None
    assert back is not None
    assert back.value == pytest.approx(1 / there.value)
    assert math.log(back.interval.high) == pytest.approx(-math.log(there.interval.low), abs=1e-9)


@pytest.mark.parametrize("sweeps", [{}, {"mine": [1.0, 2.0]}, {"mine": [1.0], "other": [1.0, 2.0]}])
def test_without_two_common_sweeps_there_is_no_ratio(sweeps: dict[str, list[float]]) -> None:
    assert step_ratio(timed(**sweeps), MINE, OTHER) is None


def test_draws_spread_as_far_as_the_interval() -> None:
    found = ratio_of([1.0, 1.2, 0.9, 1.0, 1.1], [1.1, 1.0, 1.0, 1.2, 1.0])
    ends = np.quantile(found.value * found.draws(200_000), [0.025, 0.975])
    assert ends == pytest.approx([found.interval.low, found.interval.high], rel=0.02)


def said(frames: StudyFrames) -> str:
    found = cost_ratio(frames, MINE, OTHER)
    assert found is not None
    return found.in_words("SCALARIZATION")


def test_a_cost_ratio_has_the_spread_of_its_timings() -> None:
    frames = timed(mine=[2.0, 2.2, 2.1], other=[1.0, 1.0, 1.0])
    found = cost_ratio(frames, MINE, OTHER)
    assert found is not None
    plain = found.to_plain()
    assert plain["low"] < plain["alone"] < plain["high"]
    assert plain["high"] / plain["alone"] == pytest.approx(
        plain["step_ratio_high"] / plain["step_ratio"]
    )
    assert "95 % interval" in said(frames)
    assert "ratio of runs" not in said(frames)


def test_where_steps_are_not_told_apart_it_is_a_ratio_of_runs() -> None:
    assert "a ratio of runs, as far as timing tells" in said(
        timed(mine=[1.0, 1.1], other=[1.1, 1.0])
    )


def test_without_timings_packs_have_a_ratio_of_epochs() -> None:
    text = said(timed())
    assert "% of the epochs of SCALARIZATION" in text
    assert "was not timed" in text


def test_without_packs_it_is_one_of_device_seconds() -> None:
    found = CostRatio(alone=0.5, as_run=0.5, epochs=0.4, packed=False, steps=None)
    assert found.in_words("X") == "50 % of the device-seconds of X"


def test_a_search_has_no_cost_ratio_to_itself_or_to_none() -> None:
    assert cost_ratio(timed(), MINE, MINE) is None
    assert cost_ratio(timed(), MINE, None) is None


def test_draws_of_two_sweeps_are_numbers_however_far_the_tails_go() -> None:
    """An endless one would be told as a search that never arrives."""
    found = ratio_of([1.0, 1.0], [1.0, 3.0])
    drawn = found.draws(2000)
    assert np.isfinite(drawn).all()
    assert drawn.min() > 0
