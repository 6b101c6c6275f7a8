"""95 % intervals hold the truth in 93 to 97 % of 400 simulated studies."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import METHODS, SEEDS, coverage, coverages, simulate
from reports.inference import Components, mean_of


@pytest.mark.parametrize("n_seeds", SEEDS)
def test_values_and_differences_are_covered(n_seeds: int) -> None:
    """The components are those of `digits` with five seeds, of `multimnist` and of `quickstart`.

    `python -m benchmarks.coverage --measure STUDY` prints those of a stored study. 400
    studies tell a coverage to 1.1 %: the mean over all is held to 93 to 97 %, each to 2.5 % more.
    """
    found = coverages(400, n_seeds, seed=1)
    assert len(found) == 15
    assert 0.93 <= np.mean(list(found.values())) <= 0.97
    assert {name: held for name, held in found.items() if not 0.905 <= held <= 0.995} == {}


def test_of_one_trial_the_coverage_is_exact() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(4000, 3))
    assert coverage([mean_of(row) for row in values], np.zeros(4000)) == pytest.approx(
        0.95, abs=0.01
    )


def test_studies_vary_by_their_components() -> None:
    method = METHODS["multimnist uw-so"]
    rng = np.random.default_rng(3)
    made = simulate(method, rng.normal(size=(500, 1, 10)), rng)
    found = [Components.of(table) for table in made.test]
    seeds = np.mean([one.seed_variance for one in found])
    rest = np.mean([one.residual_variance for one in found])
    assert float(seeds) == pytest.approx(method.seed_sd**2, rel=0.05)
    assert float(rest) == pytest.approx(method.residual_sd**2, rel=0.02)
