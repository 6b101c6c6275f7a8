"""A function that torch has compiled for batches of one form.

Shapes: T tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from trainers.errors import NotCompilable
from trainers.protocol import Batch

_ONCE = 1
"""Compilations of one function: a second one would give other bits, depending on the first."""


class Compiled:
    """Task losses by a compiled function; other forms of batches are not its business.

    The last batch of an epoch is smaller as a rule. It is computed in plain operations: compiling
    for it would take as long as hundreds of such steps.

    Args:
        losses: Takes inputs and targets last; gives losses ``[..., T]``.
        batch: What it is compiled for.
    """

    def __init__(self, losses: Callable[..., Tensor], batch: Batch, device: torch.device) -> None:
        self._form, self._device = _form(batch), device
        self._losses = compiled_once(losses, options(device.type))

    def takes(self, batch: Batch) -> bool:
        """Whether a batch has the form it was compiled for."""
        return _form(batch) == self._form

    def begin_step(self) -> None:
        """What earlier calls returned is not needed any more: CUDA graphs write over it."""
        if self._device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]

    def __call__(self, *arguments: Any) -> Tensor:
        """The losses ``[..., T]``, compiled by the first call.

        Raises:
            NotCompilable: The network or a loss cannot be compiled whole, or not once for all.
        """
        from torch._dynamo import exc

        try:
            return self._losses(*arguments)
        except (exc.TorchDynamoException, exc.FailOnRecompileLimitHit) as error:
            raise not_compilable(error) from error


def compiled_once(
    function: Callable[..., Tensor], options: Mapping[str, Any]
) -> Callable[..., Tensor]:
    """A function that torch compiles at its first call, for that call's shapes, and never again.

    Tensors may be of any shape, ``[...]``. Torch 2.11 has one limit for a process, and counts by a
    function's code: each gets its own.
    """
    limits = {"recompile_limit": _ONCE, "isolate_recompiles": True}
    if not limits.keys() <= signature(torch.compile).parameters.keys():
        limits = {}
        torch._dynamo.config.recompile_limit = _ONCE
        torch._dynamo.config.fail_on_recompile_limit_hit = True
        function = _with_own_code(function)
    compiler: Any = torch.compile  # of which no one version has all arguments
    found: Callable[..., Tensor] = compiler(
        function, dynamic=False, fullgraph=True, options=dict(options), **limits
    )
    return found


def _with_own_code(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    assert isinstance(function, FunctionType)
    return FunctionType(
        function.__code__.replace(),
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )


def options(device: str) -> dict[str, Any]:
    """Settings of torch's compiler for a type of device.

    Dropout draws what it would draw without the compiler. On a GPU, a step is one CUDA graph.
    """
    return {"fallback_random": True, "triton.cudagraphs": device == "cuda"}


def not_compilable(error: Exception) -> NotCompilable:
    """What torch's compiler has against a network, and the way out."""
    cause = error.__cause__ or error
    first = (str(cause).strip().splitlines() or [""])[0]
    return NotCompilable(
        "`compile = true` needs a network and losses that `torch.compile` takes as a whole, the "
        f"same in every step. Got {type(cause).__name__}: {first}. "
        "Drop `compile`, or write them without branches on values and without counters."
    )


def _form(batch: Batch) -> tuple[Any, ...]:
    """All that a compiled function depends on: structure, shapes, types, and other values."""
    leaves, structure = tree_flatten((batch.inputs, batch.targets))
    described = [
        (leaf.shape, leaf.stride(), leaf.dtype) if isinstance(leaf, Tensor) else leaf
        for leaf in leaves
    ]
    return structure, described
