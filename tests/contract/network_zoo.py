"""Networks of every kind that a user may come with, each a trunk of four features for the toy.

What is said of each is whether a stack takes it, or by which words it is refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional as fn
from torch.nn.utils import parametrizations
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.checkpoint import checkpoint

from tests.contract.zoo_forwards import (
    Reversed,
    RunningLoss,
    WarmLoss,
    at_evaluation,
    attention,
    by_item,
    convolved,
    dict_head,
    embedded,
    experts,
    hooked,
    inner,
    item_at_evaluation,
    masked,
    noisy,
    rare,
    rare_by_item,
    rare_by_mask,
    recurrent_with,
    shorten,
    spoiling,
    tuple_head,
)
from tests.contract.zoo_hidden import HIDDEN
from tests.contract.zoo_networks import (
    Annealed,
    Box,
    Boxed,
    CountedSequence,
    DoubledNorm,
    Extra,
    FirstData,
    FrozenNorm,
    HalfDropout,
    ReversedSequence,
    SameNorm,
    ShiftedLinear,
    alias,
    alias_in_an_attribute,
    boxed,
    cached,
    gated,
    history,
    in_a_list,
    in_a_list_only,
    linear_twice,
    norm_under_two_names,
    off_after,
    parameter_views,
    patched,
    relu_twice,
    running,
    running_anew,
    scaled_by_count,
    tied,
    two_names,
    windowed,
)
from tests.contract.zoo_parts import Kind, after, buffer, changed, lin, numbers, of, seq

TWO = {"a": lin(), "b": lin()}

ZOO: dict[str, Kind] = {
    "mlp": Kind(seq(lin(), nn.ReLU, lin(4, 4))),
    "nested": Kind(seq(lin(), seq(nn.Tanh, seq(lin(4, 5), nn.SiLU)), lin(5, 4))),
    "identity": Kind(seq(nn.Identity, lin(), nn.Identity)),
    "flatten": Kind(seq(nn.Flatten, lin())),
    "no bias": Kind(seq(lin(bias=False), nn.ELU)),
    "prelu": Kind(after(nn.PReLU)),
    "residual": Kind(of(lambda self, x: self.a(x) + self.b(x).relu(), **TWO)),
    "bilinear": Kind(of(lambda self, x: self.two(x, x), two=lambda: nn.Bilinear(3, 3, 4))),
    "raw parameters": Kind(
        of(lambda self, x: (x @ self.w + self.b).tanh(), w=numbers(3, 4), b=numbers(4))
    ),
    "scalar parameter": Kind(of(lambda self, x: self.layer(x) * self.s, layer=lin(), s=numbers())),
    "module list": Kind(
        of(
            lambda self, x: sum(m(x) for m in self.all),
            all=lambda: nn.ModuleList([nn.Linear(3, 4) for _ in range(3)]),
        )
    ),
    "parameter list": Kind(
        of(
            lambda self, x: x @ self.all[0] + x @ self.all[1],
            all=lambda: nn.ParameterList([torch.randn(3, 4) for _ in range(2)]),
        )
    ),
    "experts": Kind(of(experts, gate=lin(3, 3), all=lin(3, 12))),
    # one thing at two places
    "relu twice": Kind(relu_twice),
    "linear twice": Kind(linear_twice),
    "tied weights": Kind(tied),
    "tied transposed": Kind(
        of(
            lambda self, x: fn.linear(self.a(x).tanh(), self.a.weight.T) @ self.w,
            a=lin(),
            w=numbers(3, 4),
        )
    ),
    "two names": Kind(two_names),
    "norm under two names": Kind(norm_under_two_names),
    "weights in a list beside": Kind(in_a_list, "in a stack"),
    "weights in a list": Kind(in_a_list_only, "in a stack"),
    "buffer aliases weight": Kind(alias, "in the same memory"),
    "attribute aliases weight": Kind(alias_in_an_attribute, "an attribute that is no buffer"),
    "parameters of one tensor": Kind(parameter_views, "in the same memory"),
    # normalisation
    "batch norm": Kind(seq(lin(bias=False), lambda: nn.BatchNorm1d(4), nn.ReLU, lin(4, 4))),
    "batch norm, mean of all": Kind(seq(lin(bias=False), lambda: nn.BatchNorm1d(4, momentum=None))),
    "batch norm without scale": Kind(seq(lin(bias=False), lambda: nn.BatchNorm1d(4, affine=False))),
    "batch norm without statistics": Kind(
        seq(lin(bias=False), lambda: nn.BatchNorm1d(4, track_running_stats=False))
    ),
    "batch norm subclass": Kind(seq(lin(bias=False), lambda: DoubledNorm(4)), "batch_norm"),
    "batch norm subclass as it was": Kind(seq(lin(bias=False), lambda: SameNorm(4)), "batch_norm"),
    "batch norm by function": Kind(
        of(lambda self, x: fn.batch_norm(self.a(x), None, None, training=True), a=lin(bias=False)),
        "batch_norm",
    ),
    "frozen batch norm": Kind(
        lambda: FrozenNorm(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    ),
    "layer norm": Kind(after(lambda: nn.LayerNorm(4))),
    "group norm": Kind(after(lambda: nn.GroupNorm(2, 4))),
    "rms norm": Kind(after(lambda: nn.RMSNorm(4))),
    "weight norm": Kind(lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 4)))),
    "spectral norm": Kind(
        lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(3, 4))), "vmap"
    ),
    "orthogonal": Kind(
        lambda: nn.Sequential(nn.Linear(3, 4), parametrizations.orthogonal(nn.Linear(4, 4)))
    ),
    # layers of other kinds
    "embedding": Kind(
        of(
            lambda self, x: self.layer(embedded(self, x)),
            table=lambda: nn.Embedding(2, 3),
            layer=lin(9, 4),
        )
    ),
    "rnn": Kind(recurrent_with(nn.RNN), "vmap"),
    "lstm": Kind(recurrent_with(nn.LSTM), "vmap"),
    "gru": Kind(recurrent_with(nn.GRU), "vmap"),
    "attention": Kind(
        of(
            attention,
            embed=lin(1, 4),
            mix=lambda: nn.MultiheadAttention(4, 2, batch_first=True),
            layer=lin(12, 4),
        )
    ),
    "transformer": Kind(
        of(
            lambda self, x: self.layer(self.mix(self.embed(x.unsqueeze(-1))).flatten(1)),
            embed=lin(1, 4),
            mix=lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
            layer=lin(12, 4),
        )
    ),
    "convolution": Kind(convolved(nn.Conv2d, 3, 4)),
    "convolution of a line": Kind(convolved(nn.Conv1d, 12)),
    "complex buffer": Kind(
        buffer(
            of(lambda self, x: self.layer((x * self.turn).abs()), layer=lin()),
            "turn",
            lambda _: torch.tensor([1 + 1j, 2.0, 3j]),
        )
    ),
    "integer buffer": Kind(
        buffer(
            of(lambda self, x: self.layer(x[:, self.order]), layer=lin()),
            "order",
            lambda _: torch.tensor([2, 0, 1]),
        )
    ),
    "features in a dict": Kind(
        of(lambda self, x: {"deep": {"x": self.a(x)}, "sum": inner(x)}, a=lin()), head=dict_head
    ),
    "features in a tuple": Kind(
        of(lambda self, x: (self.a(x), [self.b(x).sigmoid()]), **TWO), head=tuple_head
    ),
    # random
    "dropout": Kind(after(lambda: nn.Dropout(0.4))),
    "dropout in place": Kind(after(lambda: nn.Dropout(0.4, inplace=True))),
    "dropout of inputs": Kind(seq(lambda: nn.Dropout(0.4), lin())),
    "dropout subclass": Kind(after(lambda: HalfDropout(0.4))),
    "alpha dropout": Kind(after(lambda: nn.AlphaDropout(0.4))),
    "noise": Kind(of(noisy, layer=lin())),
    "stochastic depth by mask": Kind(of(rare_by_mask, **TWO)),
    "stochastic depth by number": Kind(of(rare_by_item, **TWO), "reads numbers"),
    "stochastic depth by python": Kind(of(rare, **TWO), "Python's own generator"),
    # state
    "counter in a buffer": Kind(
        buffer(of(gated, **TWO), "n", lambda _: torch.zeros((), dtype=torch.long))
    ),
    "counter in an attribute": Kind(
        of(scaled_by_count, layer=lin(), n=lambda: 1), "no buffer (trunk.n)"
    ),
    "part switched off": Kind(of(off_after, **TWO, n=lambda: 0), "no buffer (trunk.n)"),
    "list in an attribute": Kind(
        of(history, layer=lin(), seen=lambda: {"means": []}), "reads numbers"
    ),
    "window in an attribute": Kind(
        of(windowed, layer=lin(), window=lambda: deque(maxlen=3)),
        "reads numbers",
        "cannot be saved",
    ),
    "object in an attribute": Kind(
        of(boxed, layer=lin(), box=lambda: Box(1)), "no buffer (trunk.box)", "cannot be saved"
    ),
    "cache in an attribute": Kind(
        of(cached, layer=lin(), mask=lambda: None), "no buffer (trunk.mask)"
    ),
    "running mean": Kind(buffer(of(running, layer=lin()), "mean", lambda _: torch.zeros(3))),
    "running mean not persistent": Kind(
        buffer(of(running, layer=lin()), "mean", lambda _: torch.zeros(3), persistent=False)
    ),
    "running mean assigned": Kind(
        buffer(of(running_anew, layer=lin()), "mean", lambda _: torch.zeros(3)), "in a stack"
    ),
    "running mean in an attribute": Kind(
        of(running_anew, layer=lin(), mean=lambda: torch.zeros(3)), "no buffer (trunk.mean)"
    ),
    "extra state": Kind(lambda: Extra(3, 4), "saves more than its own tensors"),
    "extra state as an object": Kind(
        lambda: Boxed(3, 4), "saves more than its own tensors", "cannot be read back"
    ),
    "first data, in a buffer": Kind(lambda: FirstData(buffered=True), "vmap"),
    "first data, in an attribute": Kind(lambda: FirstData(buffered=False), "vmap"),
    "lazy": Kind(lambda: nn.LazyLinear(4), "from the first data"),
    "lazy norm": Kind(seq(lin(bias=False), nn.LazyBatchNorm1d), "from the first data"),
    "train overridden": Kind(lambda: Annealed(3, 4), "no buffer (trunk.n)"),
    "loss with a running mean": Kind(lin(), "vmap", loss=RunningLoss),
    "loss with a counter": Kind(lin(), "no buffer (loss of level.n)", loss=WarmLoss),
    # parameters of other kinds
    "frozen layer": Kind(changed(after(nn.Tanh), lambda module: module[0].requires_grad_(False))),
    "frozen bias": Kind(changed(lin(), lambda module: module.bias.requires_grad_(False))),
    "frozen trunk": Kind(changed(after(nn.Tanh), lambda module: module.requires_grad_(False))),
    "nothing learned": Kind(
        nn.Identity,
        "no parameters",
        head=lambda n: of(lambda _, x: x.sum(-1, keepdim=True).expand(-1, n))(),
    ),
    "parameter without use": Kind(of(lambda self, x: self.a(x), **TWO), "no loss depends on"),
    "double precision": Kind(
        of(
            lambda self, x: self.a(x.float()).to(x.dtype),
            a=lambda: nn.Linear(3, 4, dtype=torch.float32),
        ),
        "default type",
    ),
    # types that are almost known
    "linear subclass": Kind(seq(lambda: ShiftedLinear(3, 4), nn.ReLU)),
    "sequence subclass": Kind(lambda: ReversedSequence(nn.Linear(3, 4), nn.ReLU())),
    "sequence called otherwise": Kind(lambda: CountedSequence(nn.Linear(3, 4), nn.ReLU())),
    "forward patched": Kind(patched),
    # hooks
    "forward hook": Kind(hooked("register_forward_hook", lambda _m, _i, out: 2 * out)),
    "forward pre-hook": Kind(hooked("register_forward_pre_hook", lambda _m, args: (args[0] + 1,))),
    "gradient hook": Kind(
        changed(lin(), lambda m: m.weight.register_hook(lambda g: 0.1 * g)), "hook on a parameter"
    ),
    "hook behind gradients": Kind(
        changed(lin(), lambda m: m.weight.register_post_accumulate_grad_hook(shorten)),
        "hook on a parameter",
    ),
    "backward hook": Kind(
        hooked(
            "register_full_backward_hook",
            lambda _m, gi, _go: tuple(None if g is None else 0.5 * g for g in gi),
        ),
        "in a stack",
    ),
    "gradients reversed": Kind(
        of(lambda self, x: self.b(Reversed.apply(self.a(x))), a=lin(), b=lin(4, 4)), "vmap"
    ),
    "gradients checkpointed": Kind(
        of(lambda self, x: checkpoint(self.a, x, use_reentrant=False), a=after(nn.Tanh)), "vmap"
    ),
    # what is changed in place, and what is read
    "inputs changed": Kind(of(lambda self, x: self.a(x.mul_(0.5)), a=lin())),
    "inputs changed behind": Kind(of(lambda self, x: (x.data.add_(1.0), self.a(x))[1], a=lin())),
    "inputs bent in place": Kind(seq(lambda: nn.ReLU(inplace=True), lin())),
    "features bent in place": Kind(seq(lin(), lambda: nn.ReLU(inplace=True), lin(4, 4))),
    "targets changed": Kind(lin(), loss=spoiling),
    "item of inputs": Kind(
        of(lambda self, x: self.a(x) * (1 + abs(x.mean().item())), a=lin()), "reads numbers"
    ),
    "bool of inputs": Kind(
        of(lambda self, x: self.a(x) if bool(x.sum() > 0) else -self.a(x), a=lin()), "reads numbers"
    ),
    "list of inputs": Kind(
        of(
            lambda self, x: self.a(x) * len([n for n in x.flatten().tolist() if n > 0]) / 9, a=lin()
        ),
        "reads numbers",
    ),
    "bool of targets": Kind(lin(), "reads numbers", loss=masked),
    "item of targets": Kind(lin(), "reads numbers", loss=by_item),
    "number at evaluation": Kind(of(item_at_evaluation, a=lin()), "vmap"),
    "branch at evaluation": Kind(of(at_evaluation, a=lin(), b=numbers(4)), "no loss depends on"),
    **HIDDEN,
}


@contextmanager
def clipping_steps() -> Iterator[Kind]:
    """A kind of network that comes with a hook on the steps of all optimisers."""

    def clip(optimizer: Any, *_: Any) -> None:
        for group in optimizer.param_groups:
            for param in group["params"]:
                param.data.clamp_(-0.3, 0.3)

    handle = register_optimizer_step_post_hook(clip)
    try:
        yield Kind(after(nn.Tanh), "hooks on the steps of optimisers")
    finally:
        handle.remove()
