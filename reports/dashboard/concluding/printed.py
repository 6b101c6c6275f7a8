"""What a run has printed, as far as this machine reaches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from storage.records import AttemptLog

_MOST_CHARACTERS: Final = 20_000


class Output(Protocol):
    """A file of what a run has printed."""

    @property
    def place(self) -> str:
        """A path, or a URL."""

    @property
    def host(self) -> str:
        """Whose disk it may be on; empty if that is not known."""

    @property
    def text(self) -> str | None:
        """None if it is not there, or not reached from here."""


Outputs = Callable[[Sequence[AttemptLog]], Sequence[Output]]
"""Finds the files of a run by its attempts; the files are not the database's, nor a report's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """The same as a page shows it.

    Attributes:
        left_out: Characters before the shown ones.
    """

    place: str
    host: str
    text: str | None
    left_out: int


def printed_by(outputs: Outputs, attempts: Sequence[AttemptLog]) -> list[Printed]:
    """The latest of what a run's attempts have printed."""
    return [
        Printed(
            place=one.place,
            host=one.host,
            text=None if one.text is None else one.text[-_MOST_CHARACTERS:],
            left_out=max(len(one.text or "") - _MOST_CHARACTERS, 0),
        )
        for one in (outputs(attempts) if attempts else ())
    ]
