"""What reports ask of who reads a study database for them, such as `storage.Reader`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from reports._rows import EpochReader
from reports._shown import Shown


class StudyFacts(Protocol):
    """What a reader tells about a study besides its rows."""

    @property
    def id(self) -> int:
        """Number of the study in its database."""

    @property
    def name(self) -> str:
        """Name of the study."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """Plain content of the study's `study.toml`."""

    @property
    def card(self) -> Mapping[str, Any]:
        """Plain content of the problem's card."""

    @property
    def sealed(self) -> bool:
        """Whether no test value is shown."""

    @property
    def birth(self) -> str:
        """Names this study and no other, whatever it is called and in which database it lies."""


class SearchFacts(Protocol):
    """The same about one of its searches."""

    @property
    def name(self) -> str:
        """Name of the search."""

    @property
    def engine(self) -> str | None:
        """``solo`` or ``fused``; None before the first run."""

    @property
    def engine_reason(self) -> str:
        """Why it is that one."""


class StudyReader(EpochReader, Protocol):
    """Read access to one study database."""

    def study(self, name: str) -> StudyFacts:
        """Name, spec and card of a study."""

    def searches(self, study_id: int) -> Sequence[SearchFacts]:
        """A study's searches, in the order of its spec."""

    def exhibits(self, study: str, *, runs: Collection[int]) -> Sequence[Shown]:
        """All that some runs show."""

    def view(self, view: str, study: str) -> tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]:
        """Column names and rows of a view, restricted to one study, in a fixed order."""
