"""A batch of samples in a block of bytes: where each of its arrays lies, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.problems.files.augment import Transform
from trainers.problems.files.samples import ArraySpec, Samples
from trainers.randomness import Key

_ALIGNED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the samples of one split are read.

    Attributes:
        samples: The set that they are of.
        names: Of the split's samples, in their order.
        transform: Changes each sample once it is read, if anything does.
    """

    samples: Samples
    names: Sequence[str]
    transform: Transform | None = None

    def fill(self, rows: Sequence[int], key: Key, into: memoryview | bytearray) -> None:
        """Read a batch.

        Args:
            rows: Places in `names`.
            key: Address of what is random; each sample's is below it, by its row.
            into: As many bytes as `n_bytes` says.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """
        batch = arrays_in(into, self.samples.arrays, len(rows))
        for place, row in enumerate(rows):
            sample = {name: array[place, ...] for name, array in batch.items()}
            self.samples.read(self.names[row], sample)
            if self.transform is not None:
                self.transform(sample, key / row)


def n_bytes(arrays: Mapping[str, ArraySpec], n_samples: int) -> int:
    """Bytes of a batch."""
    return sum(_aligned(spec.n_bytes * n_samples) for spec in arrays.values())


def arrays_in(
    block: memoryview | bytearray, arrays: Mapping[str, ArraySpec], n_samples: int
) -> dict[str, NDArray[Any]]:
    """The arrays ``[B, ...]`` of a batch, as views of its block."""
    found, at = {}, 0
    for name, spec in arrays.items():
        count = n_samples * int(np.prod(spec.shape, dtype=np.int64))
        flat = np.frombuffer(block, spec.dtype, count, at)
        found[name] = flat.reshape(n_samples, *spec.shape)
        at += _aligned(spec.n_bytes * n_samples)
    return found


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
