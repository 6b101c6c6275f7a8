"""All weightings keep the contract, new files included; `PROMISES` says who promises what besides.

Shapes: T tasks, K runs in a pack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers.testing import Situation, WeightingContract, measured, promised, situations
from trainers.weightings import Weighting, names, weighting

pytestmark = pytest.mark.slow


class TestContract(WeightingContract):
    @pytest.fixture(params=[*names(), "tests.methods:Agreeing"])
    def method(self, request: pytest.FixtureRequest) -> Weighting:
        return weighting(request.param)


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def weights_sum_to_one(case: Situation) -> None:
    total = case.weights().sum(-1)
    close(total, torch.ones_like(total))


def weights_sum_to_n_tasks(case: Situation) -> None:
    total = case.weights().sum(-1)
    close(total, torch.full_like(total, case.n_tasks))


def normalised_weights_sum_to_one(case: Situation) -> None:
    total = case.weights(normalise=torch.ones(len(case.losses))).sum(-1)
    close(total, torch.ones_like(total))


def blind_to_a_common_scale(case: Situation) -> None:
    """Each task's share of the objective's gradient, weight times loss, does not see the unit."""
    for normalise in (0.0, 1.0):
        switch = torch.full((len(case.losses),), normalise)
        before, after = (
            losses * case.weights(losses=losses, normalise=switch)
            for losses in (case.losses, 7.0 * case.losses)
        )
        close(after / after.sum(-1, keepdim=True), before / before.sum(-1, keepdim=True))


def grows_with_a_common_scale(case: Situation) -> None:
    close(replace(case, losses=7.0 * case.losses).measured()[0], 7.0 * case.measured()[0])


def weights_do_not_see_the_losses(case: Situation) -> None:
    close(case.weights(losses=case.losses.flip(-1) + 1.0), case.weights())


def a_smaller_loss_gets_no_smaller_weight(case: Situation) -> None:
    order = case.losses.argsort(-1)
    weights = case.weights().gather(-1, order)
    assert (weights.diff(dim=-1) <= 1e-15).all()


def a_high_temperature_gives_equal_weights(case: Situation) -> None:
    weights = case.weights(temperature=torch.full((len(case.losses),), 1e9))
    mean = weights.mean(-1, keepdim=True).expand_as(weights)
    close(weights, mean, tolerance=1e-5)


def a_low_temperature_leaves_the_smallest_loss_only(case: Situation) -> None:
    smallest = case.losses.argmin(-1, keepdim=True)
    one_hot = torch.zeros_like(case.losses).scatter(-1, smallest, 1.0)
    # Halving it makes it the smallest by a margin that the softmax can see.
    losses = case.losses * (1 - 0.5 * one_hot)
    temperature = torch.full((len(losses),), 1e-8, dtype=torch.float64)
    close(case.weights(losses=losses, temperature=temperature), one_hot)


def scaling_losses_is_scaling_the_temperature(case: Situation) -> None:
    scaled = case.weights(losses=7.0 * case.losses)
    close(scaled, case.weights(temperature=7.0 * case.hyper["temperature"]))


def each_task_has_one_share(case: Situation) -> None:
    """Weight times loss is 1 for all tasks: no unit of a loss matters."""
    shares = case.losses * case.weights()
    close(shares, torch.ones_like(shares))


def shares_sum_to_n_tasks(case: Situation) -> None:
    total = (case.losses * case.weights()).sum(-1)
    close(total, torch.full_like(total, case.n_tasks))


def a_larger_loss_by_its_base_gets_no_smaller_share(case: Situation) -> None:
    ratios, shares = case.losses / case.state["base"], case.losses * case.weights()
    assert (shares.gather(-1, ratios.argsort(-1)).diff(dim=-1) >= -1e-12).all()


def there_are_no_more_weights_than_groups(case: Situation) -> None:
    found = case.weights()
    for weights, groups in zip(found.tolist(), case.hyper["groups"].tolist(), strict=True):
        assert len(set(weights)) <= groups


Promise = Callable[[Situation], None]
PROMISES: dict[str, list[Promise]] = {
    "ew": [weights_do_not_see_the_losses, weights_sum_to_n_tasks],
    "scalarization": [weights_do_not_see_the_losses, weights_sum_to_one],
    "rlw": [weights_do_not_see_the_losses, weights_sum_to_one],
    "dwa": [
        weights_do_not_see_the_losses,
        weights_sum_to_n_tasks,
    ],
    "gls": [grows_with_a_common_scale, a_smaller_loss_gets_no_smaller_weight],
    "imtl-l": [weights_do_not_see_the_losses],
    "uw": [weights_do_not_see_the_losses],
    "si": [each_task_has_one_share, a_smaller_loss_gets_no_smaller_weight],
    "igb-v1": [shares_sum_to_n_tasks, a_larger_loss_by_its_base_gets_no_smaller_share],
    "stch": [shares_sum_to_n_tasks],
    "go4align": [there_are_no_more_weights_than_groups, a_smaller_loss_gets_no_smaller_weight],
    "uw-so-learned": [weights_sum_to_one, a_smaller_loss_gets_no_smaller_weight],
    "famo": [weights_sum_to_one],
    "uw-o": [
        normalised_weights_sum_to_one,
        blind_to_a_common_scale,
        a_smaller_loss_gets_no_smaller_weight,
    ],
    "uw-so": [
        weights_sum_to_one,
        a_smaller_loss_gets_no_smaller_weight,
        a_high_temperature_gives_equal_weights,
        a_low_temperature_leaves_the_smallest_loss_only,
        scaling_losses_is_scaling_the_temperature,
    ],
}


@pytest.mark.parametrize(
    ("name", "promise"),
    [(name, promise) for name, promises in PROMISES.items() for promise in promises],
)
@given(data=st.data())
@promised
def test_promise(name: str, promise: Promise, data: st.DataObject) -> None:
    promise(data.draw(situations(weighting(name))))


@pytest.mark.parametrize("loss", [1e-7, 1e-3, 1e30])
def test_gls_of_forty_tasks_neither_underflows_nor_overflows(loss: float) -> None:
    losses = torch.full((40,), loss)
    objective, weights = measured(weighting("gls"), losses)
    torch.testing.assert_close(objective / loss, torch.tensor(1.0), rtol=1e-5, atol=0)
    torch.testing.assert_close(weights, torch.full((40,), 1 / 40), rtol=1e-5, atol=0)
