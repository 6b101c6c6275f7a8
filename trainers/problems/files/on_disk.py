"""What problems share whose samples are files that loader processes read.

Reading the card loads no torch, and no NumPy before there are files.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.problems._embedded import cache_folder
from trainers.problems._options import check_at_least, check_choice
from trainers.problems.files.user_files import UserFiles
from trainers.problems.files.where import found_root

if TYPE_CHECKING:
    from torch import device

    from trainers.problems.files.augment import Transform
    from trainers.problems.files.samples import Samples
    from trainers.problems.files.source import FileSource
    from trainers.problems.files.split import Names
    from trainers.problems.files.store import Cache

FREE_OPTIONS = ("root", "loaders", "cache")
"""Options that change no sample."""


@dataclass(frozen=True, kw_only=True)
class OnDisk(UserFiles["Samples"]):
    """A problem whose samples are files.

    Attributes:
        validation_samples: Training samples that are held out to select by.
        loaders: Processes that read for each worker; 0 for none.
        cache: Keep samples as they are read: ``none``, in ``memory`` for each worker, or ``mapped``
            in files that all workers of a machine share.

    Raises:
        BadOption: An option is out of range.
    """

    validation_samples: int
    loaders: int = 2
    cache: Cache = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least("validation_samples", self.validation_samples, 1)
        check_at_least("loaders", self.loaders, 0)
        check_choice("cache", self.cache, ("none", "memory", "mapped"))

    @property
    @abstractmethod
    def targets(self) -> Mapping[str, str]:
        """Task to the array that it is judged by."""

    @property
    @abstractmethod
    def transform(self) -> Transform | None:
        """What training samples are changed by."""

    def split(self, samples: Samples) -> Names:
        """Names of the samples of each split; validation comes out of training data."""
        from trainers.problems.files.split import carved

        names = samples.names
        found = carved(names["train"], self.validation_samples, self.split_seed)
        return {**found, "test": names["test"]}

    def paths(self, samples: Samples) -> Iterator[str]:
        """The files of all samples."""
        for names in samples.names.values():
            for name in names:
                yield from samples.files(name)

    def sources(self, device: device) -> dict[str, FileSource]:  # noqa: ARG002 - engines move batches
        """The splits, read while the network trains.

        Raises:
            DataMissing: Nobody has said where the files are, or there is nothing.
            DataBroken: Files are missing, torn or have another size.
            CacheUnwritable: There is no room for the cache that was asked for.
        """
        from trainers.problems.files.batches import Reading
        from trainers.problems.files.pool import LoaderPool
        from trainers.problems.files.source import FileSource
        from trainers.problems.files.store import stored

        samples, version = self.samples(found_root(self.name, self.root)), self.data_version
        pool, names = LoaderPool(self.loaders), self.split(samples)
        if self.cache != "none":
            key = f"{self.name} {version['files']}"
            folder = cache_folder() or Path(".weighbridge-cache")
            samples = stored(samples, self.cache, version=key, folder=folder, pool=pool)
        return {
            split: FileSource(
                Reading(
                    samples=samples,
                    names=of,
                    transform=self.transform if split == "train" else None,
                ),
                pool,
                dict(self.targets),
            )
            for split, of in names.items()
        }
