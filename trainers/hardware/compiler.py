"""Torch's compiler: made ready in processes that compile, not imported in the others."""

from __future__ import annotations

import os
import shutil
import sys
from inspect import unwrap
from typing import TYPE_CHECKING

from trainers.errors import CompilerMissing

if TYPE_CHECKING:
    from torch.utils._python_dispatch import TorchDispatchMode


def let_in() -> None:
    """Make the compiler ready to compile in this process, and in no other.

    Raises:
        CompilerMissing: There is no C++ compiler for what it writes.
    """
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"  # others are processes that outlive this one
    cxx = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(cxx) is None:
        raise CompilerMissing(
            "`compile = true` needs a C++ compiler that torch can call. Found none that works: "
            f"there is no `{cxx}`. Install it, set CXX to another one, or drop `compile` from "
            "[training]."
        )
    import torch

    torch.compile(let_in)  # imports the compiler, which the first run would pay for


def lighten(mode: TorchDispatchMode | None) -> None:
    """Let a dispatch mode do without the compiler.

    Torch wraps its method for the compiler to skip it; the wrapper imports it at its first call:
    1.5 s in every worker. What is wrapped can be called.
    """
    if mode is not None:
        mode.__torch_dispatch__ = unwrap(mode.__torch_dispatch__).__get__(mode)  # type: ignore[method-assign]
