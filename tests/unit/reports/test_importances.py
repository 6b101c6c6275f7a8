"""What parameters explain: exactly on full grids, else by estimators, each with its question."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import StudyFrames
from reports.importances import EXACT, TOGETHER, importances, sums_of_squares
from tests.unit.reports import synthetic


def frames_of(**changes: Any) -> StudyFrames:
    return synthetic.frames(epochs=6, **changes)


class Asked:
    """Estimators that remember what they were asked."""

    def __init__(self) -> None:
        self.points: Sequence[Mapping[str, Any]] = ()
        self.values: list[Sequence[float]] = []

    def __call__(
        self, points: Sequence[Mapping[str, Any]], values: Sequence[float]
    ) -> Mapping[str, Mapping[str, float]]:
        self.points = points
        self.values.append(values)
        return {"PED-ANOVA": {"lr": 0.25, "temperature": 0.75}}


@given(st.integers(0, 2**32 - 1))
def test_shares_of_a_grid_are_of_its_variance_and_sum_to_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 5, size=int(rng.integers(2, 4))))
    grid = rng.normal(size=shape)
    names = [f"p{axis}" for axis in range(grid.ndim)]
    shares = sums_of_squares(grid, names)
    assert sum(shares.values()) == pytest.approx(1)
    assert min(shares.values()) >= 0
    assert sums_of_squares(3 - 2 * grid, names) == pytest.approx(shares)


def test_what_adds_up_is_nothing_together() -> None:
    rows, columns = np.array([0.0, 4.0, 8.0]), np.array([0.0, 2.0])
    shares = sums_of_squares(rows[:, None] + columns, ["a", "b"])
    variances = np.var(rows), np.var(columns)
    assert shares["a"] == pytest.approx(variances[0] / sum(variances))
    assert shares[TOGETHER] == pytest.approx(0, abs=1e-12)
    product = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert sums_of_squares(product, ["a", "b"]) == {"a": 0.0, "b": 0.0, TOGETHER: 1.0}


def test_a_full_grid_is_told_exactly_and_nobody_is_asked() -> None:
    asked = Asked()
    (found,) = importances(frames_of(claimed=True), "ew", asked)
    assert (found.method, found.n_trials, asked.values) == (EXACT, 12, [])
    assert found.shares[0].param == "lr"
    assert "variance over the whole grid" in found.sentence
    assert all(
        one.interval and 0 <= one.interval.low <= one.interval.high <= 1 for one in found.shares
    )


def test_other_trials_are_shown_to_estimators_seed_by_seed() -> None:
    asked = Asked()
    frames = frames_of()
    (found,) = importances(frames, "uw-so", asked)
    assert [(one.param, one.value) for one in found.shares] == [("temperature", 0.75), ("lr", 0.25)]
    assert "what sets the best trials apart" in found.sentence
    assert {name for point in asked.points for name in point} == {"lr", "temperature"}
    assert [len(values) for values in asked.values] == [found.n_trials] * 3


def test_where_there_is_nothing_to_tell_nothing_is_told() -> None:
    frames = frames_of()
    assert importances(frames, "ew", Asked()) == ()  # one parameter
    assert importances(frames, "uw-so") == ()  # nobody to ask
    assert importances(frames_of(empty=True), "uw-so", Asked()) == ()


def test_with_one_seed_shares_have_no_interval() -> None:
    (found,) = importances(frames_of(claimed=True, seeds=(1,)), "ew")
    assert {one.interval for one in found.shares} == {None}
    assert "no interval" in found.sentence
