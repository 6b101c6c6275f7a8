"""Addressed randomness: draws are functions of (seed, purpose, epoch, ...), none is carried."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Key:
    """An address such as ``Key("7") / "order" / 3``; equal addresses give equal draws."""

    path: str

    def __truediv__(self, part: str | int) -> Key:
        return Key(f"{self.path}/{part}")

    @property
    def seed(self) -> int:
        """63 bits that depend on the whole address."""
        return int.from_bytes(blake2b(self.path.encode(), digest_size=8).digest(), "big") >> 1

    def generator(self) -> torch.Generator:
        """A fresh CPU generator for this address."""
        import torch

        return torch.Generator().manual_seed(self.seed)

    def seed_global(self, device: torch.device | None = None) -> None:
        """Seed the global generators: torch's of the CPU and of `device`, Python's and NumPy's.

        `torch.manual_seed` does the same for torch, and formats a stack trace for each kind of
        accelerator that is not in use: 1 to 2 ms a call, which small runs would pay in every epoch.
        """
        import torch

        torch.default_generator.manual_seed(self.seed)
        if device is not None and device.type == "cuda":
            torch.cuda.manual_seed_all(self.seed)
        random.seed(self.seed)
        if (of_numpy := sys.modules.get("numpy.random")) is not None:
            of_numpy.seed(self.seed % 2**32)


@dataclass(frozen=True, slots=True)
class GeneratorStates:
    """Where all global generators stand.

    Attributes:
        torch: Of the CPU, then of a GPU if there is one.
        numpy: None if it is not loaded.
    """

    torch: Sequence[torch.Tensor]
    python: Any
    numpy: Any


def global_state(device: torch.device) -> GeneratorStates:
    """Where the global generators stand, torch's of the CPU and of `device` and the others."""
    import torch

    gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    of_numpy = sys.modules.get("numpy.random")
    return GeneratorStates(
        torch=[torch.default_generator.get_state(), *gpu],
        python=random.getstate(),
        numpy=None if of_numpy is None else of_numpy.get_state(),
    )


def set_global_state(state: GeneratorStates, device: torch.device) -> None:
    """Let the global generators go on from where they stood."""
    import torch

    cpu, *gpu = state.torch
    torch.default_generator.set_state(cpu)
    for of_gpu in gpu:
        torch.cuda.set_rng_state(of_gpu, device)
    random.setstate(state.python)
    if state.numpy is not None:
        sys.modules["numpy.random"].set_state(state.numpy)
