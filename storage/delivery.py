"""When messages are sent again, and which are late; what verbs and pages say of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from storage.records import Notification

WAITS_S: Final = (30.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0)
"""How long an attempt is waited for before the next one; after the last there is none."""


def given_up(one: Notification) -> bool:
    """Whether nobody will send it by himself any more."""
    return one.delivered is None and (one.final or one.attempts > len(WAITS_S))


def overdue(messages: Iterable[Notification], *, at: datetime) -> list[Notification]:
    """Messages that were sent in vain, or that nobody has sent or told the end of for a while."""
    wait = timedelta(seconds=WAITS_S[0])
    return [
        one
        for one in messages
        if one.delivered is None and (one.error or at - (one.attempted or one.created) >= wait)
    ]


def next_try(one: Notification) -> datetime | None:
    """When a driver at work sends an undelivered message again; None: it will not by itself."""
    if given_up(one):
        return None
    if one.attempted is None:
        return one.created
    return one.attempted + timedelta(seconds=WAITS_S[one.attempts - 1])
