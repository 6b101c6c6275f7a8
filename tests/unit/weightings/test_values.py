"""Each weighting's objective and weights at losses 1, 2, 4, worked out by hand."""

from __future__ import annotations

from math import expm1, inf, log
from typing import Any

import pytest
import torch

from trainers.testing import measured
from trainers.weightings import MissingNoise, names, weighting

LN2, LN5 = log(2.0), log(5.0)

# name, inputs, objective, weights
TABLE: list[tuple[str, dict[str, Any], float, list[float]]] = [
    ("ew", {}, 7.0, [1.0, 1.0, 1.0]),
    ("scalarization", {"hyper": {"task_weights": [0.2, 0.3, 0.5]}}, 2.8, [0.2, 0.3, 0.5]),
    ("rlw", {"noise": [0.0, LN2, LN5]}, 25 / 8, [1 / 8, 2 / 8, 5 / 8]),
    (
        "dwa",
        {"hyper": {"temperature": 2.0}, "state": {"ratio": [0.0, 2 * LN2, 2 * LN5]}},
        75 / 8,
        [3 / 8, 6 / 8, 15 / 8],
    ),
    # equal w: z / L is 1/3 (1, 1/2, 1/4), of which the sum is 7/12
    ("famo", {"state": {"w": [0.5, 0.5, 0.5]}}, 12 / 7 * LN2, [4 / 7, 2 / 7, 1 / 7]),
    ("pcgrad", {}, 7.0, [1.0, 1.0, 1.0]),
    ("gls", {}, 2.0, [2 / 3, 1 / 3, 1 / 6]),
    ("imtl-l", {"params": {"s": [0.0, LN2, -LN2]}}, 7.0, [1.0, 2.0, 0.5]),
    ("uw", {"params": {"s": [0.0, LN2, -LN2]}}, 5.0, [0.5, 0.25, 1.0]),
    ("uw-o", {"hyper": {"normalise": 0.0}}, 3.0, [1.0, 1 / 2, 1 / 4]),
    ("uw-o", {"hyper": {"normalise": 1.0}}, 12 / 7, [4 / 7, 2 / 7, 1 / 7]),
    ("uw-so", {"hyper": {"temperature": 0.25 / LN2}}, 32 / 22, [16 / 22, 4 / 22, 2 / 22]),
    # the same temperature, 1 / (4 log(2)), as the softplus of what is learned
    (
        "uw-so-learned",
        {"hyper": {"penalty": 0.5}, "params": {"raw": [log(expm1(0.25 / LN2))] * 3}},
        32 / 22 + 2 * LN2,
        [16 / 22, 4 / 22, 2 / 22],
    ),
    ("si", {}, 3 * LN2, [1.0, 1 / 2, 1 / 4]),
    ("igb-v1", {"state": {"left": [1.0] * 3, "base": [inf] * 3}}, 3 * LN2, [1.0, 1 / 2, 1 / 4]),
    # L / base are 0, log(2) and log(4): shares 3/7 of 1, 2 and 4
    (
        "igb-v1",
        {"state": {"left": [0.0] * 3, "base": [inf, 2 / LN2, 2 / LN2]}},
        30 / 7 * LN2,
        [3 / 7, 3 / 7, 3 / 7],
    ),
    (
        "stch",
        {"hyper": {"mu": 1.0}, "state": {"left": [2.0] * 3, "base": [9.0] * 3}},
        3 * LN2,
        [1.0, 1 / 2, 1 / 4],
    ),
    # L / base are 1, 2 and 2, with square roots at mu = 2: here of 1, 4 and 4
    (
        "stch",
        {"hyper": {"mu": 2.0}, "state": {"left": [0.0] * 3, "base": [1.0, 1 / 2, 1.0]}},
        6 * LN5,
        [3 / 5, 3 / 5, 3 / 10],
    ),
    # v are 7/3 of 1, 1/2 and 1/4: the last two share their mean, 3/8
    (
        "go4align",
        {"hyper": {"groups": 2.0, "rate": 0.0}, "state": {"seen": [0.0] * 3}},
        91 / 12,
        [7 / 3, 7 / 8, 7 / 8],
    ),
]


