"""Torch's compiler: kept out of processes that compile nothing, made ready in the others.

Torch's optimisers and dispatch modes tell the compiler, at their first call, that they are not to
be compiled, and import it for that: 1.7 s in every worker.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from trainers.errors import CompilerMissing


def let_in() -> None:
    """Make the compiler ready to compile in this process, and in no other.

    Raises:
        CompilerMissing: There is no C++ compiler for what it writes.
    """
    import torch._inductor.config
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    torch._inductor.config.compile_threads = 1  # others would be processes that outlive this one
    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        raise CompilerMissing(
            "`compile = true` needs a C++ compiler that torch can call. Found none that works: "
            "neither g++ nor clang++. Install g++, or drop `compile` from [training]."
        ) from None


@contextmanager
def without_triton() -> Iterator[None]:
    """Let a module do without Triton that would import it in passing, 0.2 s of every start.

    Torch's counter of operations does, to tell kernels of which nobody wants a count.
    """
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    log = logging.getLogger("torch.utils.flop_counter")
    level, loaded = log.level, "triton" in modules
    if not loaded:
        modules["triton"] = None  # which makes an import fail
        log.setLevel(logging.ERROR)  # it would warn
    try:
        yield
    finally:
        if not loaded:
            del modules["triton"]
            log.setLevel(level)


def keep_out() -> None:
    """Mark what is not to be compiled, as the compiler itself would, without importing it."""
    import torch
    from torch.utils.flop_counter import _FlopCounterMode

    wrapper = torch._disable_dynamo(keep_out).__code__  # type: ignore[attr-defined]
    for owner in (
        *(torch.optim.Optimizer, torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW),
        _FlopCounterMode,
    ):
        for member in vars(owner).values():
            if getattr(member, "__code__", None) is wrapper:
                raw = member.__wrapped__
                setattr(raw, "__dynamo_disable", raw)
