"""Scoring by hand-made numbers, and what holds for all numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.objectives import known
from storage.objectives.delta_m import delta_m
from storage.scoring import Score, Selection, mean, select

_VALUES = st.floats(min_value=-1e6, max_value=1e6)
_BASES = st.floats(min_value=1e-3, max_value=1e3) | st.floats(min_value=-1e3, max_value=-1e-3)
_DIRECTIONS = st.sampled_from(["min", "max"])
_METRICS = st.lists(st.tuples(_VALUES, _VALUES, _BASES, _DIRECTIONS), min_size=1, max_size=6)
_CURVES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)

Metrics = list[tuple[float, float, float, str]]  # two seeds' values, baseline, direction


def _columns(metrics: Metrics) -> tuple[Sequence[Any], ...]:
    return tuple(zip(*metrics, strict=True))


def test_delta_m_by_hand() -> None:
    # +50 %, and -20 % where higher is better, which is 20 % worse
    assert delta_m([3.0, 0.4], [2.0, 0.5], ["min", "max"]) == pytest.approx(35.0)


def test_better_is_negative_in_both_directions() -> None:
    assert delta_m([1.0], [2.0], ["min"]) == -50.0
    assert delta_m([3.0], [2.0], ["max"]) == -50.0


@given(metrics=_METRICS, better=st.floats(min_value=1e-6, max_value=1e3))
def test_a_better_metric_lowers_delta_m_whatever_the_signs(metrics: Metrics, better: float) -> None:
    values, _, base, directions = _columns(metrics)
    gain = -better if directions[0] == "min" else better
    improved = [values[0] + gain, *values[1:]]
    assert delta_m(improved, base, directions) <= delta_m(values, base, directions)
    alone = delta_m([base[0] + gain], base[:1], directions[:1])
    assert alone < 0.0, "better than single-task networks"


@given(metrics=_METRICS)
def test_of_positive_baselines_it_is_the_formula_of_the_papers_to_the_bit(
    metrics: Metrics,
) -> None:
    values, _, base, directions = _columns(metrics)
    positive = [abs(b) for b in base]
    parts = [
        (1.0 if direction == "min" else -1.0) * (value - b) / b
        for value, b, direction in zip(values, positive, directions, strict=True)
    ]
    assert delta_m(values, positive, directions) == 100.0 * math.fsum(parts) / len(parts)


@pytest.mark.parametrize(
    ("value", "base", "direction", "percent"),
    [
        (-0.26, -0.117, "max", 122.2),  # R2 further below 0 is worse
        (0.1, -0.117, "max", -185.5),
        (-3.0, -2.0, "min", -50.0),  # a negative log-likelihood
        (-1.0, -2.0, "min", 50.0),
    ],
)
def test_delta_m_of_negative_baselines_by_hand(
    value: float, base: float, direction: str, percent: float
) -> None:
    assert delta_m([value], [base], [direction]) == pytest.approx(percent, abs=0.05)


def test_the_epoch_of_a_negative_metric_is_its_best() -> None:
    objective = known([("a", "r2", "max")])["delta_m"]
    curve = objective.curve({("a", "r2"): [-0.5, -0.1, -0.3]}, {("a", "r2"): -0.117})
    assert select(curve, curve, selection=Selection()).epoch == 2


def test_delta_m_wants_a_baseline_for_each_metric() -> None:
    with pytest.raises(ValueError, match="zip"):
        delta_m([1.0, 2.0], [1.0], ["min", "min"])


@given(metrics=_METRICS)
def test_delta_m_of_the_baseline_is_zero(metrics: Metrics) -> None:
    _, _, base, directions = _columns(metrics)
    assert delta_m(base, base, directions) == 0.0


@given(metrics=_METRICS)
def test_delta_m_is_linear(metrics: Metrics) -> None:
    first, second, base, directions = _columns(metrics)
    of_means = delta_m([mean(pair) for pair in zip(first, second, strict=True)], base, directions)
    mean_of = mean([delta_m(first, base, directions), delta_m(second, base, directions)])
    size = max(abs(m / b) for m, b in zip((*first, *second), (*base, *base), strict=True))
    assert of_means == pytest.approx(mean_of, rel=1e-9, abs=1e-12 * 100 * (size + 1))


@given(metrics=_METRICS, seed=st.randoms(use_true_random=False))
def test_delta_m_is_blind_to_the_order_of_metrics(metrics: Metrics, seed: Any) -> None:
    shuffled = metrics[:]
    seed.shuffle(shuffled)
    values, _, base, directions = _columns(metrics)
    values_2, _, base_2, directions_2 = _columns(shuffled)
    assert delta_m(values, base, directions) == delta_m(values_2, base_2, directions_2)


@given(metrics=_METRICS, scale=st.sampled_from([0.25, 2.0, 1024.0]))
def test_delta_m_is_blind_to_units(metrics: Metrics, scale: float) -> None:
    values, _, base, directions = _columns(metrics)
    scaled = delta_m([v * scale for v in values], [b * scale for b in base], directions)
    assert scaled == pytest.approx(delta_m(values, base, directions), rel=1e-9, abs=1e-9)


@given(curve=_CURVES, lower=st.booleans())
def test_the_best_epoch_is_the_earliest_of_the_best(
    curve: list[tuple[int, int]], lower: bool
) -> None:
    validation, test = _columns(curve)  # type: ignore[arg-type]
    score = select(validation, test, selection=Selection(), lower=lower)
    best = min(validation) if lower else max(validation)
    assert score == Score(
        epoch=validation.index(best) + 1,
        validation=best,
        test=test[validation.index(best)],
    )


@given(curve=_CURVES)
def test_the_test_split_never_moves_the_epoch(curve: list[tuple[int, int]]) -> None:
    validation, test = _columns(curve)  # type: ignore[arg-type]
    seen = select(validation, test, selection=Selection())
    blind = select(validation, [0.0] * len(test), selection=Selection())
    assert seen.epoch == blind.epoch


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), Score(epoch=2, validation=1.0, test=20.0)),
        (Selection.of("best"), Score(epoch=2, validation=1.0, test=20.0)),
        (Selection.of("last"), Score(epoch=4, validation=5.0, test=40.0)),
        (Selection.of("mean_last_2"), Score(epoch=4, validation=3.0, test=35.0)),
        (Selection(rule="last"), Score(epoch=4, validation=5.0, test=40.0)),
        (Selection(rule="mean_last_k", k=2), Score(epoch=4, validation=3.0, test=35.0)),
        (Selection(rule="mean_last_k", k=9), Score(epoch=4, validation=2.5, test=25.0)),
    ],
)
def test_rules_by_hand(selection: Selection, expected: Score) -> None:
    validation, test = [3.0, 1.0, 1.0, 5.0], [10.0, 20.0, 30.0, 40.0]
    assert select(validation, test, selection=selection) == expected


@given(values=st.lists(_VALUES, min_size=1, max_size=20), seed=st.randoms(use_true_random=False))
def test_the_mean_is_blind_to_order(values: list[float], seed: Any) -> None:
    before = mean(values)
    seed.shuffle(values)
    assert mean(values) == before


def test_the_mean_is_rounded_once() -> None:
    assert mean([0.1] * 10) == 0.1
    assert mean([1e16, 1.0, -1e16]) == math.fsum([1.0]) / 3