def tensors(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: tensors(each) for key, each in value.items()}
    return torch.tensor(value, dtype=torch.float64)


@pytest.mark.parametrize(("name", "inputs", "objective", "weights"), TABLE)
def test_values(name: str, inputs: dict[str, Any], objective: float, weights: list[float]) -> None:
    losses = tensors([1.0, 2.0, 4.0])
    found, found_weights = measured(weighting(name), losses, **tensors(inputs))
    torch.testing.assert_close(found, tensors(objective))
    torch.testing.assert_close(found_weights, tensors(weights))


def test_every_weighting_by_losses_is_in_the_table() -> None:
    by_losses = {name for name in names() if weighting(name).level == "loss"}
    missing = by_losses - {name for name, *_ in TABLE}
    assert not missing, "Work out one row of TABLE by hand for each of these."


@pytest.mark.parametrize(
    ("name", "loss", "optimum"),
    [("uw", 0.2, log(0.2)), ("imtl-l", 0.2, -log(0.2))],
)
def test_the_learned_parameter_rests_at_the_analytical_optimum(
    name: str, loss: float, optimum: float
) -> None:
    s = tensors([optimum]).requires_grad_()
    objective = weighting(name).objective(
        tensors([loss]), hyper={}, params={"s": s}, state={}, noise=None
    )
    (slope,) = torch.autograd.grad(objective, [s])
    torch.testing.assert_close(slope, torch.zeros_like(slope))


@pytest.mark.parametrize(
    ("name", "hyper", "start"), [("uw", {}, 0.0), ("uw", {"s0": -0.5}, -0.5), ("imtl-l", {}, 0.0)]
)
def test_learned_parameters_start_where_they_should(
    name: str, hyper: dict[str, float], start: float
) -> None:
    method = weighting(name)
    assert method.params(method.checked(hyper, 3)) == {"s": start}


def test_dwa_weights_are_exactly_one_for_two_epochs_then_follow_the_ratios() -> None:
    method = weighting("dwa")
    hyper = {"temperature": torch.tensor(1 / LN2, dtype=torch.float64)}
    # 49 * (1/49) is not 1 in floating point.
    ones = torch.ones(49, dtype=torch.float64)
    first = torch.linspace(0.1, 9.0, 49, dtype=torch.float64)
    # The ratios are 1 for one task and 0 for the others: 2^1 to 2^0.
    second = torch.zeros_like(first)
    second[7] = first[7]
    expected = torch.full_like(first, 49 / 50)
    expected[7] = 2 * 49 / 50

    state = {name: start * ones for name, start in method.state({}).items()}
    seen = []
    for mean_losses in (first, second, first):
        seen.append(measured(method, ones, hyper=hyper, state=state)[1])
        state = dict(method.end_epoch(state, mean_losses))
    assert torch.equal(seen[0], ones)
    assert torch.equal(seen[1], ones)
    torch.testing.assert_close(seen[2], expected)


@pytest.mark.parametrize(
    ("before", "after", "ratio"),
    [(2.0, 1.0, 0.5), (-2.0, -1.0, 0.5), (-1.0, -2.0, 2.0), (2.0, -1.0, -0.5), (-0.0, 1.0, -1e8)],
)
def test_the_ratio_of_dwa_keeps_the_signs_of_the_losses(
    before: float, after: float, ratio: float
) -> None:
    method, state = weighting("dwa"), {"ratio": tensors([1.0]), "mean_loss": tensors([before])}
    found = method.end_epoch(state, tensors([after]))["ratio"]
    torch.testing.assert_close(found, tensors([ratio]))


def test_methods_say_whether_they_assume_positive_losses() -> None:
    assert {name for name, *_ in TABLE if not weighting(name).positive} == {
        *("ew", "pcgrad", "rlw", "scalarization")
    }


def test_random_weights_without_noise_are_refused() -> None:
    with pytest.raises(MissingNoise, match=r"noise of shape \[3\]"):
        weighting("rlw").objective(torch.ones(3), hyper={}, params={}, state={}, noise=None)
