"""Claims about all trials or several studies: weight decay, size, and what no mix reaches."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import StudyFrames
from reports.claims import Sized, size_matters
from reports.claims.concave_share import (
    Changes,
    beyond,
    concave_share,
    held_out_depths,
    share_beyond,
)
from reports.claims.decay_matters_less import decay_matters_less, larger, left_at_default
from reports.claims.full_grids import FullGrid, full_grids
from reports.claims.size_matters import falling, slope_of_spread
from reports.inference import mean_of
from reports.inference.spreads import jackknifed, spread_squared
from tests.unit.reports import synthetic


def frames_of(**changes: Any) -> StudyFrames:
    return synthetic.frames(epochs=6, **changes)


# -- weight decay ---------------------------------------------------------------------------


def a_grid(test: np.ndarray, keys: np.ndarray | None = None) -> FullGrid:
    """Rates and decays of which the default ones are the middle and the first."""
    return FullGrid(
        search="ew",
        rates=np.array([1e-3, 1e-2, 1e-1]),
        decays=np.array([0.0, 1e-4]),
        keys=test if keys is None else keys,
        test=test,
        runs=np.zeros(test.shape, dtype=np.int64),
    )


def test_what_is_lost_at_the_default_is_averaged_over_the_other_one() -> None:
    one = np.array([[5.0, 1.0], [7.0, 2.0], [6.0, 4.0]])
    lost = left_at_default(frames_of(claimed=True), a_grid(np.stack([one, one], axis=2)))
    assert lost[0] == pytest.approx([1.5, 1.5])  # (7 - 5, 2 - 1)
    assert lost[1] == pytest.approx([11 / 3] * 2)  # (5 - 1, 7 - 2, 6 - 4)


@pytest.mark.parametrize("rates", [[0.05, 0.2], [0.01, 0.1], [0.02, 0.05, 0.2, 0.5]])
def test_of_two_rates_as_near_the_smaller_one_is_the_default(rates: list[float]) -> None:
    lower = len(rates) // 2 - 1
    test = np.full((len(rates), 2, 2), 3.0)
    test[lower] = 0.0
    grid = replace(a_grid(test), rates=np.array(rates))
    assert left_at_default(frames_of(claimed=True), grid)[0] == pytest.approx([0.0, 0.0])


def test_other_seeds_choose_and_this_one_judges() -> None:
    keys = np.zeros((3, 2, 2))
    keys[0, :, 0], keys[2, :, 1] = -1, -1  # each seed has another best rate
    test = np.zeros((3, 2, 2))
    test[0, :, 1], test[2, :, 0] = 4, 6  # which is bad on the other seed
    lost = left_at_default(frames_of(claimed=True), a_grid(test, keys))
    assert lost[0] == pytest.approx([-6.0, -4.0])


def test_values_at_which_all_diverged_say_nothing() -> None:
    test = np.ones((3, 2, 2))
    test[1, 0] = 3.0
    test[:, 1] = np.inf
    assert left_at_default(frames_of(claimed=True), a_grid(test))[0] == pytest.approx([2.0, 2.0])


def test_the_grid_of_a_study_is_found_and_asked() -> None:
    frames = frames_of(claimed=True)
    (grid,) = full_grids(frames)
    assert (grid.search, grid.test.shape) == ("ew", (4, 3, 3))
    found = decay_matters_less(frames)
    rate, decay = left_at_default(frames, grid)
    assert found.finding == larger(mean_of(rate - decay))
    assert len(found.runs[synthetic.STUDY]) == 36
    assert decay_matters_less(frames_of()).finding == "not asked"


# -- size -----------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_what_a_seed_is_worth_to_all_changes_no_spread(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(6, 4))
    alike = values + rng.normal(size=4)
    assert spread_squared(alike) == pytest.approx(spread_squared(values))
    assert spread_squared(3 * values) == pytest.approx(9 * spread_squared(values))


def test_the_spread_is_that_of_true_values_on_average() -> None:
    rng = np.random.default_rng(0)
    true = np.array([0.0, 1.0, 2.0, 5.0])
    found = [spread_squared(true[:, None] + rng.normal(size=(4, 3))) for _ in range(4000)]
    assert np.mean(found) == pytest.approx(np.var(true, ddof=1), rel=0.03)


def test_leaving_seeds_out_gives_a_mean_its_usual_interval() -> None:
    values = np.array([1.0, 2.0, 4.0, 8.0])
    assert jackknifed(lambda v: float(np.mean(v)), values) == mean_of(values)
    assert jackknifed(lambda v: float(np.mean(v)), values[:2]).interval() is None


def test_intervals_of_slopes_cover() -> None:
    rng = np.random.default_rng(0)
    sizes, spreads = np.array([3e2, 2e3, 2e4]), np.array([3.0, 2.0, 1.0])
    true = slope_of_spread(np.stack([_spread_out(one) for one in spreads]), sizes).value
    inside = 0
    for _ in range(300):
        noise = rng.normal(size=(3, 8, 4)) + rng.normal(size=(3, 1, 4))
        values = np.stack([_spread_out(one) for one in spreads]) + noise
        interval = slope_of_spread(values, sizes).interval()
        assert interval is not None
        inside += not interval.excludes(true)
    assert 0.92 <= inside / 300 <= 0.99


def _spread_out(sd: float) -> np.ndarray:
    at = np.arange(8.0)
    return np.repeat(((at - at.mean()) / at.std(ddof=1) * sd)[:, None], 4, axis=1)


def several(sizes: tuple[int | None, ...], **changes: Any) -> list[Sized]:
    frames = frames_of(**changes)
    named = (replace(frames, name=f"study {at}") for at in range(len(sizes)))
    return [Sized(frames=one, n_parameters=n) for one, n in zip(named, sizes, strict=True)]


def test_where_methods_spread_alike_the_slope_is_nothing() -> None:
    found = size_matters(several((20_000, 300, 2_000)))
    assert found.finding == "undecided"
    assert found.effects[0].value == pytest.approx(0, abs=1e-9)
    assert [effect.name for effect in found.effects[1:]] == [
        f"squared spread with {n} parameters" for n in (300, 2_000, 20_000)
    ]
    assert list(found.runs) == ["study 1", "study 2", "study 0"]


@pytest.mark.parametrize(
    ("sizes", "changes", "wanted"),
    [
        ((None,), {}, "three sizes"),
        ((300, 300, 2_000), {}, "three sizes"),
        ((300, 2_000, None), {}, "be counted"),
        ((300, 2_000, 20_000), {"empty": True}, "single-task networks"),
        ((300, 2_000, 20_000), {"seeds": (1, 2)}, "three common seeds"),
    ],
)
def test_what_sizes_need_is_said(
    sizes: tuple[int | None, ...], changes: dict[str, Any], wanted: str
) -> None:
    found = size_matters(several(sizes, **changes))
    assert found.finding == "not asked"
    assert wanted in found.said


def test_outstanding_runs_of_one_size_leave_it_undecided() -> None:
    found = size_matters(several((300, 2_000, 20_000), unfinished=True))
    assert found.finding == "undecided"
    assert "study 0: " in found.said


def test_a_slope_is_told_by_all_of_its_interval() -> None:
    assert falling(mean_of([-3.0, -3.1, -2.9])) == "supported"
    assert falling(mean_of([3.0, 3.1, 2.9])) == "not supported"
    assert falling(mean_of([-3.0, 3.1])) == "undecided"


# -- what no mix reaches --------------------------------------------------------------------

LINE = np.array([[0.0, 4.0], [2.0, 2.0], [4.0, 0.0]])  # of the grid; mixes lie on it


def held_against_the_line(points: np.ndarray, noise: float = 0.0, n_seeds: int = 4) -> Changes:
    table = np.concatenate([LINE, points])
    rng = np.random.default_rng(0)
    values = table[:, None] + noise * rng.normal(size=(len(table), n_seeds, 2))
    return Changes(
        values=values,
        runs=np.zeros(values.shape[:2], dtype=np.int64),
        of_grid=np.arange(len(table)) < len(LINE),
    )


def test_the_share_is_of_other_methods_on_the_joint_front() -> None:
    others = np.array([[1.0, 2.5], [1.0, 3.0], [0.5, 3.6], [5.0, 5.0], [-1.0, 4.5]])
    changes = held_against_the_line(others)
    share, rows, _ = share_beyond(changes.values[:, 0], changes.of_grid)
    assert rows.tolist() == [3, 5, 7]  # (1, 3) and (5, 5) are dominated
    assert share == pytest.approx(2 / 3)  # (0.5, 3.6) is above the line


def test_depths_are_those_of_the_seed_that_was_left_out() -> None:
    changes = held_against_the_line(np.array([[0.5, 0.5]]))
    depths = held_out_depths(changes)
    assert depths == pytest.approx(np.full((2, 4), 1.5))  # (2 - 0.5) in each coordinate
    best, mix = map(mean_of, depths)
    assert beyond(best, mix, np.ones(4)) == "supported"


def test_what_noise_puts_beyond_is_not_supported_by_what_is_held_out() -> None:
    on_it = np.array([[s, 4.0 - s] for s in np.linspace(0.1, 3.9, 8)])
    changes = held_against_the_line(on_it, noise=0.5)
    shares = [share_beyond(one, changes.of_grid)[0] for one in changes.values.swapaxes(0, 1)]
    assert np.mean(shares) > 0.5
    best, mix = map(mean_of, held_out_depths(changes))
    assert beyond(best, mix, np.array(shares)) != "supported"


def test_where_nothing_lies_beyond_it_is_not_supported() -> None:
    changes = held_against_the_line(np.array([[3.0, 3.0]]))
    best, mix = map(mean_of, held_out_depths(changes))
    assert beyond(best, mix, np.zeros(4)) == "not supported"


def test_a_whole_study_is_asked_about_all_of_its_trials() -> None:
    found = concave_share(frames_of())
    assert found.finding != "not asked"
    assert [effect.unit for effect in found.effects] == ["%", "points", "points"]
    assert concave_share(frames_of(empty=True)).finding == "not asked"
