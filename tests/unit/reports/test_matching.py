"""What it costs to match a reference: arrivals for good, both ratios, and their intervals."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import load
from reports.inference import Components
from reports.spending import CostToMatch, budget_curve, costs_to_match
from reports.spending.draws import N_DRAWS, Draws
from reports.spending.matching import _arrivals, _ends
from tests.unit.reports import synthetic


def matched(search: str, *, margin: float = 1.0, **changes: Any) -> CostToMatch:
    frames = synthetic.frames(**changes)
    (found,) = costs_to_match(frames, [search], "scalarization", margin=margin)
    return found


PATH = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=1, max_size=8)


@given(PATH, st.sampled_from([0.5, 1.0, 2.5]))
def test_arriving_is_for_good(path: list[float], target: float) -> None:
    cost = np.arange(1.0, len(path) + 1)
    stays = [n for n in range(len(path)) if all(value <= target for value in path[n:])]
    wanted = cost[stays[0]] if stays else math.inf
    assert _arrivals(np.array([path]), cost, np.array([target])) == [wanted]


def test_ends_are_where_so_many_draws_are_there_from_then_on() -> None:
    # Of 40 draws, 1 is there from the first point on, 20 from the second, 39 from the third.
    begins = np.repeat([0, 1, 2, 3], [1, 19, 19, 1])
    there = np.arange(4) >= begins[:, None]
    cost, of = np.array([1.0, 2.0, 3.0, 4.0]), np.full(40, 2.0)
    assert _ends(there, cost, of) == (0.5, 1.5)
    assert _ends(there[:, :2], cost[:2], of) == (0.5, math.inf)
    assert _ends(there[1:, :1], cost[:1], of[1:]) == (math.inf, math.inf)


def test_a_share_that_falls_again_does_not_count() -> None:
    there = np.repeat([[True, False, True, True]], 40, axis=0)
    assert _ends(there, np.arange(1.0, 5.0), np.ones(40)) == (3.0, 3.0)


def test_draws_that_differ_in_the_cost_of_the_other_one_are_at_their_own_ratios() -> None:
    there = np.ones((40, 1), dtype=bool)
    of = np.linspace(1.0, 2.0, 40)
    # rising ratios 1/of: the 1st and the 39th of 40
    assert _ends(there, np.array([1.0]), of) == pytest.approx((1 / of[39], 1 / of[1]))


def test_the_fair_ratio_asks_both_for_the_same_quality() -> None:
    mine, theirs = (budget_curve(synthetic.frames(), name) for name in ("uw-so", "scalarization"))
    found = matched("uw-so")
    assert mine is not None
    assert theirs is not None
    target = theirs.value[-1] + 1.0

    def arrival(value: np.ndarray, cost: np.ndarray) -> float:
        return float(cost[next(n for n in range(len(cost)) if (value[n:] <= target).all())])

    assert found.target == target
    assert found.cost == arrival(mine.value, mine.cost)
    assert found.reference_arrival == arrival(theirs.value, theirs.cost)
    assert found.fair.value == pytest.approx(found.cost / found.reference_arrival)
    assert found.full.value == pytest.approx(found.cost / theirs.cost[-1])
    assert found.full.value < found.fair.value  # less is asked than of the whole grid


def test_a_ratio_lies_in_its_interval_and_stays_what_it_is() -> None:
    one, again = matched("uw-so"), matched("uw-so")
    assert one == again
    assert 0 < one.fair.low <= one.fair.value <= one.fair.high
    assert (
        f"UW-SO pays {one.fair.value:.2f} times (95 % interval {one.fair.low:.2f}" in one.sentence
    )


def test_who_never_gets_there_says_never() -> None:
    found = matched("ew", margin=0.5)
    assert math.isinf(found.cost)
    assert found.never_share > 0.025
    plain = found.to_plain()
    assert (plain["reached"], plain["cost"]) == (False, None)
    assert (plain["fair_ratio"]["high"], plain["fair_ratio"]["never"][-1]) == (None, "high")
    assert "EW does not get within 0.5 points of the final value of Scalar" in found.sentence


def test_a_reference_matches_itself_at_once() -> None:
    found = matched("scalarization")
    assert (found.fair.value, found.fair.low, found.fair.high) == (1.0, 1.0, 1.0)


def test_without_a_margin_the_value_itself_is_to_be_reached() -> None:
    found = matched("scalarization", margin=0.0)
    assert found.sentence.startswith("To reach the final value of Scalarization, Scalarization")


def test_one_seed_has_a_ratio_without_an_interval() -> None:
    found = matched("uw-so", seeds=(1,))
    assert math.isnan(found.fair.low)
    assert found.to_plain()["fair_ratio"]["low"] is None
    assert "one seed" in found.sentence


def test_nothing_to_match_while_nothing_is_finished() -> None:
    frames = synthetic.frames(empty=True)
    assert costs_to_match(frames, ["ew"], "scalarization", margin=1.0) == ()


def test_draws_spread_as_the_interval_says() -> None:
    """Variances of draws are those of M10, as far as t has one."""
    rng = np.random.default_rng(1)
    n_seeds, n_trials = 12, 40
    table = rng.normal(size=n_seeds) + rng.normal(scale=0.5, size=(n_trials, n_seeds))
    layout = Components.of(table)
    shares = np.vstack([np.full(n_trials, 1 / 8) * (np.arange(n_trials) < 8), np.eye(n_trials)[0]])
    drawn = Draws(n_seeds).of("ew", layout, np.array([1.0, -1.0]), shares, mixed=1.9)
    variance, _ = layout.variance(1.9 * (shares**2).sum(axis=1))
    heavy = (n_seeds - 1) / (n_seeds - 3)
    assert drawn.shape == (N_DRAWS, 2)
    assert drawn.mean(axis=0) == pytest.approx([1.0, -1.0], abs=0.05)
    assert drawn.var(axis=0) == pytest.approx(heavy * variance, rel=0.15)


def test_seeds_are_drawn_for_all_methods_at_once() -> None:
    """What a seed is worth to all methods alike cancels in their difference."""
    rng = np.random.default_rng(2)
    worth = 3 * rng.normal(size=10)
    tables = [worth + rng.normal(scale=0.01, size=(5, 10)) for _ in range(2)]
    draws, share = Draws(10), np.eye(5)[:1]
    a, b = (
        draws.of(name, Components.of(table), np.zeros(1), share, mixed=1.0)
        for name, table in zip("ab", tables, strict=True)
    )
    assert np.std(a) > 0.5
    assert np.std(a - b) < 0.05 * np.std(a)


def test_costs_alone_are_as_sure_as_the_timings_that_they_rest_on() -> None:
    def low(spread: float) -> float:
        made = synthetic.reader()
        made.rows["epoch_timings"] = [
            {"search": search, "attempt": 1, "sweep": sweep, "epoch_s": 1.0 + spread * (sweep % 2)}
            | {"study": made.name, "weighting": search, "role": "search", "hardware": "a cpu"}
            for search, spread in (("uw-so", spread), ("scalarization", 0.0))
            for sweep in range(3)
        ]
        (found,) = costs_to_match(load(made, made.name), ["uw-so"], "scalarization", margin=1.0)
        return found.fair.low

    assert low(0.0) == pytest.approx(matched("uw-so").fair.low)
    assert low(4.0) < 0.5 * low(0.0)
