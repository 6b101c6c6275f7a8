"""A function that torch has compiled for batches of one form.

Shapes: T tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from trainers.errors import NotCompilable
from trainers.protocol import Batch

_Stance = Literal["default", "fail_on_recompile"]


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
        self._losses: Callable[..., Tensor] = torch.compile(
            _with_own_code(losses), dynamic=False, fullgraph=True, options=options(device.type)
        )
        self._stance: _Stance = "default"

    def takes(self, batch: Batch) -> bool:
        """Whether a batch has the form it was compiled for."""
        return _form(batch) == self._form

    def begin_step(self) -> None:
        """What earlier calls returned is not needed any more: CUDA graphs write over it."""
        if self._device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]

    def __call__(self, *arguments: Any) -> Tensor:
        """The losses ``[..., T]``, compiled by the first call for its shapes, and never again.

        A second compilation would give other bits, depending on the first.

        Raises:
            NotCompilable: The network or a loss cannot be compiled whole, or not once for all.
        """
        try:
            with torch.compiler.set_stance(self._stance):
                found = self._losses(*arguments)
        except RuntimeError as error:  # whatever torch's compiler raises, which has no public name
            if isinstance(error, torch.OutOfMemoryError) or not self._refuses(error):
                raise
            raise not_compilable(error) from error
        self._stance = "fail_on_recompile"
        return found

    def _refuses(self, error: RuntimeError) -> bool:
        """Whether it is the compiler that raises; a function that is compiled may fail, too."""
        return self._stance == "default" or self._stance in str(error)


def _with_own_code(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same function; torch counts compilations by a function's code, and limits them."""
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
