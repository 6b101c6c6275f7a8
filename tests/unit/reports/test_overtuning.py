"""Overtuning, held against all orders of a search's trials."""

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import load
from reports.spending.overtuning import Overtuning, overtuning
from tests.unit.reports import synthetic

Stages = Sequence[tuple[str, Sequence[int]]]


def of(validation: Sequence[Sequence[float | None]], test: object, stages: Stages) -> Overtuning:
    made = synthetic.tabled(validation, test, stages)  # type: ignore[arg-type]
    found = overtuning(load(made, "x"), "ew")
    assert found is not None
    return found


def orders(stages: Stages) -> Iterator[list[int]]:
    """All orders that a search could have had: those of a line are as they are."""
    parts = [
        list(itertools.permutations(trials)) if kind == "grid" else [tuple(trials)]
        for kind, trials in stages
    ]
    for picked in itertools.product(*parts):
        yield [trial for part in picked for trial in part]


def enumerated(
    validation: Sequence[Sequence[float | None]], test: Sequence[Sequence[float]], stages: Stages
) -> tuple[list[float], list[float]]:
    """Loss and gain by seed, order by order."""
    lost, gained = [], []
    n_seeds = len(test[0])
    for seed in range(n_seeds):
        losses, gains = [], []
        for order in orders(stages):
            held: list[int] = []
            for trial in order:
                if None in validation[trial]:
                    continue
                key = mean_without(validation[trial], seed)
                if not held or (key, trial) < (mean_without(validation[held[-1]], seed), held[-1]):
                    held.append(trial)
            best = min(test[trial][seed] for trial in held)
            losses.append(test[held[-1]][seed] - best)
            gains.append(test[held[0]][seed] - best)
        lost.append(float(np.mean(losses)))
        gained.append(float(np.mean(gains)))
    return lost, gained


def mean_without(values: Sequence[float | None], seed: int) -> float:
    return float(np.mean([v for k, v in enumerate(values) if k != seed and v is not None]))


LEVELS = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0])


@given(st.data(), st.integers(1, 4), st.integers(0, 3), st.sampled_from(["grid", "line"]))
def test_it_is_that_of_all_orders(data: st.DataObject, first: int, second: int, kind: str) -> None:
    n_trials = first + second
    row = st.lists(LEVELS, min_size=2, max_size=2)
    table = st.lists(row, min_size=n_trials, max_size=n_trials)
    validation: list[list[float | None]] = [list(row) for row in data.draw(table)]
    test = data.draw(table)
    diverged = data.draw(st.sets(st.integers(1, n_trials)))  # trial 0 always has a value
    for trial in diverged - {n_trials}:
        validation[trial][0] = None
    stages = [("grid", range(first)), (kind, range(first, n_trials))][: 2 if second else 1]
    found = of(validation, test, stages)
    lost, gained = enumerated(validation, test, stages)
    assert found.by_seed == pytest.approx(lost, abs=1e-12)
    assert found.gained_by_seed == pytest.approx(gained, abs=1e-12)


def test_the_ratio_is_what_was_lost_of_what_was_gained() -> None:
    """As run: 10, then 4, then 7, which the other seed takes for better still."""
    test = [[10.0, 10.0], [4.0, 4.0], [7.0, 7.0]]
    found = of([[3.0, 3.0], [2.0, 2.0], [1.0, 1.0]], test, [("line", (0, 1, 2))])
    assert (found.value, found.gained, found.ratio) == (3.0, 6.0, 0.5)


def test_where_nothing_was_gained_there_is_no_ratio() -> None:
    found = of([[2.0, 2.0], [1.0, 1.0]], [[4.0, 4.0], [7.0, 7.0]], [("line", (0, 1))])
    assert found.value == 3.0
    assert math.isnan(found.ratio)


def test_where_higher_is_better_a_loss_is_a_lower_value() -> None:
    made = synthetic.tabled(
        [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]],
        [[1.0, 1.0], [9.0, 9.0], [7.0, 7.0]],
        [("line", (0, 1, 2))],
    )
    made.spec["objective"] = "sum.within_1"
    for row in made.rows["run_results"]:
        row |= {"value_val": row["delta_m_val"], "value_test": row["delta_m_test"]}
    found = overtuning(load(made, "x"), "ew")
    assert found is not None
    assert (found.value, found.gained) == (2.0, 8.0)


def test_one_seed_cannot_choose_and_score() -> None:
    assert overtuning(load(synthetic.tabled([[1.0]], [[1.0]], [("grid", (0,))]), "x"), "ew") is None


def test_a_search_without_a_winner_has_none() -> None:
    made = synthetic.tabled([[None, None]], [[1.0, 1.0]], [("grid", (0,))])
    assert overtuning(load(made, "x"), "ew") is None
