"""Strategies that are replayed, one by one: what they play, cost and refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.replaying import RecordedTable, rungs
from reports.replaying.playing import on_table
from reports.replaying.strategies import strategies
from reports.replaying.strategies._rungs import best_share
from reports.replaying.strategies.racing import racing
from study.cli._replay import _kept_share
from study.spec.stopping import HalvingRule, pruned
from tests.unit.reports.recorded import made_up, noiseless, play, table, tried

VALUES = st.floats(-9, 9) | st.sampled_from([0.0, 1.0]) | st.just(math.inf)


@given(
    st.lists(VALUES, min_size=1, max_size=30),
    st.integers(2, 12),
    st.randoms(use_true_random=False),
)
def test_a_rung_is_judged_by_the_rule_of_stages(values: list[float], eta: int, random: Any) -> None:
    alive = [random.random() < 0.8 for _ in values]
    goes_on = best_share(np.array([values]), np.array([alive]), eta)[0]
    there = {k: [v] for k, v in enumerate(values) if alive[k] and math.isfinite(v)}
    rule = HalvingRule(rule="halving", rungs=[1], keep=float(_kept_share(eta)))
    assert set(np.flatnonzero(goes_on)) == set(there) - pruned(rule, there)


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(2, 7))
def test_asha_stops_by_the_asynchronous_rule_of_stages(seed: int, n: int, eta: int) -> None:
    on = made_up(seed, n, 1)
    order = np.random.default_rng(seed).permutation(n)
    at = rungs(on.n_epochs, eta)
    ((_, found),) = strategies(eta=eta)["asha"].plays(on, 0, order[None], np.random.default_rng(0))
    steps = [(t, k) for t, k in zip(found.trials[0], found.reached[0], strict=True) if t >= 0]
    keep = float(_kept_share(eta))
    rule = HalvingRule(rule="halving", rungs=list(at), keep=keep, asynchronous=True)
    seen: list[dict[int, list[float]]] = [{} for _ in at]
    literal = []
    for trial in order:
        literal.append((trial, 0))
        for k, rung in enumerate(at):
            seen[k][trial] = [float(on.keys_by_epoch[trial, 0, rung - 1])]
            if trial in pruned(rule, seen[k]):
                break
            literal.append((trial, k + 1))
    assert steps == literal


def test_halving_costs_what_its_rungs_say() -> None:
    found = play(noiseless(range(9), n_epochs=9), "halving")
    # 9 to epoch 1, 3 on to epoch 3, 1 on to the end
    assert found.rows[0].cost["epochs"] == 9 * 1 + 3 * 2 + 1 * 6


def test_hyperband_deals_out_its_brackets() -> None:
    found = play(noiseless(range(17), n_epochs=9), "hyperband")
    # 9 trials from epoch 1, 5 from epoch 3, 3 trained out
    assert found.rows[0].cost["epochs"] == (9 + 3 * 2 + 6) + (5 * 3 + 2 * 6) + 3 * 9


def test_a_trial_that_diverges_on_the_seed_that_scores_wins_no_race() -> None:
    rows = [[[0.0], [0.0], [math.inf]], [[0.1], [0.2], [0.3]]]
    (row,) = play(table(rows, curves=False), "racing").rows
    assert row.at_end.mean == pytest.approx(0.2)
    assert row.finds_winner == 1.0


def test_racing_drops_who_is_clearly_behind() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (4, 4))
    on = table((noise + np.array([[0], [0], [10], [11]]))[:, :, None], curves=False)
    (row,) = play(on, "racing").rows
    assert row.cost["epochs"] <= 2 * 4 + 2 * 2  # two trials leave after two seeds
    assert row.at_end.mean == pytest.approx(play(on, "random").rows[0].at_end.mean)


def test_the_best_trial_of_a_race_seldom_leaves() -> None:
    rng = np.random.default_rng(0)
    tables = [rng.normal(size=(8, 2)) for _ in range(600)]
    lost = np.mean([~racing(keys)[0, -1] for keys in tables])  # all are equal, so it is as good
    assert 0.0 < lost < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 600)


def grid(values: list[list[float]]) -> RecordedTable:
    """Learning rates by weight decays."""
    rows = [
        ({"lr": 10.0**-k, "wd": 10.0**-j}, value)
        for k, row in enumerate(values)
        for j, value in enumerate(row)
    ]
    return table(np.array([v for _, v in rows])[:, None, None], points=[p for p, _ in rows])


def test_stages_tune_one_parameter_after_the_other() -> None:
    # the middle of wd is the second column, in which the third row is the best
    on = grid([[9.0, 5.0, 9.0], [0.0, 6.0, 9.0], [7.0, 4.0, 3.0]])
    found = tried(on, "staged")
    assert found == [1, 4, 7, 6, 8]
    (row,) = play(on, "staged").rows
    assert (row.at_end.mean, row.cost["epochs"], row.finds_winner) == (3.0, 5, 0.0)


@given(
    st.lists(st.integers(-99, 99), min_size=2, max_size=5, unique=True),
    st.lists(st.integers(-99, 99), min_size=2, max_size=5, unique=True),
)
def test_stages_find_the_winner_where_parameters_do_not_touch(a: list[int], b: list[int]) -> None:
    (row,) = play(grid([[float(x + y) for y in b] for x in a]), "staged").rows
    assert row.finds_winner == 1.0
    assert row.cost["epochs"] == len(a) + len(b) - 1


def test_rows_of_weights_rest_at_the_most_equal_one() -> None:
    weights = [[0.1, 0.9], [0.4, 0.6], [0.8, 0.2]]
    points = [{"lr": lr, "task_weights": w} for lr in (1.0, 2.0) for w in weights]
    on = table(np.arange(6.0)[:, None, None], points=points)
    found = tried(on, "staged")
    assert found == [1, 4, 0, 2]


def test_a_line_goes_from_coarse_to_fine() -> None:
    on = noiseless([abs(k - 5) for k in range(9)])
    found = tried(on, "line")
    # 1, 5 and 9 of x; then 7 and 3 (sqrt(45) and sqrt(5), 2.2 is nearer to 2); then 6
    assert found[:3] == [0, 4, 8]
    assert 5 in found
    assert len(found) < 9


@pytest.mark.parametrize(
    ("on", "name", "why"),
    [
        (noiseless([1.0, 2.0], n_epochs=2), "halving", "after at least one epoch in 3"),
        (table([[[1.0] * 9]], curves=False), "asha", "epochs are not recorded"),
        (table([[[1.0] * 9]], curves=False), "hyperband", "epochs are not recorded"),
        (noiseless([1.0, 2.0], n_seeds=2), "racing", "the study has 2"),
        (table([[[1.0]]], points=[{"a": 1.0, "b": 2.0}]), "line", "this stage tunes a, b"),
        (table([[[1.0]]], points=[{"a": "x"}]), "line", "which a is not"),
        (table([[[1.0]]], points=[{"a": -1.0}]), "line", "of 0 or above"),
        (table([[[1.0]]], left_out=2), "line", "2 of its trials"),
        (table([[[1.0]]]), "tpe", "none was passed in"),
        (table([[[1.0]]]), "staged", "this stage has x"),
        (
            table([[[1.0]], [[2.0]]], points=[{"a": 1, "b": 1}, {"a": 2, "b": 2}]),
            *("staged", "2 of 4 are there"),
        ),
    ],
)
def test_what_cannot_be_replayed_says_why(on: RecordedTable, name: str, why: str) -> None:
    found = on_table(on, {name: strategies()[name]}, orders=5)
    assert found.rows == ()
    assert why in found.refused[name]


@pytest.mark.parametrize(
    ("n_epochs", "eta", "at"),
    [(30, 3, (2, 4, 10)), (12, 3, (2, 4)), (9, 3, (1, 3)), (8, 2, (1, 2, 4)), (2, 3, ())],
)
def test_rungs_rise_by_eta(n_epochs: int, eta: int, at: tuple[int, ...]) -> None:
    assert rungs(n_epochs, eta) == at
