"""A cache of samples as they are read: each array of the whole set in one file.

``mapped`` is a folder that all processes of a machine share, and that outlives them; ``memory`` is
a file without a name, which ends with the worker.

Shapes: N samples of all splits.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trainers.problems.errors import CacheUnwritable
from trainers.problems.files.batches import Reading, arrays_in
from trainers.problems.files.findings import Finding
from trainers.problems.files.memory import nameless, reserve
from trainers.problems.files.pool import LoaderPool
from trainers.problems.files.samples import Arrays, ArraySpec, Samples
from trainers.randomness import Key

STORE_VERSION = 1  # to be raised when the same files would be stored otherwise
_AT_ONCE = 16  # samples
Cache = Literal["none", "memory", "mapped"]


class Stored:
    """Samples whose arrays lie one after the other in files.

    Args:
        samples: What is stored.
        paths: Array to the file with all ``[N, ...]`` of it, bare.
        order: Names of the N samples.
        held: What the files are there as long as.
    """

    def __init__(
        self,
        samples: Samples,
        paths: Mapping[str, str],
        order: Sequence[str],
        *,
        held: object = None,
    ) -> None:
        self._samples, self._paths, self._held = samples, paths, held
        self._numbers = {name: number for number, name in enumerate(order)}
        self._opened: dict[str, NDArray[Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": {}, "_held": None}

    @property
    def root(self) -> Path:
        """Folder of the set."""
        return self._samples.root

    @property
    def arrays(self) -> Mapping[str, ArraySpec]:
        """As of the samples that are stored."""
        return self._samples.arrays

    @property
    def names(self) -> Mapping[str, Sequence[str]]:
        """As of the samples that are stored."""
        return self._samples.names

    def files(self, name: str) -> Sequence[str]:
        """As of the samples that are stored."""
        return self._samples.files(name)

    def read(self, name: str, into: Arrays) -> None:
        """Copy a sample."""
        if not self._opened:
            n = len(self._numbers)
            self._opened = {
                array: _mapped(self._paths[array], n, spec) for array, spec in self.arrays.items()
            }
        number = self._numbers[name]
        for array, whole in self._opened.items():
            np.copyto(into[array], whole[number])

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """As of the samples that are stored."""
        return self._samples.findings(values=values)


def stored(
    samples: Samples, cache: Cache, *, version: str, folder: Path, pool: LoaderPool
) -> Samples:
    """The samples, out of a cache if one is wanted; it is filled if it is not there.

    Args:
        version: Hash of the files' content and of how they are read.
        folder: Where caches of all sets are, for ``mapped``.
        pool: Reads what is to be stored.

    Raises:
        CacheUnwritable: There is no room for it, or no right.
        DataBroken: A file is missing, torn, or holds what it must not.
    """
    if cache == "none":
        return samples
    order = [name for names in samples.names.values() for name in names]
    sizes = {name: spec.n_bytes * len(order) for name, spec in samples.arrays.items()}
    with _room_asked_for(cache, sum(sizes.values()), folder):
        if cache == "memory":
            held = {name: nameless(size) for name, size in sizes.items()}
            files = {name: file.path for name, file in held.items()}
            _fill(samples, order, files, pool)
            return Stored(samples, files, order, held=held)
        key = sha256(f"{STORE_VERSION} {version} {samples.arrays}".encode()).hexdigest()[:24]
        home = folder / "samples" / key
        _fill_once(samples, order, sizes, home, pool)
    return Stored(samples, {name: str(home / name) for name in sizes}, order)


def _fill_once(
    samples: Samples, order: Sequence[str], sizes: Mapping[str, int], home: Path, pool: LoaderPool
) -> None:
    """Fill a folder aside, so that it is there whole or not at all."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with open(home.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers wait until it is filled
        if home.is_dir():
            return
        aside = home.with_suffix(".part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        files = {name: str(aside / name) for name in sizes}
        for name, size in sizes.items():
            with open(files[name], "wb") as file:
                reserve(file.fileno(), size)
        _fill(samples, order, files, pool)
        aside.rename(home)


def _fill(
    samples: Samples, order: Sequence[str], files: Mapping[str, str], pool: LoaderPool
) -> None:
    into = {
        name: _mapped(files[name], len(order), spec, "r+") for name, spec in samples.arrays.items()
    }
    starts = range(0, len(order), _AT_ONCE)
    asked = [(range(start, min(start + _AT_ONCE, len(order))), Key("cache")) for start in starts]
    reading = Reading(samples=samples, names=order)
    for start, (block, n) in zip(starts, pool.batches(reading, asked), strict=True):
        for name, array in arrays_in(block, samples.arrays, n).items():
            into[name][start : start + n] = array


def _mapped(
    path: str, n_samples: int, spec: ArraySpec, mode: Literal["r", "r+"] = "r"
) -> NDArray[Any]:
    return np.memmap(path, spec.dtype, mode, shape=(n_samples, *spec.shape))


@contextmanager
def _room_asked_for(cache: Cache, size: int, folder: Path) -> Iterator[None]:
    """Says what to do where there is no room.

    Raises:
        CacheUnwritable: There is none, or no right to write.
    """
    try:
        yield
    except OSError as error:
        where = "in memory" if cache == "memory" else f"below {folder}"
        raise CacheUnwritable(
            f"A cache of samples needs {size / 2**30:.3g} GiB {where}. {error}. Set `cache` to "
            '"none" or to the other kind, or `WEIGHBRIDGE_CACHE` to a folder with room.'
        ) from error
