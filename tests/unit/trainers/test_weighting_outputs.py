"""A method that returns what no step can use is refused before it trains, on both engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.methods import Agreeing
from trainers.engines.weighting_outputs import refuse_misfit
from trainers.weightings import BadWeighting, Weighting, names, weighting
from trainers.weightings.levels import AfterStepWeighting, GradientWeighting, GramianWeighting


class Own(Weighting):
    name, title, paper = "own", "Own", "none"
    found: Any = staticmethod(lambda losses, **_: losses.sum(-1))

    def objective(self, losses: Tensor, **given: Any) -> Tensor:
        result: Tensor = type(self).found(losses, **given)
        return result


def returning(found: Any, **more: Any) -> Weighting:
    """A method whose objective returns that."""
    method: Weighting = type("Made", (Own,), {"found": staticmethod(found), **more})()
    return method


def learning(_self: object, _hyper: object) -> Mapping[str, float]:
    return {"scale": 0.0}


class Stateful(Own):
    def state(self, _hyper: Any, /) -> Mapping[str, float]:
        return {"rate": 1.0}


class Forgetting(Stateful):
    def end_epoch(self, state: Mapping[str, Tensor], _losses: Tensor, /) -> Mapping[str, Tensor]:
        return {}


class Narrowing(Stateful):
    def end_epoch(self, state: Mapping[str, Tensor], losses: Tensor, /) -> Mapping[str, Tensor]:
        return {"rate": losses.mean(-1)}


@pytest.mark.parametrize(
    ("method", "stacked", "finding"),
    [
        (
            returning(lambda losses, **_: losses),
            False,
            "shape [] in float32 for losses [3]. Got [3]",
        ),
        (
            returning(lambda losses, **_: losses),
            True,
            "shape [2] in float32 for losses [2, 3]. Got [2, 3]",
        ),
        (
            returning(lambda losses, **_: losses.sum()),
            True,
            "shape [2] in float32 for losses [2, 3]. Got []",
        ),
        (returning(lambda losses, **_: losses.sum(-1, keepdim=True)), False, "Got [1] in float32"),
        (returning(lambda losses, **_: losses.sum(-1).double()), False, "Got [] in float64"),
        (returning(lambda losses, **_: losses.sum(-1).long()), False, "Got [] in int64"),
        (returning(lambda _losses, **_: 1.0), False, "Got a float"),
        (returning(lambda _losses, **_: None), True, "Got a NoneType"),
        (
            returning(lambda losses, **_: losses.detach().sum(-1)),
            False,
            "no derivative by the losses",
        ),
        (
            returning(lambda losses, **_: losses.sum(-1), params=learning),
            True,
            "depend on the losses and on all that is learned. Got no derivative by `scale`",
        ),
        (
            Forgetting(),
            False,
            "`end_epoch` of the weighting Own must return the state by name, of rate",
        ),
        (Narrowing(), True, "shape [2, 3] in float32 for `rate` of the state. Got [2]"),
    ],
)
def test_what_no_step_can_use_is_refused(method: Weighting, stacked: bool, finding: str) -> None:
    with pytest.raises(BadWeighting) as refused:
        refuse_misfit(method, {}, 3, stacked=stacked)
    assert "of the weighting Own must " in str(refused.value)
    assert finding in str(refused.value)


class Gramian(GramianWeighting):
    name, title, paper = "own", "Own", "none"
    found: Any

    def combination(self, gramian: Tensor, **_: Any) -> Tensor:
        result: Tensor = type(self).found(gramian)
        return result


class Matrix(GradientWeighting):
    name, title, paper = "own", "Own", "none"
    found: Any

    def update(self, gradients: Tensor, **_: Any) -> tuple[Tensor, Tensor]:
        result: tuple[Tensor, Tensor] = type(self).found(gradients)
        return result


class After(AfterStepWeighting):
    name, title, paper = "own", "Own", "none"

    def state(self, _hyper: Any, /) -> Mapping[str, float]:
        return {"rate": 1.0}

    def objective(self, losses: Tensor, **_: Any) -> Tensor:
        return losses.sum(-1)

    def after_step(
        self, state: Mapping[str, Tensor], before: Tensor, after: Tensor, **_: Any
    ) -> Mapping[str, Tensor]:
        return {"rate": (before - after).sum()}


def of(kind: type[Weighting], found: Any) -> Weighting:
    method: Weighting = type("Made", (kind,), {"found": staticmethod(found)})()
    return method


@pytest.mark.parametrize(
    ("method", "finding"),
    [
        (of(Gramian, lambda g: g), "shape [3] in float32 for a Gramian [3, 3]. Got [3, 3]"),
        (of(Gramian, lambda g: g.sum()), "Got [] in float32"),
        (of(Gramian, lambda g: g.diagonal().double()), "Got [3] in float64"),
        (of(Matrix, lambda g: g.sum(0)), "return two tensors, update and weights. Got [5]"),
        (of(Matrix, lambda g: (g, g[:, 0])), "return first a tensor of shape [5]"),
        (of(Matrix, lambda g: (g.sum(0), g.sum(0))), "return second a tensor of shape [3]"),
        (of(Matrix, lambda g: (g.sum(0), g.mean())), "for gradients [3, 5]. Got []"),
        (After(), "`after_step` of the weighting Own must return a tensor of shape [3]"),
    ],
)
def test_methods_beyond_losses_are_held_to_their_shapes(method: Weighting, finding: str) -> None:
    with pytest.raises(BadWeighting) as refused:
        refuse_misfit(method, {}, 3, stacked=False)
    assert finding in str(refused.value)


@pytest.mark.parametrize("n_tasks", [1, 2, 3])
@pytest.mark.parametrize("method", [*map(weighting, names()), Agreeing()], ids=lambda m: m.name)
def test_our_own_methods_pass(method: Weighting, n_tasks: int) -> None:
    shares = {"task_weights": [1 / n_tasks] * n_tasks, "temperature": 2.0}
    known = {rule.name for rule in method.hypers}
    hyper = method.checked({k: v for k, v in shares.items() if k in known}, n_tasks)
    for stacked in (False,) if method.solo_only else (False, True):
        refuse_misfit(method, hyper, n_tasks, stacked=stacked)


def test_a_method_is_tried_once_and_leaves_no_trace() -> None:
    calls: list[object] = []

    def counted(losses: Tensor, **_: object) -> Tensor:
        calls.append(losses)
        return losses.sum(-1)

    method, before = returning(counted), torch.random.get_rng_state()
    for _ in range(2):
        refuse_misfit(method, {}, 3, stacked=True)
    assert len(calls) == 1
    assert torch.equal(torch.random.get_rng_state(), before)
