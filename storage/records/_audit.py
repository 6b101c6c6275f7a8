"""Who has done what to studies by command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who gives commands, and from where.

    Attributes:
        who: ``user@host``.
        origin: The program that the command was given to, or the client of a dashboard.
    """

    who: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A command that changed a study; it stays when the study is deleted.

    Attributes:
        number: Of the entry; later ones have higher numbers.
        study: Its name when the command was given.
        birth: Of the study, which tells it from later ones of its name.
        before: What the command changes, as it was.
        after: The same as it was then.
    """

    number: int
    made_at: datetime
    who: str
    origin: str
    verb: str
    study: str
    birth: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What commands want of the drivers of a study.

    Attributes:
        number: Raised by every command that drivers under way follow.
        stops: Raised by every command that ends them.
        paused: Whether no run is handed out.
    """

    number: int
    stops: int
    paused: bool
