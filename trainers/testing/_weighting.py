"""What holds for every weighting, whatever the losses.

Shapes: T tasks, K runs in a pack, P shared parameters. All tensors are float64 where nothing else
is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil, prod
from operator import itemgetter
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainers.weightings import Hyper, Weighting
from trainers.weightings.levels import (
    AfterStepWeighting,
    GradientWeighting,
    axes_of,
    state_shape,
)

ORDINARY = st.floats(1e-3, 1e3)
EXTREME = st.sampled_from([0.0, 1e-30, 1e-12, 1e-8, 1.0, 1e6, 1e12, 1e30])
Tensors = Mapping[str, Tensor]
_N_SHARED = 7

promised = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.differing_executors,  # a contract is inherited
        HealthCheck.function_scoped_fixture,  # a weighting has no state of its own
    ],
)
"""Settings of property tests: ten situations each, whatever the time."""


def measured(
    method: Weighting,
    losses: Tensor,
    *,
    hyper: Tensors | None = None,
    params: Tensors | None = None,
    state: Tensors | None = None,
    noise: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Objective ``[...]`` and loss weights ``[..., T]`` at losses ``[..., T]``, in their dtype."""
    leaf = losses.detach().clone().requires_grad_()
    objective = method.objective(
        leaf, hyper=hyper or {}, params=params or {}, state=state or {}, noise=noise
    )
    (weights,) = torch.autograd.grad(objective.sum(), [leaf])
    return objective.detach(), weights


@dataclass(frozen=True, kw_only=True)
class Situation:
    """All inputs of a pack, ``[K, T]`` each (scalar hyperparameters ``[K]``)."""

    method: Weighting
    losses: Tensor
    hyper: Tensors
    params: Tensors
    state: Tensors
    noise: Tensor

    @property
    def n_tasks(self) -> int:
        """How many tasks there are, T."""
        return self.losses.shape[-1]

    def measured(self) -> tuple[Tensor, Tensor]:
        """Objective ``[K]`` and weights ``[K, T]``."""
        return measured(
            self.method,
            self.losses,
            hyper=self.hyper,
            params=self.params,
            state=self.state,
            noise=self.noise if self.method.noise else None,
        )

    def weights(self, *, losses: Tensor | None = None, **hyper: Tensor) -> Tensor:
        """Weights ``[K, T]``, at other losses or hyperparameters if they are given."""
        changed = self.losses if losses is None else losses
        return replace(self, losses=changed, hyper={**self.hyper, **hyper}).measured()[1]

    def mapped(self, change: Callable[[Tensor], Tensor], *, scalars: bool) -> Situation:
        """The situation with `change` applied to every tensor, or to those ``[K, T]``."""
        per_task = {hyper.name for hyper in self.method.hypers if hyper.per_task}

        def each(values: Tensors) -> Tensors:
            return {name: change(value) for name, value in values.items()}

        return replace(
            self,
            losses=change(self.losses),
            hyper={
                name: change(value) if scalars or name in per_task else value
                for name, value in self.hyper.items()
            },
            params=each(self.params),
            state={
                name: change(value) if scalars or axes_of(self.method, name) == "T" else value
                for name, value in self.state.items()
            },
            noise=change(self.noise),
        )


@st.composite
def situations(
    draw: st.DrawFn, method: Weighting, losses: st.SearchStrategy[float] = ORDINARY
) -> Situation:
    """Any pack a study could hold; noise and epochs behind it, if the method has a use for them."""
    n_runs, n_tasks = draw(st.integers(1, 2)), draw(st.integers(1, 5))

    def matrix(numbers: st.SearchStrategy[float]) -> Tensor:
        size = n_runs * n_tasks
        return _tensor(draw(st.lists(numbers, min_size=size, max_size=size))).view(n_runs, n_tasks)

    checked = [
        method.checked({h.name: draw(_values_of(h, n_tasks)) for h in method.hypers}, n_tasks)
        for _ in range(n_runs)
    ]

    def starts(of: Callable[..., Mapping[str, float]]) -> Tensors:
        members = [of(hyper) for hyper in checked]
        return {
            name: _tensor([[member[name]] * n_tasks for member in members]) for name in members[0]
        }

    offsets = st.floats(-3.0, 3.0)
    state: Tensors = {
        name: _of_axes(method, name, start) for name, start in starts(method.state).items()
    }
    for _ in range(draw(st.integers(0, 3)) if state else 0):
        state = method.end_epoch(state, matrix(losses))
    return Situation(
        method=method,
        losses=matrix(losses),
        hyper={h.name: _tensor([member[h.name] for member in checked]) for h in method.hypers},
        params={name: start + matrix(offsets) for name, start in starts(method.params).items()},
        state=state,
        noise=matrix(offsets if method.noise else st.just(0.0)),
    )


