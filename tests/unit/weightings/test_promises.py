"""What always holds, as functions named as promises; `PROMISES` says who makes which.

`GENERIC` promises are checked for every weighting there is, new files included.
Shapes: T tasks, K runs in a pack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainers.weightings import Hyper, Weighting, names, weighting

ORDINARY = st.floats(1e-3, 1e3)
EXTREME = st.sampled_from([0.0, 1e-30, 1e-12, 1e-8, 1.0, 1e6, 1e12, 1e30])
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """All inputs of a pack, ``[K, T]`` each (scalar hyperparameters ``[K]``)."""

    measure: Callable[..., tuple[Tensor, Tensor]]
    method: Weighting
    losses: Tensor
    hyper: Tensors
    params: Tensors
    state: Tensors
    noise: Tensor

    @property
    def n_tasks(self) -> int:
        return self.losses.shape[-1]

    @property
    def per_task(self) -> set[str]:
        return {hyper.name for hyper in self.method.hypers if hyper.per_task}

    def measured(self) -> tuple[Tensor, Tensor]:
        """Objective ``[K]`` and weights ``[K, T]``."""
        return self.measure(
            self.method,
            self.losses,
            hyper=self.hyper,
            params=self.params,
            state=self.state,
            noise=self.noise if self.method.noise else None,
        )

    def weights(self, **changes: Any) -> Tensor:
        """Weights ``[K, T]``, after `changes` to the hyperparameters or `losses`."""
        losses = changes.pop("losses", self.losses)
        return replace(self, losses=losses, hyper={**self.hyper, **changes}).measured()[1]

    def mapped(self, change: Callable[[Tensor], Tensor], *, scalars: bool) -> Situation:
        """The situation with `change` applied to every tensor, or to those with a task axis."""

        def each(values: Tensors) -> Tensors:
            return {name: change(value) for name, value in values.items()}

        return replace(
            self,
            losses=change(self.losses),
            hyper={
                name: change(value) if scalars or name in self.per_task else value
                for name, value in self.hyper.items()
            },
            params=each(self.params),
            state=each(self.state),
            noise=change(self.noise),
        )


def values_of(hyper: Hyper, n_tasks: int) -> st.SearchStrategy[Any]:
    """Values that keep a hyperparameter's rule."""
    if hyper.choices:
        return st.sampled_from(hyper.choices)
    numbers = st.floats(max(hyper.low, -3.0) + 0.5, max(hyper.low, 0.0) + 20.0)
    if not hyper.per_task:
        return numbers
    vectors = st.lists(numbers, min_size=n_tasks, max_size=n_tasks)
    if hyper.total is None:
        return vectors
    total = hyper.total
    return vectors.map(lambda parts: [total * part / sum(parts) for part in parts])


@st.composite
def situations(
    draw: st.DrawFn, method: Weighting, measure: Any, losses: st.SearchStrategy[float] = ORDINARY
) -> Situation:
    """Any pack a study could hold: learned parameters near their start, two epochs behind it."""
    n_runs, n_tasks = draw(st.integers(1, 3)), draw(st.integers(1, 6))

    def matrix(numbers: st.SearchStrategy[float]) -> Tensor:
        row = st.lists(numbers, min_size=n_tasks, max_size=n_tasks)
        return tensor(draw(st.lists(row, min_size=n_runs, max_size=n_runs)))

    checked = [
        method.checked({h.name: draw(values_of(h, n_tasks)) for h in method.hypers}, n_tasks)
        for _ in range(n_runs)
    ]

    def starts(of: Callable[..., Mapping[str, float]]) -> Tensors:
        members = [of(hyper) for hyper in checked]
        return {
            name: tensor([[member[name]] * n_tasks for member in members]) for name in members[0]
        }

    offsets = st.floats(-3.0, 3.0)
    state = starts(method.state)
    for _ in range(draw(st.integers(0, 3))):
        state = method.end_epoch(state, matrix(losses))
    return Situation(
        measure=measure,
        method=method,
        losses=matrix(losses),
        hyper={h.name: tensor([member[h.name] for member in checked]) for h in method.hypers},
        params={name: start + matrix(offsets) for name, start in starts(method.params).items()},
        state=state,
        noise=matrix(offsets),
    )


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def finite(case: Situation) -> None:
    objective, weights = case.measured()
    assert objective.shape == case.losses.shape[:-1]
    assert weights.shape == case.losses.shape
    assert objective.isfinite().all()
    assert weights.isfinite().all()


