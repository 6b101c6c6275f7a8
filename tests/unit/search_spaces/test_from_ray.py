"""Ray Tune's own domains become spaces."""

from typing import Any

import pytest
from ray import tune

from search_spaces import Axis, Choices, LogRange, Range, from_ray
from search_spaces.errors import BadAxis, BadValue, SpaceError, TooManyPoints, WrongType
from search_spaces.whole import IntRange, LogIntRange


@pytest.mark.parametrize(
    ("domain", "axis"),
    [
        (tune.uniform(0, 1), Range(0, 1)),
        (tune.loguniform(1e-5, 1e-1), LogRange(1e-5, 1e-1)),
        (tune.quniform(0, 0.5, 0.1), Range(0, 0.5, points=6)),
        (tune.quniform(0.3, 0.9, 0.3), Range(0.3, 0.9, points=3)),
        (tune.randint(1, 4), IntRange(1, 3)),
        (tune.randint(0, 10**6), IntRange(0, 10**6 - 1)),
        (tune.qrandint(8, 32, 8), IntRange(8, 32, step=8)),
        (tune.qrandint(5, 30, 8), IntRange(8, 24, step=8)),
        (tune.qrandint(1, 4), IntRange(1, 3)),
        (tune.lograndint(4, 129), LogIntRange(4, 128)),
        (tune.choice(["adam", "sgd"]), Choices(["adam", "sgd"])),
        (tune.grid_search([1, 2]), Choices([1, 2])),
        (tune.grid_search([[0.9, 0.99], [0.8, 0.9]]), Choices([(0.9, 0.99), (0.8, 0.9)])),
        (tune.search.sample.Float(0.0, 1.0), Range(0, 1)),
        (32, Choices([32])),
        (None, Choices([None])),
        ({"name": "sgd", "nesterov": False}, Choices([{"name": "sgd", "nesterov": False}])),
        (tune.choice([None, {"depth": 2}]), Choices([None, {"depth": 2}])),
        ("relu", Choices(["relu"])),
        (False, Choices([False])),
    ],
)
def test_each_domain_has_its_axis(domain: Any, axis: Axis) -> None:
    assert from_ray({"x": domain}).axes == {"x": axis}


@pytest.mark.parametrize(
    "domain",
    [tune.randint(1, 4), tune.qrandint(1, 4), tune.qrandint(3, 20, 5), tune.quniform(0, 1, 0.25)],
)
def test_every_value_that_ray_draws_is_on_the_axis(domain: Any) -> None:
    drawn = set(domain.sample(size=300, random_state=0))
    assert drawn == set(from_ray({"x": domain}).axes["x"].points())


def test_layers_stay_whole_and_task_weights_are_floats() -> None:
    space = from_ray(
        {"hidden": tune.choice([(8, 16), (4,)]), "task_weights": tune.grid_search([[1, 0], [0, 1]])}
    )
    points = [(point["hidden"], point["task_weights"]) for point in space.grid()]
    assert repr(points[0]) == "((8, 16), (1.0, 0.0))"


def test_what_depends_on_another_is_there_for_its_values_only() -> None:
    space = from_ray(
        {"opt": tune.choice(["adam", "sgd"]), "momentum": tune.grid_search([0.8, 0.9])},
        when={"momentum": {"opt": "sgd"}},
    )
    assert list(space.grid()) == [
        {"opt": "adam"},
        {"opt": "sgd", "momentum": 0.8},
        {"opt": "sgd", "momentum": 0.9},
    ]


def test_rows_of_task_weights_keep_their_rules() -> None:
    rows = tune.grid_search([[0.5, 0.5], [0.25, 0.75]])
    space = from_ray({"task_weights": rows})
    assert [point["task_weights"] for point in space.grid()] == [(0.5, 0.5), (0.25, 0.75)]


def _computed(config: dict[str, Any]) -> float:
    return float(config["lr"])


@pytest.mark.parametrize(
    ("name", "found", "error", "message"),
    [
        ("n", tune.qlograndint(4, 128, 4), BadAxis, "`n`: There is no axis of steps .*of 4"),
        ("x", tune.qloguniform(0.1, 10, 0.1), BadAxis, "steps on a logarithmic scale.*choice"),
        ("x", tune.randn(0, 1), BadAxis, "`x`: There is no axis of numbers drawn as Normal"),
        ("x", tune.qrandn(0, 1, 0.5), BadAxis, "drawn as Normal"),
        ("x", tune.sample_from(_computed), BadAxis, "sample_from.*Compute them in the training"),
        ("model", {"depth": tune.randint(1, 3)}, BadAxis, "`model`: .*draws depth.*at the top"),
        ("m", {"a": {"b": tune.grid_search([1])}, "c": 2}, BadAxis, "`m`: .*draws a.*at the top"),
        ("x", tune.randint(1, 1), BadAxis, "no whole number in Integer"),
        ("n", tune.quniform(0, 1, 1e-6), TooManyPoints, "`n`: 1,000,001 steps"),
        ("lr", tune.uniform(-1, 1), BadValue, "`lr`: Value 1 must be above 0. Got -1.0"),
        ("task_weights", tune.grid_search([[0.5, 0.6]]), BadValue, "Row 1 must sum to 1"),
        ("data", object(), WrongType, "`data`: Value 1 must be a number, a string"),
    ],
)
def test_what_has_no_axis_is_refused_by_name(
    name: str, found: Any, error: type[SpaceError], message: str
) -> None:
    with pytest.raises(error, match=message):
        from_ray({name: found})


def test_a_param_space_is_a_mapping() -> None:
    with pytest.raises(WrongType, match="A param_space must be a mapping"):
        from_ray(tune.uniform(0, 1))  # type: ignore[arg-type]


def test_a_grid_that_hangs_on_a_choice_is_a_variant_for_each() -> None:
    space = from_ray(
        {
            "optimizer": tune.choice(["adam", "sgd"]),
            "lr@adam": tune.grid_search([1e-3]),
            "lr@sgd": tune.grid_search([0.1, 0.5]),
        },
        when={"lr@adam": {"optimizer": "adam"}, "lr@sgd": {"optimizer": "sgd"}},
    )
    assert [space.named(point)["lr"] for point in space.grid()] == [1e-3, 0.1, 0.5]
