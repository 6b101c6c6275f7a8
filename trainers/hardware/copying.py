"""Copies batches to a GPU beside the computation, on a stream of their own.

On the computation's stream a copy waits for all that was asked for before it, and what comes after
it waits for the copy. Not measured on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from trainers.protocol import Batch


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch on its way.

    Attributes:
        batch: Its tensors on the GPU, which may still be empty.
        arrived: When the copies are done.
    """

    batch: Batch
    arrived: torch.cuda.Event


class Copies:
    """Sends batches from the thread that reads, and receives them in the one that computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def send(self, batch: Batch) -> Sent:
        """Begin to copy a batch, out of memory that a GPU can read by itself."""

        def there(tensor: Tensor) -> Tensor:
            if tensor.is_cuda:
                return tensor
            return tensor.pin_memory().to(self._device, non_blocking=True)

        with torch.cuda.stream(self._stream):
            return Sent(mapped(batch, there), self._stream.record_event())

    def receive(self, sent: Sent) -> Batch:
        """The batch; what is computed from now on waits for it, and this thread does not."""
        computing = torch.cuda.current_stream(self._device)
        computing.wait_event(sent.arrived)
        for leaf in tree_leaves((sent.batch.inputs, dict(sent.batch.targets))):
            if isinstance(leaf, Tensor):
                leaf.record_stream(computing)  # its memory is not given away before it was read
        return sent.batch


def mapped(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """The batch with each of its tensors changed."""
    return Batch(
        tree_map_only(Tensor, change, batch.inputs),
        tree_map_only(Tensor, change, dict(batch.targets)),
    )