def weights_are_not_negative(case: Situation) -> None:
    assert (case.measured()[1] >= 0).all()


def blind_to_task_order(case: Situation) -> None:
    order = torch.arange(case.n_tasks).roll(1).flip(0)
    objective, weights = case.measured()
    close(
        case.mapped(lambda x: x[..., order], scalars=False).measured(),
        (objective, weights[:, order]),
    )


def a_pack_equals_its_runs_alone(case: Situation) -> None:
    objectives, weights = case.measured()
    for k in range(len(objectives)):
        alone = case.mapped(itemgetter(k), scalars=True)
        close(alone.measured(), (objectives[k], weights[k]))


def equal_tasks_get_equal_weights(case: Situation) -> None:
    """The first task's numbers for all: in per-task values as in losses."""
    weights = case.mapped(lambda x: x[..., :1].expand_as(x), scalars=False).measured()[1]
    close(weights, weights[:, :1].expand_as(weights))


def every_learned_parameter_is_used(case: Situation) -> None:
    leaves = {name: value.clone().requires_grad_() for name, value in case.params.items()}
    objective = case.method.objective(
        case.losses, hyper=case.hyper, params=leaves, state=case.state, noise=case.noise
    )
    gradients = torch.autograd.grad(objective.sum(), list(leaves.values())) if leaves else ()
    assert all(gradient.isfinite().all() for gradient in gradients)


def an_epochs_end_keeps_the_states_form(case: Situation) -> None:
    before = {name: value.clone() for name, value in case.state.items()}
    after = case.method.end_epoch(case.state, case.losses)
    assert {n: v.shape for n, v in after.items()} == {n: v.shape for n, v in before.items()}
    assert all(torch.equal(case.state[name], value) for name, value in before.items())


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


def fixed_weights_do_not_see_losses_and_noise(case: Situation) -> None:
    if case.method.fixed:
        other = replace(case, losses=case.losses.flip(-1) + 1.0, noise=case.noise + 1.0)
        assert torch.equal(other.weights(), case.weights())
        assert not case.params


Promise = Callable[[Situation], None]
GENERIC: list[Promise] = [
    finite,
    weights_are_not_negative,
    blind_to_task_order,
    a_pack_equals_its_runs_alone,
    equal_tasks_get_equal_weights,
    every_learned_parameter_is_used,
    an_epochs_end_keeps_the_states_form,
    fixed_weights_do_not_see_losses_and_noise,
]
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
promised = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("name", "promise"),
    [(name, promise) for name in names() for promise in GENERIC + PROMISES.get(name, [])],
)
@given(data=st.data())
@promised
def test_promise(name: str, promise: Promise, data: st.DataObject, measure: Any) -> None:
    promise(data.draw(situations(weighting(name), measure)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", names())
@given(data=st.data())
@promised
def test_losses_near_zero_and_huge_stay_finite(
    name: str, dtype: torch.dtype, data: st.DataObject, measure: Any
) -> None:
    case = data.draw(situations(weighting(name), measure, EXTREME))
    finite(case.mapped(lambda x: x.to(dtype), scalars=True))


@pytest.mark.parametrize("loss", [1e-7, 1e-3, 1e30])
def test_gls_of_forty_tasks_neither_underflows_nor_overflows(loss: float, measure: Any) -> None:
    losses = torch.full((40,), loss)
    objective, weights = measure(weighting("gls"), losses)
    torch.testing.assert_close(objective / loss, torch.tensor(1.0), rtol=1e-5, atol=0)
    torch.testing.assert_close(weights, torch.full((40,), 1 / 40), rtol=1e-5, atol=0)
