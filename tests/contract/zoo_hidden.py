"""Networks and losses of the zoo that keep something where few would look, and late users of it.

What they keep changes nothing before their sixth step: behind all that a look can try.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from tests.contract.zoo_parts import Kind, buffer, changed, lin, of

CALM_STEPS = 5


def factor(n_steps: int) -> float:
    return 1.0 if n_steps <= CALM_STEPS else 0.3


# ----- losses


def closed_over(loss: Any) -> Any:
    n = 0

    def found(output: Tensor, target: Tensor) -> Tensor:
        nonlocal n
        n += torch.is_grad_enabled()
        return loss(output, target) * factor(n)

    return found


def counted(kept: dict[str, int], loss: Any, output: Tensor, target: Tensor) -> Tensor:
    kept["n"] += torch.is_grad_enabled()
    found: Tensor = loss(output, target) * factor(kept["n"])
    return found


class Helper:
    """A loss is one of its methods."""

    def __init__(self, loss: Any) -> None:
        self.kept, self.usual = {"n": 0}, loss

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return counted(self.kept, self.usual, output, target)


class Slotted:
    """Has no ``__dict__``."""

    __slots__ = ("kept", "usual")

    def __init__(self, loss: Any) -> None:
        self.kept, self.usual = {"n": 0}, loss

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        return counted(self.kept, self.usual, output, target)


# ----- networks


class Counter(nn.Module):
    n = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.n += self.training
        return inputs * factor(self.n)


def hooked_by_closure() -> nn.Module:
    layer, n = nn.Linear(3, 4), 0

    def hook(module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        nonlocal n
        n += module.training
        return output * factor(n)

    layer.register_forward_hook(hook)
    return layer


def patched_by_closure() -> nn.Module:
    layer, counter = nn.Linear(3, 4), Counter()
    usual = layer.forward
    # a module that its network does not know
    layer.forward = lambda x: counter(usual(x))  # type: ignore[method-assign]
    return layer


def factors() -> Iterator[float]:
    yield from [1.0] * CALM_STEPS
    while True:
        yield 0.3


def fading(self: Any, x: Tensor) -> Tensor:
    found: Tensor = self.layer(x) * (next(self.factors) if self.training else 1.0)
    return found


# ----- made in passing


def late_parameter(self: Any, x: Tensor) -> Tensor:
    if not hasattr(self, "scale"):
        self.scale = nn.Parameter(torch.full((4,), 0.7))
    found: Tensor = self.layer(x) * self.scale
    return found


def late_buffer(self: Any, x: Tensor) -> Tensor:
    if self.mean is None:
        self.mean = x.detach().mean(0)
    found: Tensor = self.layer(x - self.mean)
    return found


# ----- what is drawn, and what is read


def rare_by_numpy(self: Any, x: Tensor) -> Tensor:
    kept = not self.training or np.random.rand() < 0.9
    found: Tensor = self.a(x) + (self.b(x) if kept else 0.0)
    return found


def branch_by_array(self: Any, x: Tensor) -> Tensor:
    found: Tensor = self.a(x) * (1.0 if np.asarray(x.detach()).mean() > -0.1 else 2.0)
    return found


# ----- derivatives on the way


def force(self: Any, x: Tensor) -> Tensor:
    """The gradient of an energy, in evaluation too."""
    with torch.enable_grad():
        place = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.a(place).tanh().sum(), place, create_graph=True)
    found: Tensor = self.b(slope)
    return found


def force_by_transform(self: Any, x: Tensor) -> Tensor:
    slope = torch.func.vmap(torch.func.grad(lambda one: self.a(one).tanh().sum()))(x)
    found: Tensor = self.b(slope)
    return found


def looked_up(self: Any, x: Tensor) -> Tensor:
    found: Tensor = self.layer(self.table((x > 0).long()).flatten(1))
    return found


UNSEEN = "changes an attribute that is no buffer"
UNSAVED = "cannot be saved"
TWO = {"a": lin(), "b": lin()}

HIDDEN: dict[str, Kind] = {
    "loss that closes over a number": Kind(
        lin(), f"{UNSEEN} (loss of level)", UNSAVED, loss=closed_over
    ),
    "loss that is a method": Kind(
        lin(), f"{UNSEEN} (loss of level)", UNSAVED, loss=lambda usual: Helper(usual).loss
    ),
    "loss that is a partial function": Kind(
        lin(),
        f"{UNSEEN} (loss of level)",
        UNSAVED,
        loss=lambda usual: partial(counted, {"n": 0}, usual),
    ),
    "loss with slots": Kind(lin(), f"{UNSEEN} (loss of level)", UNSAVED, loss=Slotted),
    "hook that closes over a number": Kind(
        hooked_by_closure, f"{UNSEEN} (a hook of trunk)", UNSAVED
    ),
    "forward that closes over a module": Kind(
        patched_by_closure, f"{UNSEEN} (trunk.forward)", UNSAVED
    ),
    "module in a list": Kind(
        of(lambda self, x: self.kept[0](self.layer(x)), layer=lin(), kept=lambda: [Counter()]),
        f"{UNSEEN} (trunk.kept)",
        UNSAVED,
    ),
    "generator in an attribute": Kind(
        of(fading, layer=lin(), factors=factors), f"{UNSEEN} (trunk.factors)", UNSAVED
    ),
    "parameter made in passing": Kind(
        of(late_parameter, layer=lin()), "in a stack than alone", "cannot go on"
    ),
    "buffer made in passing": Kind(
        changed(of(late_buffer, layer=lin()), lambda made: made.register_buffer("mean", None)),
        "in a stack than alone",
        "cannot go on",
    ),
    "stochastic depth by numpy": Kind(of(rare_by_numpy, **TWO), "NumPy's own generator"),
    "array of inputs": Kind(of(branch_by_array, a=lin()), "reads numbers"),
    "number among inputs": Kind(
        of(lambda self, x: self.a(x) * (2.0 if 9.0 in x else 1.0), a=lin()), "reads numbers"
    ),
    "inputs compared by a method": Kind(
        of(lambda self, x: self.a(x) * (2.0 if x.equal(x.abs()) else 1.0), a=lin()), "reads numbers"
    ),
    "gradient in the forward pass": Kind(of(force, a=lin(), b=lin(3, 4)), "vmap"),
    "gradient by a transform": Kind(of(force_by_transform, a=lin(), b=lin(3, 4))),
    "complex parameter": Kind(
        of(
            lambda self, x: self.layer(x) + (x * (1 + 0j) @ self.turn).abs(),
            layer=lin(),
            turn=lambda: nn.Parameter(torch.randn(3, 4, dtype=torch.complex128)),
        ),
        "default type",
    ),
    "sparse gradients": Kind(
        of(looked_up, table=lambda: nn.Embedding(2, 3, sparse=True), layer=lin(9, 4)), "vmap"
    ),
    "weights clamped in passing": Kind(
        buffer(
            of(
                lambda self, x: fn.linear(x, self.layer.weight.clamp(-self.most, self.most)),
                layer=lin(bias=False),
            ),
            "most",
            lambda _: torch.tensor(0.2),
        )
    ),
}
