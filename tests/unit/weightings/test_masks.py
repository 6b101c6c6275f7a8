"""A task that is absent is left out: a method does with the others what it does with them alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.unit.weightings.test_promises import close
from trainers.engines import masks
from trainers.errors import BadLoss
from trainers.protocol import TaskFunctions
from trainers.testing import Situation, promised, situations
from trainers.weightings import names, weighting
from trainers.weightings.levels import (
    AfterStepWeighting,
    GradientWeighting,
    axes_of,
    state_shape,
)

BEFORE_GRADIENTS = [name for name in names() if weighting(name).level != "gradient"]
GRADIENTS = torch.randn(4, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
NOISE = torch.randn(4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
Found = tuple[Tensor, Tensor, Mapping[str, Tensor]]
"""Objective ``[K]``, weights ``[K, T]`` and gradients ``[K, T]`` of what is learned."""


def found(case: Situation, there: masks.Present) -> Found:
    losses = case.losses.clone().requires_grad_()
    params = {name: of.clone().requires_grad_() for name, of in case.params.items()}
    objective = masks.objective(
        case.method,
        losses,
        there=there,
        hyper=case.hyper,
        params=params,
        state=case.state,
        noise=case.noise if case.method.noise else None,
    )
    weights, *gradients = torch.autograd.grad(objective.sum(), [losses, *params.values()])
    return objective, weights, dict(zip(params, gradients, strict=True))


@st.composite
def some_absent(draw: st.DrawFn, name: str) -> tuple[Situation, list[int]]:
    case = draw(situations(weighting(name)))
    there = draw(st.lists(st.integers(0, case.n_tasks - 1), min_size=1, unique=True).map(sorted))
    return case, there


@pytest.mark.parametrize("name", BEFORE_GRADIENTS)
@given(data=st.data())
@promised
def test_the_others_are_weighed_as_if_they_were_alone(name: str, data: st.DataObject) -> None:
    case, there = data.draw(some_absent(name))
    absent = [task for task in range(case.n_tasks) if task not in there]
    alone = found(case.mapped(lambda of: of[..., there], scalars=False), None)
    objective, weights, gradients = found(case, tuple(there) if absent else None)
    close(objective, alone[0])
    close(weights[:, there], alone[1])
    assert (weights[:, absent] == 0).all()
    for of, gradient in gradients.items():
        close(gradient[:, there], alone[2][of])
        assert (gradient[:, absent] == 0).all()


@pytest.mark.parametrize("name", names())
@given(data=st.data())
@promised
def test_an_absent_task_keeps_its_state_at_the_epochs_end(name: str, data: st.DataObject) -> None:
    case, there = data.draw(some_absent(name))
    absent = [task for task in range(case.n_tasks) if task not in there]
    kept = masks.end_epoch(case.method, case.state, case.losses, tuple(there) if absent else None)
    alone = case.mapped(lambda of: of[..., there], scalars=False)
    expected = case.method.end_epoch(alone.state, alone.losses)
    for of, value in kept.items():
        if axes_of(case.method, of) != "T":
            close(value, case.state[of])
            continue
        close(value[:, there], expected[of])
        close(value[:, absent], case.state[of][:, absent])


@pytest.mark.parametrize("name", BEFORE_GRADIENTS)
@given(data=st.data())
@promised
def test_without_any_task_nothing_is_learned(name: str, data: st.DataObject) -> None:
    case = data.draw(situations(weighting(name)))
    objective, weights, gradients = found(case, ())
    assert not objective.any()
    assert not weights.any()
    assert not any(gradient.any() for gradient in gradients.values())
    state = masks.end_epoch(case.method, case.state, case.losses, ())
    assert all(torch.equal(state[of], value) for of, value in case.state.items())


def test_the_others_gradients_are_combined_as_if_they_were_alone() -> None:
    method, there = weighting("pcgrad"), [0, 2, 3]
    assert isinstance(method, GradientWeighting)
    nothing: dict[str, Any] = {"hyper": {}, "params": {}, "state": {}}
    losses = GRADIENTS[:, 0].abs()
    given: dict[str, Any] = {"losses": losses, "noise": NOISE, **nothing}
    found, weights, _ = masks.gradient_step(method, GRADIENTS, there=(0, 2, 3), **given)
    given = {"losses": losses[there], "noise": NOISE[there][:, there], **nothing}
    alone, expected = method.update(GRADIENTS[there], **given)
    close(found, alone)
    close(weights[there], expected)
    assert weights[1] == 0
    given = {"losses": losses, "noise": NOISE, **nothing}
    found, weights, _ = masks.gradient_step(method, GRADIENTS, there=(), **given)
    assert not found.any() and not weights.any()


@pytest.mark.parametrize("name", ["gradvac", "db-mtl", "pcd", "gradnorm"])
def test_what_is_kept_of_steps_is_of_the_others(name: str) -> None:
    method, there = weighting(name), [0, 2, 3]
    assert isinstance(method, GradientWeighting)
    checked = method.checked({}, 4)
    kept = {
        of: torch.rand(state_shape(method, of, 4, 7), dtype=torch.float64)
        for of in method.state(checked)
    }
    given: dict[str, Any] = {
        "hyper": {of: torch.tensor(value).double() for of, value in checked.items()},
        "params": {},
    }
    inputs = {"losses": GRADIENTS[:, 0].abs(), "noise": NOISE, "state": kept, **given}
    found = masks.gradient_step(method, GRADIENTS, there=(0, 2, 3), **inputs).state
    for of, value in given["hyper"].items():
        given["hyper"][of] = value[there] if value.ndim else value
    others = {of: among(value, axes_of(method, of), there) for of, value in kept.items()}
    expected = method.step(
        GRADIENTS[there],
        losses=GRADIENTS[there, 0].abs(),
        noise=NOISE[there][:, there],
        state=others,
        **given,
    ).state
    for of, value in kept.items():
        axes = axes_of(method, of)
        close(among(found[of], axes, there), expected[of])
        close(among(found[of], axes, [1]), among(value, axes, [1]))


def among(value: Tensor, axes: str, there: list[int]) -> Tensor:
    return value[there][:, there] if axes == "TT" else value[there]


def test_what_is_learned_after_the_step_is_of_the_others() -> None:
    method, there = weighting("famo"), [0, 2, 3]
    assert isinstance(method, AfterStepWeighting)
    checked = method.checked({}, 4)
    hyper = {name: torch.tensor(value) for name, value in checked.items()}
    state = {
        name: torch.tensor([start] * 4).double() for name, start in method.state(checked).items()
    }
    before, after = GRADIENTS[:, 0].abs(), GRADIENTS[:, 1].abs()
    found = masks.after_step(method, state, before, after, there=(0, 2, 3), hyper=hyper)
    others = {name: of[there] for name, of in state.items()}
    expected = method.after_step(others, before[there], after[there], hyper=hyper)
    for name, of in found.items():
        close(of[there], expected[name])
        assert of[1] == state[name][1]
    assert masks.after_step(method, state, before, after, there=(), hyper=hyper) == state


@pytest.mark.parametrize("number", [-3.0, 0.5, float("nan"), float("inf")])
def test_what_is_no_count_is_refused(number: float) -> None:
    counting = TaskFunctions(
        loss=lambda _output, _target: torch.zeros(()),
        metrics={},
        valid_elements=lambda _target: torch.tensor(number),
    )
    with pytest.raises(BadLoss, match=f"task level .* 0 or more. Got {number:g}. Return"):
        masks.elements({"level": torch.zeros(2)}, {"level": counting})


def test_no_loss_is_0_with_gradient_0_whatever_the_output() -> None:
    nothing = torch.tensor([torch.nan, torch.nan])
    loss = masks.no_loss({"a": nothing.requires_grad_()})
    assert loss == 0
    (gradient,) = torch.autograd.grad(loss, [nothing])
    assert gradient.tolist() == [0.0, 0.0]
