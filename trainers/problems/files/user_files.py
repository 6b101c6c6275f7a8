"""What all problems share whose data the user has on disk: where, its hash, its split, its check.

Reading the card loads no torch, and no NumPy before there are files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from trainers.problems._embedded import cache_folder
from trainers.problems._options import check_at_least
from trainers.problems.errors import DataBroken
from trainers.problems.files.findings import Finding, refuse
from trainers.problems.files.where import found_root, how_to_find, root_of

if TYPE_CHECKING:
    from trainers.problems.files.split import Names

_NOT_THERE = "not found on this machine"


class FileSet(Protocol):
    """The files of a data set in a folder."""

    @property
    def root(self) -> Path:
        """Folder of the set."""

    def findings(self, *, values: bool) -> Iterator[Finding]:
        """All that is wrong with the files.

        Args:
            values: Read all of them; otherwise names, sizes and headers are looked at.
        """


Set = TypeVar("Set", bound=FileSet)


@dataclass(frozen=True, kw_only=True)
class UserFiles(ABC, Generic[Set]):
    """A problem whose data is in files of the user's.

    Attributes:
        root: Folder of the set, a whole path; empty: as `name` below ``$WEIGHBRIDGE_DATA``.
        split_seed: Which training samples are held out to select by.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str]

    root: str = ""
    split_seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("split_seed", self.split_seed, 0)

    @abstractmethod
    def samples(self, root: Path) -> Set:
        """The set in a folder."""

    @abstractmethod
    def split(self, samples: Set) -> Names:
        """Names of the samples of each split; validation comes out of training data."""

    @abstractmethod
    def paths(self, samples: Set) -> Iterable[str]:
        """All files below the folder that anything depends on."""

    def check_files(self) -> Iterator[Finding]:
        """All that is wrong with the files, whose values are all read.

        Raises:
            DataMissing: Nobody has said where they are, or there is nothing.
        """
        return self.samples(found_root(self.name, self.root)).findings(values=True)

    @cached_property
    def data_version(self) -> dict[str, object]:
        """What a card says of the data: a hash of all files, and of the names in each split.

        Raises:
            BadOption: `root` is no whole path.
            DataMissing: There is nothing at `root`.
            DataBroken: Files are missing, torn or have another size.
        """
        root = root_of(self.name, self.root)
        if root is None:
            return {"files": _NOT_THERE}
        from trainers.problems.files.split import described

        samples = self.samples(root)
        refuse(self.name, samples.findings(values=False))
        return {
            "files": self._fingerprint(samples),
            "splits": described(self.split(samples)),
        }

    @property
    def missing(self) -> str:
        """What runs lack on this machine, for the card."""
        there = self.data_version["files"] != _NOT_THERE
        return "" if there else how_to_find(self.name)

    def _fingerprint(self, samples: Set) -> str:
        from trainers.problems.files.fingerprint import fingerprint

        try:
            return fingerprint(samples.root, self.paths(samples), cache=cache_folder())
        except OSError as error:
            raise DataBroken(
                f"The files of problem `{self.name}` must be readable. {error}. Mend that."
            ) from error