def _of_axes(method: Weighting, name: str, start: Tensor) -> Tensor:
    """The start ``[K, T]`` of what is kept, in the shape that the method says."""
    n_runs, n_tasks = start.shape
    shape = state_shape(method, name, n_tasks, _N_SHARED)
    return start if len(shape) == 1 else start[:, :1].expand(n_runs, prod(shape)).view(-1, *shape)


def _values_of(hyper: Hyper, n_tasks: int) -> st.SearchStrategy[Any]:
    """Values that keep a hyperparameter's rule."""
    if hyper.choices:
        return st.sampled_from(hyper.choices)
    low, high = max(hyper.low, -3.0), min(hyper.high, max(hyper.low, 0.0) + 20.0)
    numbers = st.floats(low + min(0.5, (high - low) / 4), high)
    if hyper.whole:
        numbers = st.integers(ceil(low), int(high)).map(float)
    if not hyper.per_task:
        return numbers
    vectors = st.lists(numbers, min_size=n_tasks, max_size=n_tasks)
    if hyper.total is None:
        return vectors
    total = hyper.total
    return vectors.map(lambda parts: [total * part / sum(parts) for part in parts])


class WeightingContract:
    """Promises of every weighting; yours is what the fixture `method` gives.

    Write beside it what your method promises beyond these, over `situations` of it: that weights
    sum to 1, say.
    """

    @pytest.fixture
    def method(self) -> Weighting:
        raise NotImplementedError("Override the fixture `method` in your subclass.")

    def test_it_introduces_itself(self, method: Weighting) -> None:
        assert all(isinstance(text, str) for text in (method.name, method.title, method.paper))
        assert method.name and method.title and method.paper

    @promised
    @given(data=st.data())
    def test_objective_and_weights_are_finite(self, method: Weighting, data: st.DataObject) -> None:
        _assert_finite(data.draw(situations(method)))

    @promised
    @given(data=st.data())
    def test_losses_near_zero_and_huge_stay_finite(
        self, method: Weighting, data: st.DataObject
    ) -> None:
        case = data.draw(situations(method, EXTREME))
        _assert_finite(case)
        _assert_finite(case.mapped(Tensor.float, scalars=True))

    @promised
    @given(data=st.data())
    def test_weights_are_not_negative(self, method: Weighting, data: st.DataObject) -> None:
        assert (data.draw(situations(method)).measured()[1] >= 0).all()

    @promised
    @given(data=st.data())
    def test_it_is_blind_to_task_order(self, method: Weighting, data: st.DataObject) -> None:
        case = data.draw(situations(method))
        order = torch.arange(case.n_tasks).roll(1).flip(0)
        objective, weights = case.measured()
        _assert_close(
            case.mapped(lambda of: of[..., order], scalars=False).measured(),
            (objective, weights[:, order]),
        )

    @promised
    @given(data=st.data())
    def test_a_pack_equals_its_runs_alone(self, method: Weighting, data: st.DataObject) -> None:
        case = data.draw(situations(method))
        objectives, weights = case.measured()
        for k in range(len(objectives)):
            alone = case.mapped(itemgetter(k), scalars=True)
            _assert_close(alone.measured(), (objectives[k], weights[k]))

    @promised
    @given(data=st.data())
    def test_equal_tasks_get_equal_weights(self, method: Weighting, data: st.DataObject) -> None:
        # the first task's numbers for all: in per-task values as in losses
        case = data.draw(situations(method))
        alike = case.mapped(lambda of: of[..., :1].expand_as(of), scalars=False)
        weights = alike.measured()[1]
        _assert_close(weights, weights[:, :1].expand_as(weights))

    @promised
    @given(data=st.data())
    def test_every_learned_parameter_is_used(self, method: Weighting, data: st.DataObject) -> None:
        case = data.draw(situations(method))
        leaves = {name: value.clone().requires_grad_() for name, value in case.params.items()}
        objective = method.objective(
            case.losses, hyper=case.hyper, params=leaves, state=case.state, noise=case.noise
        )
        gradients = torch.autograd.grad(objective.sum(), list(leaves.values())) if leaves else ()
        assert all(gradient.isfinite().all() for gradient in gradients)

    @promised
    @given(data=st.data())
    def test_an_epochs_end_keeps_the_states_form(
        self, method: Weighting, data: st.DataObject
    ) -> None:
        case = data.draw(situations(method))
        before = {name: value.clone() for name, value in case.state.items()}
        after = method.end_epoch(case.state, case.losses)
        _assert_same_form(case.state, before, after)

    @promised
    @given(data=st.data())
    def test_fixed_weights_do_not_see_losses_and_noise(
        self, method: Weighting, data: st.DataObject
    ) -> None:
        if method.fixed:
            case = data.draw(situations(method))
            other = replace(case, losses=case.losses.flip(-1) + 1.0, noise=case.noise + 1.0)
            assert torch.equal(other.weights(), case.weights())
            assert not case.params

    @promised
    @given(data=st.data(), seed=st.integers(0, 2**32))
    def test_an_update_is_finite_of_the_parameters_form_and_changes_nothing(
        self, method: Weighting, data: st.DataObject, seed: int
    ) -> None:
        if isinstance(method, GradientWeighting):
            for case in _of_one_run(data.draw(situations(method))):
                _assert_good_update(method, case, seed)

    @promised
    @given(data=st.data())
    def test_after_a_step_the_state_is_finite_and_keeps_its_form(
        self, method: Weighting, data: st.DataObject
    ) -> None:
        if isinstance(method, AfterStepWeighting):
            for case in _of_one_run(data.draw(situations(method))):
                before = {name: value.clone() for name, value in case.state.items()}
                later = case.losses.flip(-1)
                after = method.after_step(case.state, case.losses, later, hyper=case.hyper)
                _assert_same_form(case.state, before, after)
                assert all(value.isfinite().all() for value in after.values())


