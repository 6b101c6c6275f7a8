"""What a reader tells of one exhibit."""

from typing import Protocol


class Shown(Protocol):
    """What a run has shown at the end of an epoch, as `storage.records.StoredExhibit`."""

    @property
    def run(self) -> int:
        """Which run."""

    @property
    def round(self) -> int:
        """Which time training had begun anew, from 1."""

    @property
    def epoch(self) -> int:
        """Of the run."""

    @property
    def name(self) -> str:
        """By which it replaces an earlier one."""

    @property
    def kind(self) -> str:
        """``histogram``, ``curve``, ``pictures`` or ``table``."""

    @property
    def split(self) -> str:
        """What it is made of."""

    @property
    def title(self) -> str:
        """As people read it."""

    @property
    def content(self) -> str:
        """Its values as JSON."""
