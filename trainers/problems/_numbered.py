"""A split that is changed sample by sample, whatever order its samples are read in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trainers.protocol import Batch, Source

if TYPE_CHECKING:
    from torch import Tensor

    from trainers.randomness import Key


class WrappedSource:
    """Another source's samples, with their numbers.

    Args:
        source: What is read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def size(self) -> int:
        """Number of samples, N."""
        return self._source.size

    @property
    def streamed(self) -> bool:
        """Whether batches are expensive to make."""
        return bool(getattr(self._source, "streamed", False))

    @property
    def fresh(self) -> bool:
        """Whether batches are nobody else's."""
        return bool(getattr(self._source, "fresh", False))

    def numbered(
        self, order: Tensor | None, batch_size: int, key: Key
    ) -> Iterator[tuple[Batch, Tensor]]:
        """The source's batches, in an order ``[N]`` or as stored.

        Returns:
            Each with the numbers ``[B]`` of its samples in the split, int64 on the CPU.
        """
        import torch

        numbers = torch.arange(self.size) if order is None else order.cpu()
        batches = self._source.batches(order, batch_size, key)
        parts = (numbers[at : at + batch_size] for at in range(0, len(numbers), batch_size))
        yield from zip(batches, parts, strict=False)


class NumberedSource(WrappedSource, ABC):
    """Another source's samples with other targets."""

    @abstractmethod
    def changed(self, targets: Mapping[str, Any], rows: Tensor) -> dict[str, Any]:
        """A batch's targets as they are to be seen.

        Args:
            rows: Numbers ``[B]`` of the batch's samples in the split, on the CPU.
        """

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """The source's batches with the targets of `changed`, in an order ``[N]`` or as stored.

        Raises:
            ProblemError: What `changed` raises.
        """
        for batch, rows in self.numbered(order, batch_size, key):
            yield Batch(batch.inputs, self.changed(batch.targets, rows))