def _assert_good_update(method: GradientWeighting, case: Situation, seed: int) -> None:
    dtype, generator = case.losses.dtype, torch.Generator().manual_seed(seed)
    gradients, noise = (
        torch.randn(case.n_tasks, n, generator=generator, dtype=dtype)
        for n in (_N_SHARED, case.n_tasks)
    )
    gradients[seed % case.n_tasks] *= seed % 2  # its loss depends on no shared parameter
    before = gradients.clone()
    state = {name: value.clone() for name, value in case.state.items()}
    update, weights, after = method.step(
        gradients,
        losses=case.losses,
        hyper=case.hyper,
        params=case.params,
        state=case.state,
        noise=noise if method.noise else None,
    )
    assert (update.shape, weights.shape) == (gradients[0].shape, case.losses.shape)
    assert (update.dtype, weights.dtype) == (dtype, dtype)
    assert update.isfinite().all() and weights.isfinite().all()
    assert torch.equal(gradients, before)
    _assert_same_form(case.state, state, after)


def _of_one_run(case: Situation) -> Iterator[Situation]:
    """The first run of a situation, in double and in single precision."""
    first = case.mapped(itemgetter(0), scalars=True)
    yield from (first, first.mapped(Tensor.float, scalars=True))


def _assert_finite(case: Situation) -> None:
    objective, weights = case.measured()
    assert (objective.shape, weights.shape) == (case.losses.shape[:-1], case.losses.shape)
    assert objective.isfinite().all() and weights.isfinite().all()


def _assert_same_form(state: Tensors, before: Tensors, after: Tensors) -> None:
    """The next state has the names, shapes and dtypes of `state`, which is what it was `before`."""
    assert _form(after) == _form(before)
    assert all(torch.equal(state[name], value) for name, value in before.items())


def _form(values: Tensors) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in values.items()}


def _assert_close(found: Any, expected: Any) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def _tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
