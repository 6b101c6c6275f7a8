"""One split of a data set on disk, read while the network trains.

Shapes: B batch, N samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Tensor

from trainers.problems.errors import BadOption
from trainers.problems.files.batches import Reading, arrays_in, n_bytes
from trainers.problems.files.pool import Asking, LoaderPool
from trainers.protocol import Batch
from trainers.randomness import Key

INPUT = "image"
"""The array that the network takes; all others are targets."""
MOST_BYTES = 2**30
"""Of a batch; a few of them are in memory at once."""


@dataclass(frozen=True, slots=True, eq=False)
class FileSource:
    """Samples that loader processes read, batch by batch.

    Attributes:
        targets: Task to the array that it is judged by.
    """

    reading: Reading
    pool: LoaderPool
    targets: dict[str, str]

    streamed: ClassVar[bool] = True
    fresh: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.reading.names)

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """Yield the samples in batches.

        Args:
            order: Sample indices ``[N]``, or None for the stored order.
            batch_size: Samples a batch; the last one may be smaller.
            key: Address of augmentation; a sample's own is below it, by its index.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
            LoaderLost: A process that reads has ended by itself.
            BadOption: A batch would take more than a gibibyte.
        """
        arrays = self.reading.samples.arrays
        _refuse_large(min(batch_size, self.size), n_bytes(arrays, 1))
        rows = range(self.size) if order is None else order.tolist()
        asked: Iterator[Asking] = (
            (rows[start : start + batch_size], key) for start in range(0, len(rows), batch_size)
        )
        with closing(self.pool.batches(self.reading, asked)) as read:  # type: ignore[type-var]
            for block, n_rows in read:
                # shared memory is written again once the next batch is asked for
                own = isinstance(block, bytearray)
                found = {
                    name: _tensor(array, own=own)
                    for name, array in arrays_in(block, arrays, n_rows).items()
                }
                targets = {task: found[name] for task, name in self.targets.items()}
                yield Batch(found[INPUT], targets)


def _tensor(array: NDArray[Any], *, own: bool) -> Tensor:
    """Numbers as networks and losses take them: whole ones as int64, bytes as 0 to 1.

    Args:
        own: Nobody else writes to the array's memory.
    """
    tensor = torch.from_numpy(array)
    if array.dtype.kind == "i":
        return tensor.to(torch.int64)
    if array.dtype.kind == "u":
        return tensor.to(torch.float32).div_(255)
    return tensor if own else tensor.clone()


def _refuse_large(n_samples: int, bytes_each: int) -> None:
    if n_samples * bytes_each > MOST_BYTES:
        raise BadOption(
            f"A batch must take at most {MOST_BYTES / 2**30:.3g} GiB, as a few of them are made "
            f"ahead. Got {n_samples:,} samples of {bytes_each / 2**20:.3g} MiB. In [training], "
            "lower `batch_size` or `eval_batch_size`."
        )
