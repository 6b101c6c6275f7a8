"""Where a call of a training function waits until it is known whether its run goes on at once.

A function that cannot resume by itself would begin again behind every rung; as long as its call
waits within its report, there is nothing to resume.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from trainers.events import Event
from trainers.jobs import Job, Pack


class Waiting(Protocol):
    """A call that waits at its rung.

    Attributes:
        job: Its run, whose attempt has ended.
        pack: Of that attempt.
    """

    job: Job
    pack: Pack

    def go_on(self, pack: Pack) -> Iterator[Event]:
        """Train the run's next attempt, and tell what the call reports."""

    def end(self) -> None:
        """End the call as a stop does; returns when the function has."""


class Rung:
    """Holds one call, or none."""

    def __init__(self) -> None:
        self._call: Waiting | None = None

    def keep(self, call: Waiting) -> None:
        """Let a call wait."""
        self._call = call

    def take(self) -> Waiting | None:
        """The call that has waited, which waits no more."""
        call, self._call = self._call, None
        return call
