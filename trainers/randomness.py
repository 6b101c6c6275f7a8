"""Addressed randomness: draws are functions of (seed, purpose, epoch, ...), none is carried."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

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
        """Seed torch's global generators of the CPU and of `device`.

        `torch.manual_seed` does the same, and formats a stack trace for each kind of accelerator
        that is not in use: 1 to 2 ms a call, which small runs would pay in every epoch.
        """
        import torch

        torch.default_generator.manual_seed(self.seed)
        if device is not None and device.type == "cuda":
            torch.cuda.manual_seed_all(self.seed)


def global_state(device: torch.device) -> list[torch.Tensor]:
    """Where torch's global generators of the CPU and of `device` stand; 2 us on a CPU."""
    import torch

    gpu = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.default_generator.get_state(), *gpu]


def set_global_state(state: list[torch.Tensor], device: torch.device) -> None:
    """Let torch's global generators go on from where they stood."""
    import torch

    cpu, *gpu = state
    torch.default_generator.set_state(cpu)
    for of_gpu in gpu:
        torch.cuda.set_rng_state(of_gpu, device)
