"""Losses, hooks and forward functions of the zoo that take more than a line."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tests.contract.zoo_parts import Make, after, changed, lin, of

# ----- losses


class RunningLoss(nn.Module):
    """Divides by a running mean of itself."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss
        self.register_buffer("mean", torch.ones(()))

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        found = self.loss(output, target)
        if torch.is_grad_enabled():
            self.mean.mul_(0.5).add_(found.detach(), alpha=0.5)
        return found / (1 + self.mean)


class WarmLoss:
    """Grows over its first calls."""

    def __init__(self, loss: Any) -> None:
        self.loss, self.n = loss, 0

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        self.n += torch.is_grad_enabled()
        return self.loss(output, target) * min(1.0, self.n / 6)


def masked(loss: Any) -> Any:
    def found(output: Tensor, target: Tensor) -> Tensor:
        return loss(output, target) if bool(target.isfinite().any()) else output.sum() * 0

    return found


def by_item(loss: Any) -> Any:
    return lambda output, target: loss(output, target) * (1 + target.float().max().item())


def spoiling(loss: Any) -> Any:
    """Changes its targets in place, where they are numbers."""

    def found(output: Tensor, target: Tensor) -> Tensor:
        if target.is_floating_point():
            target.mul_(0.5)
        return loss(output, target)

    return found


# ----- gradients and hooks


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, inputs: Tensor) -> Tensor:
        return inputs.clone()

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return -0.5 * gradient


def shorten(param: Tensor) -> None:
    assert param.grad is not None
    param.grad.mul_(0.1)


def hooked(name: str, hook: Callable[..., Any]) -> Make:
    return changed(after(nn.Tanh), lambda module: getattr(module[2], name)(hook))


def rare(self: Any, x: Tensor) -> Tensor:
    return self.a(x) + (self.b(x) if not self.training or random.random() < 0.6 else 0.0)


def rare_by_item(self: Any, x: Tensor) -> Tensor:
    return self.a(x) + (self.b(x) if not self.training or torch.rand(()).item() < 0.6 else 0.0)


def rare_by_mask(self: Any, x: Tensor) -> Tensor:
    kept = torch.bernoulli(torch.full((len(x), 1), 0.6)) if self.training else 0.6
    return self.a(x) + kept * self.b(x)


def noisy(self: Any, x: Tensor) -> Tensor:
    return self.layer(x + 0.1 * torch.randn_like(x) if self.training else x)


# ----- features of other kinds


def dict_head(n: int) -> nn.Module:
    return of(lambda self, f: self.layer(f["deep"]["x"]) + f["sum"], layer=lin(4, n))()


def tuple_head(n: int) -> nn.Module:
    return of(lambda self, f: self.layer(f[0] * f[1][0]), layer=lin(4, n))()


def attention(self: Any, x: Tensor) -> Tensor:
    tokens = self.embed(x.unsqueeze(-1))
    return self.layer(self.mix(tokens, tokens, tokens, need_weights=False)[0].flatten(1))


def recurrent(self: Any, x: Tensor) -> Tensor:
    return self.layer(self.cell(x.unsqueeze(-1))[0][:, -1])


def recurrent_with(kind: type[nn.Module]) -> Make:
    return of(recurrent, cell=lambda: kind(1, 5, batch_first=True), layer=lin(5, 4))


def convolved(kind: type[nn.Module], *shape: int) -> Make:
    n = shape[-1] if len(shape) == 1 else 1

    def forward(self: Any, x: Tensor) -> Tensor:
        image = x[:, :, None].expand(-1, -1, 4).reshape(len(x), 1, *shape)
        return self.layer(self.conv(image).flatten(1))

    n_out = 2 * (shape[0] - 1) * (n - 1 if len(shape) == 1 else shape[-1] - 1)
    if len(shape) == 1:
        n_out = 2 * (shape[0] - 1)
    return of(forward, conv=lambda: kind(1, 2, 2), layer=lin(n_out, 4))


def embedded(self: Any, x: Tensor) -> Tensor:
    return self.table((x > 0).long()).flatten(1)


def inner(x: Any) -> Tensor:
    found: Tensor = x.square().sum(-1, keepdim=True)
    return found


def experts(self: Any, x: Tensor) -> Tensor:
    gates = self.gate(x).softmax(-1)
    best = gates >= gates.topk(2, dim=-1).values[..., -1:]
    return torch.einsum("be,beo->bo", gates * best, self.all(x).unflatten(-1, (3, 4)))


def at_evaluation(self: Any, x: Tensor) -> Tensor:
    return self.a(x) if self.training else self.a(x) + self.b.detach() * 2


def item_at_evaluation(self: Any, x: Tensor) -> Tensor:
    return self.a(x) if self.training else self.a(x) * (1.0 if self.a.bias.sum() > 0 else 2.0)
