"""Which trial has a method's defaults."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from reports import load
from reports.comparing.defaults import defaults_of
from tests.unit.reports import synthetic
from tests.unit.reports.noted import params_of


def default(points: Sequence[Mapping[str, Any]], kind: str = "grid", **spec: Any) -> int | None:
    """The trial that has the defaults, of a first stage with these points and a later trial."""
    values = [[float(k), float(k)] for k in range(len(points) + 1)]
    stages = [(kind, range(len(points))), ("neighbours", [len(points)])]
    made = synthetic.tabled(values, values, stages)
    params_of(made, [*points, {"lr": 1e-9}])
    made.spec["training"] |= spec.get("training", {})
    made.spec["search"][0] |= {"hyper": spec["hyper"]} if "hyper" in spec else {}
    return defaults_of(load(made, "x"), "ew")


def rates(*values: float) -> list[dict[str, float]]:
    return [{"lr": value, "weight_decay": 0.0} for value in values]


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ((1e-3, 3e-3, 1e-2, 3e-2, 1e-1), 2),
        ((1e-4, 1e-2), 0),  # as near: the smaller one
        ((1e-2, 1e-4), 1),
        ((5e-2,), 0),
    ],
)
def test_it_is_the_middle_one_of_the_rates_of_the_first_stage(
    tried: tuple[float, ...], expected: int
) -> None:
    assert default(rates(*tried)) == expected


def test_a_rate_of_the_spec_comes_before_the_middle() -> None:
    assert default(rates(1e-3, 1e-2, 1e-1), training={"lr": 7e-2}) == 2


def test_of_a_product_each_parameter_is_the_nearest_one() -> None:
    points = [{"lr": lr, "weight_decay": wd} for wd in (1e-4, 0.0) for lr in (1e-3, 1e-2, 1e-1)]
    assert default(points, training={"weight_decay": 0.0}) == 4


def test_weights_rest_at_equal_ones_and_hyperparameters_where_the_spec_says() -> None:
    weights = ([0.6, 0.2, 0.2], [0.3, 0.3, 0.4], [0.1, 0.8, 0.1])
    assert default([{"lr": 1e-2, "task_weights": list(point)} for point in weights]) == 1
    points = [{"lr": 1e-2, "temperature": value} for value in (1.0, 2.0, 8.0)]
    assert default(points) == 1
    assert default(points, hyper={"temperature": 7.0}) == 2


def test_a_stage_that_draws_its_points_tells_no_defaults() -> None:
    assert default(rates(1e-3, 1e-2, 1e-1), kind="random") is None


def test_words_have_no_nearest_one() -> None:
    assert default([{"lr": 1e-2, "mode": mode} for mode in ("a", "b")]) is None


def test_a_study_without_trials_has_none() -> None:
    made = synthetic.tabled([[1.0]], [[1.0]], [])
    assert defaults_of(load(made, "x"), "ew") is None
