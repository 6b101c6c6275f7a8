"""How the batches of an epoch are shared out among processes.

The order of the samples and the bounds of the batches are those of one process; each process takes
its rows of every batch. Shapes: N samples, B rows of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from trainers.protocol import Batch, Source
from trainers.randomness import Key


@dataclass(frozen=True)
class Shares:
    """One process's rows of all batches.

    Shares differ by one row at most. A last batch that has fewer rows than there are processes
    goes to all of them, since none may stand aside while the others take a step.

    Attributes:
        n_samples: N.
        batch_size: Rows of a whole batch, at least one a process.
        rank: Of this process.
        size: Number of processes.
    """

    n_samples: int
    batch_size: int
    rank: int
    size: int

    def __len__(self) -> int:
        """Batches of an epoch."""
        return -(-self.n_samples // self.batch_size)

    @cached_property
    def parts(self) -> list[float]:
        """Of each batch, what this process's mean counts in the mean over the batch.

        Over all processes they sum to 1.
        """
        whole, rest = divmod(self.n_samples, self.batch_size)
        return [self._part(self.batch_size)] * whole + [self._part(rest)] * (rest > 0)

    def batches(self, source: Source, order: Tensor, key: Key) -> Iterator[Batch]:
        """This process's rows of each batch.

        Args:
            order: ``[N]`` sample numbers, of the whole epoch.
            key: As for `Source.batches`.
        """
        n_whole = self.n_samples - self.n_samples % self.batch_size
        if n_whole:
            first, last = self._bounds(self.batch_size)
            rows = order[:n_whole].view(-1, self.batch_size)[:, first:last]
            yield from source.batches(rows.reshape(-1), last - first, key)
        if n_whole < self.n_samples:
            first, last = self._bounds(self.n_samples - n_whole)
            yield from source.batches(order[n_whole:][first:last], last - first, key)

    def _bounds(self, n_rows: int) -> tuple[int, int]:
        """First row of a batch, and the one after the last."""
        if n_rows < self.size:
            return 0, n_rows
        least, more = divmod(n_rows, self.size)
        first = self.rank * least + min(self.rank, more)
        return first, first + least + (self.rank < more)

    def _part(self, n_rows: int) -> float:
        first, last = self._bounds(n_rows)
        return 1 / self.size if n_rows < self.size else (last - first) / n_rows
