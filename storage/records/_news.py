"""Messages to the outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message about a study, sent or to be sent.

    Attributes:
        key: Of the event that it is about: no other message of the study has it.
        message: JSON, as it is sent each time.
        attempted: When somebody last began to send it; None before.
        delivered: When the receiver had taken it; None until then.
        attempts: How often that was begun.
        error: Why the last one was in vain; empty otherwise.
        final: Whether that would be the same later.
    """

    id: int
    key: str
    message: str
    created: datetime
    attempted: datetime | None
    delivered: datetime | None
    attempts: int
    error: str
    final: bool

    @property
    def event(self) -> str:
        """What it is about, as [notify] has it: ``done``, ``budget 80%``."""
        words = self.key.split()
        return " ".join(words[: 2 if words[0] == "budget" else 1])

    @property
    def in_flight(self) -> bool:
        """Whether somebody may be sending it, or has died of it."""
        return self.delivered is None and self.attempted is not None and not self.error
