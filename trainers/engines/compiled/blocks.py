"""The losses of a stack's rows: of all at once in plain operations, or compiled, block by block.

A compiled function rounds by how many rows there are. It is compiled for a block of fixed size, and
the stack is filled up with padding rows: a run has the same bits in any pack, and a pack that
shrinks needs no other function.

Shapes: R rows, T tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.engines.compiled.functions import Compiled
from trainers.engines.fused.forward import Forward
from trainers.engines.fused.rows import Rows
from trainers.engines.masks import Present
from trainers.protocol import Batch
from trainers.reading import owned

BLOCK = 32
"""Rows of a block. Where compiling pays, a call costs more than its rows: with blocks of 8, packs
of 32 and 64 were slower than without compiling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Views of some rows.

    Attributes:
        leaves: Name to parameters, to be differentiated by.
        gradients: Name to where the gradients belong.
        carried: Name to buffers and frozen parameters.
    """

    leaves: Mapping[str, Tensor]
    gradients: Mapping[str, Tensor]
    carried: Mapping[str, Tensor]


def filled(n_rows: int) -> int:
    """Rows of a stack of whole blocks."""
    return -(-n_rows // BLOCK) * BLOCK


def blocks(rows: Rows, carried: Mapping[str, Tensor]) -> list[Block]:
    """Rows in blocks, one after the other.

    Args:
        carried: Name to ``[R, *shape]``.
    """
    return [
        Block(
            leaves={
                name: leaf.detach()[start : start + BLOCK].requires_grad_()
                for name, leaf in rows.leaves.items()
            },
            gradients={
                name: gradient[start : start + BLOCK] for name, gradient in rows.gradients.items()
            },
            carried={name: value[start : start + BLOCK] for name, value in carried.items()},
        )
        for start in range(0, len(rows.values), BLOCK)
    ]


class Whole:
    """All rows at once, in plain operations.

    Attributes:
        leaves: What the losses are differentiated by.
        gradients: Where their gradients belong, in the same order.
    """

    def __init__(self, forward: Forward, rows: Rows, carried: Mapping[str, Tensor]) -> None:
        self._forward, self._rows, self._carried = forward, rows, carried
        self.leaves = list(rows.leaves.values())
        self.gradients = list(rows.gradients.values())

    def losses(self, batch: Batch, there: Present = None) -> Tensor:
        """Task losses ``[R, T]``."""
        return self._forward.losses(self._rows.leaves, self._carried, batch, there)

    def losses_apart(self, batch: Batch, there: Present = None) -> list[Tensor]:
        """The losses of each task, ``[R]``."""
        return self._forward.losses_apart(self._rows.leaves, self._carried, batch, there)


class Blocks:
    """Block by block, by a compiled function.

    Attributes:
        leaves: What the losses are differentiated by.
        gradients: Where their gradients belong, in the same order.
    """

    def __init__(
        self, compiled: Compiled, forward: Forward, rows: Rows, carried: Mapping[str, Tensor]
    ) -> None:
        self._compiled, self._forward = compiled, forward
        self._blocks = blocks(rows, carried)
        if forward.device.type == "cuda":  # graphs are recorded for where these lie
            for block in self._blocks:
                for tensor in (*block.leaves.values(), *block.carried.values()):
                    torch._dynamo.mark_static_address(tensor)
        self.leaves = [leaf for block in self._blocks for leaf in block.leaves.values()]
        self.gradients = [part for block in self._blocks for part in block.gradients.values()]

    def takes(self, batch: Batch) -> bool:
        """Whether the function is compiled for batches of this form."""
        return self._compiled.takes(batch)

    def losses(self, batch: Batch) -> Tensor:
        """Task losses ``[R, T]``; all blocks draw the same dropout."""
        *others, last = self._blocks
        device = self._forward.device
        self._compiled.begin_step()
        found = []
        for block in others:
            with torch.random.fork_rng([device] if device.type == "cuda" else []):
                found.append(self._of(block, owned(batch)))
        return torch.cat([*found, self._of(last, batch)])

    def _of(self, block: Block, batch: Batch) -> Tensor:
        return self._forward.compiled_losses(self._compiled, block.leaves, block.carried, batch)
