"""Networks of the zoo that take more than a line, by what is odd about them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from tests.contract.zoo_parts import lin, of

# ----- one thing at two places


def relu_twice() -> nn.Module:
    relu = nn.ReLU()
    return nn.Sequential(nn.Linear(3, 5), relu, nn.Linear(5, 5), relu, nn.Linear(5, 4), relu)


def linear_twice() -> nn.Module:
    layer = nn.Linear(4, 4)
    return nn.Sequential(nn.Linear(3, 4), layer, nn.Tanh(), layer)


def tied() -> nn.Module:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    return nn.Sequential(nn.Linear(3, 4), first, nn.Tanh(), second)


def two_names() -> nn.Module:
    made = of(lambda self, x: self.a(x) + self.b(x).tanh())()
    made.a = made.b = nn.Linear(3, 4)
    return made


def norm_under_two_names() -> nn.Module:
    norm = nn.BatchNorm1d(4)
    return nn.Sequential(nn.Linear(3, 4, bias=False), norm, nn.Tanh(), norm, nn.Linear(4, 4))


def in_a_list() -> nn.Module:
    layer = nn.Linear(3, 4)
    made = of(lambda self, x: self.layer(x) + fn.linear(x, self.kept[0]), layer=lambda: layer)()
    made.kept = [layer.weight]
    return made


def in_a_list_only() -> nn.Module:
    layer = nn.Linear(3, 4)
    made = of(lambda self, x: fn.linear(x, self.kept[0]) + self.layer.bias, layer=lambda: layer)()
    made.kept = [layer.weight]
    return made


def alias() -> nn.Module:
    made = of(lambda self, x: self.layer(x) + fn.linear(x, self.w), layer=lin())()
    made.register_buffer("w", made.layer.weight.detach())
    return made


def alias_in_an_attribute() -> nn.Module:
    made = of(lambda self, x: self.layer(x) + fn.linear(x, self.w), layer=lin())()
    made.w = made.layer.weight.detach()
    return made


def parameter_views() -> nn.Module:
    whole = torch.randn(4, 6) / 2
    made = of(lambda self, x: fn.linear(x, self.a) + fn.linear(x, self.b))()
    made.a, made.b = nn.Parameter(whole[:, :3]), nn.Parameter(whole[:, 3:])
    return made


# ----- types that are almost known


class DoubledNorm(nn.BatchNorm1d):
    def forward(self, inputs: Tensor) -> Tensor:
        return 2 * super().forward(inputs)


class SameNorm(nn.BatchNorm1d):
    """A subclass that changes nothing, which nobody can know."""


class ShiftedLinear(nn.Linear):
    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) + 1


class ReversedSequence(nn.Sequential):
    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs.flip(-1))


class CountedSequence(nn.Sequential):
    def __call__(self, inputs: Tensor) -> Tensor:
        return 3 * super().__call__(inputs)


class HalfDropout(nn.Dropout):
    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) / 2


def patched() -> nn.Module:
    layer = nn.ReLU()
    layer.forward = lambda x: x.sin()  # type: ignore[method-assign]
    return nn.Sequential(nn.Linear(3, 4), layer)


# ----- state


def count(self: Any) -> None:
    self.n = self.n + 1 if self.training else self.n


def off_after(self: Any, x: Tensor) -> Tensor:
    count(self)
    return self.a(x) + (self.b(x) if self.n <= 5 else 0.0)


def scaled_by_count(self: Any, x: Tensor) -> Tensor:
    count(self)
    return self.layer(x) / self.n


def gated(self: Any, x: Tensor) -> Tensor:
    if self.training:
        self.n.add_(1)
    return self.a(x) + torch.where(self.n < 4, self.b(x), torch.zeros(()))


def running(self: Any, x: Tensor) -> Tensor:
    if self.training:
        self.mean.mul_(0.5).add_(x.detach().mean(0), alpha=0.5)
    return self.layer(x - self.mean)


def running_anew(self: Any, x: Tensor) -> Tensor:
    if self.training:
        self.mean = 0.5 * self.mean + 0.5 * x.detach().mean(0)
    return self.layer(x - self.mean)


def windowed(self: Any, x: Tensor) -> Tensor:
    if self.training:
        self.window.append(float(x.mean()))
    return self.layer(x) + sum(self.window)


def history(self: Any, x: Tensor) -> Tensor:
    if self.training:
        self.seen["means"].append(x.mean().item())
    return self.layer(x) * (1 + 0.1 * len(self.seen["means"]))


def cached(self: Any, x: Tensor) -> Tensor:
    if self.mask is None:
        self.mask = torch.ones_like(x[:1])
    return self.layer(x * self.mask)


class Extra(nn.Linear):
    """Keeps a number as extra state."""

    n = 0

    def forward(self, inputs: Tensor) -> Tensor:
        count(self)
        return super().forward(inputs) / (1 + self.n)

    def get_extra_state(self) -> Any:
        return {"n": self.n}

    def set_extra_state(self, state: Any) -> None:
        self.n = state["n"]


class Box:
    """What no checkpoint takes."""

    def __init__(self, n: int) -> None:
        self.n = n


class Boxed(Extra):
    def get_extra_state(self) -> Any:
        return Box(self.n)

    def set_extra_state(self, state: Any) -> None:
        self.n = state.n


def boxed(self: Any, x: Tensor) -> Tensor:
    if self.training:
        self.box.n += 1
    return self.layer(x) / self.box.n


class FirstData(nn.Module):
    """Shifts by the mean of the first data it sees; remembers it in an attribute, or a buffer."""

    def __init__(self, *, buffered: bool) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(3))
        self.layer = nn.Linear(3, 4)
        if buffered:
            self.register_buffer("ready", torch.tensor(False))
        else:
            self.ready = False

    def forward(self, inputs: Tensor) -> Tensor:
        if not self.ready:
            self.shift.data.copy_(inputs.mean(0))
            self.ready = torch.tensor(True) if isinstance(self.ready, Tensor) else True
        return self.layer(inputs - self.shift)


class FrozenNorm(nn.Sequential):
    """A normalisation that never trains."""

    def train(self, mode: bool = True) -> FrozenNorm:
        super().train(mode)
        self[1].eval()
        return self


class Annealed(nn.Linear):
    """Counts how often it was told to train."""

    n = 0

    def train(self, mode: bool = True) -> Annealed:
        self.n += mode
        return super().train(mode)

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) / (1 + self.n)
