"""What loader processes read: samples of a data set as arrays of known shapes.

Nothing here needs torch, so that a loader process starts in a tenth of a second.

Shapes: C channels, H and W height and width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trainers.problems.files.findings import Finding

Arrays = Mapping[str, NDArray[Any]]
"""Name to array of one sample: ``image`` is the network's input, all others are targets."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """Shape and dtype of one of a sample's arrays."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def n_bytes(self) -> int:
        """Size of one."""
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape, dtype=np.int64))


class Samples(Protocol):
    """A data set on disk; it crosses to loader processes as a pickle, and keeps nothing open."""

    @property
    def root(self) -> Path:
        """Folder of the set."""

    @property
    def arrays(self) -> Mapping[str, ArraySpec]:
        """What `read` fills for each sample."""

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """Names of all samples that are for training and for testing, by ``train`` and ``test``.

        A set with a validation part of its own has ``validation``, too.
        """

    def files(self, name: str) -> Sequence[str]:
        """Paths below `root` that a sample is read from."""

    def read(self, name: str, into: Arrays) -> None:
        """Read a sample.

        Args:
            into: Arrays of the shapes and dtypes of `arrays`, to be filled.

        Raises:
            DataBroken: A file is missing, torn, or holds what it must not.
        """

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files.

        Args:
            values: Read all of them; otherwise names, sizes and headers are looked at.
        """
