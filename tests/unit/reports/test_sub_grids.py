"""Random halves and quarters of a grid, against all of them."""

import itertools
import json
import math

import numpy as np
import pytest

from reports import load
from reports.measures import winner_shares
from reports.spending import grid_resolution
from tests.unit.reports import synthetic


def grid(n: int, *, weights: list[list[float]] | None = None) -> synthetic.FakeReader:
    """A grid of `n` vectors of task weights, on three seeds."""
    rng = np.random.default_rng(n)
    values, test = rng.normal(size=(2, n, 3)).tolist()
    made = synthetic.tabled(values, test, [("grid", range(n))])
    points = weights or [[k / n, 1 - k / n] for k in range(n)]
    for row in made.rows["stage_trials"]:
        row["params_tuned"] = "task_weights"
    for row in made.rows["run_results"]:
        row["params"] = json.dumps({"lr": 0.1, "task_weights": points[row["trial"]]})
    return made


def test_a_part_of_a_grid_is_the_mean_over_all_parts_of_that_size() -> None:
    made = grid(6)
    found = grid_resolution(load(made, synthetic.STUDY), "ew")
    assert found is not None
    table = {(row["trial"], row["seed"]): row for row in made.rows["run_results"]}

    def best(part: tuple[int, ...], seed: int) -> float:
        others = [s for s in range(3) if s != seed]
        mean = {i: sum(table[i, s]["delta_m_val"] for s in others) / 2 for i in part}
        return float(table[min(mean, key=mean.__getitem__), seed]["delta_m_test"])

    assert [one.n_points for one in found.parts] == [6, 3, 2]
    for one in found.parts:
        parts = list(itertools.combinations(range(6), one.n_points))
        wanted = [math.fsum(best(part, seed) for part in parts) / len(parts) for seed in range(3)]
        assert one.by_seed == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_the_resolution_is_the_step_where_weights_are_evenly_apart() -> None:
    found = grid_resolution(load(grid(10), synthetic.STUDY), "ew")
    assert found is not None
    assert found.said == "10 vectors of weights, step 0.1"


def test_a_log_spaced_grid_has_no_step() -> None:
    weights = [[2.0**k, 1.0] for k in (-2, -1.3, 0.4, 1, 2, 3)]
    found = grid_resolution(load(grid(6, weights=weights), synthetic.STUDY), "ew")
    assert found is not None
    assert found.said == "6 vectors of weights"


def test_later_stages_are_left_out() -> None:
    found = grid_resolution(synthetic.frames(), "scalarization")
    assert found is not None
    assert found.n_points == 36
    assert [one.n_points for one in found.parts] == [36, 18, 9]
    assert found.step == pytest.approx(0.1)


def test_a_search_without_such_a_grid_has_no_resolution() -> None:
    assert grid_resolution(synthetic.frames(), "uw-so") is None
    assert grid_resolution(synthetic.frames(empty=True), "scalarization") is None


def test_the_parts_of_a_large_grid_are_exact() -> None:
    found = grid_resolution(load(grid(1001), synthetic.STUDY), "ew")
    assert found is not None
    assert [one.n_points for one in found.parts] == [1001, 501, 251]
    concentrated = [winner_shares(np.arange(1001.0), draws=[n])[0] for n in (1001, 501, 251)]
    wanted = [float(shares @ shares) for shares in concentrated]
    assert [one.concentration for one in found.parts] == pytest.approx(wanted)
