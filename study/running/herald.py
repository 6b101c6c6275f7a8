"""Tells a webhook what happens to a study: looks, writes what is new as rows, sends what is due.

All that it knows is in the database: who dies is succeeded by the next driver, or by
``weighbridge notify``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage import StudyChanged
from study.deciding.news import News, Standing, news_of
from study.running.message import message_id, message_of
from study.running.webhook import Refused, post
from study.spec.notify import NotifySpec

if TYPE_CHECKING:
    from storage import Storage
    from storage.records import Notification, StudyRecord

Post = Callable[..., Refused | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where messages go, and of what.

    Attributes:
        post: As `study.running.webhook.post`.
    """

    notify: NotifySpec
    url: str
    post: Post = post

    def send(self, message: str, *, message_id: str) -> Refused | None:
        """Send a message; None if it was taken."""
        return self.post(self.url, message, message_id=message_id)


class Herald:
    """Looks at one study and sends what is to be told of it.

    Args:
        storage: To look and to write with; it belongs to one thread.
        headline: What the study says so far; asked when there is news only.
    """

    def __init__(
        self,
        storage: Storage,
        study: StudyRecord,
        channel: Channel,
        *,
        headline: Callable[[str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage, self._study = storage, study
        self._channel, self._headline, self._clock = channel, headline, clock
        self._told: set[str] = set()
        self._change, self._changed_s = -1, clock()

    def look(self, *, finished: bool | None = None) -> list[News]:
        """What is new, written down to be sent.

        Args:
            finished: As of `Standing`.

        Raises:
            StorageError: The database cannot be used.
        """
        if (study := self._present()) is None:
            return []
        standing = self._standing(study, finished)
        notify = self._channel.notify
        found = news_of(standing, on=notify.on, shares=notify.shares)
        if all(news.key in self._told for news in found):
            return []
        self._told |= {one.key for one in self._storage.notifications(study.birth)}
        new = [news for news in found if news.key not in self._told]
        if new:
            headline = self._headline(study.name)
            messages = {
                news.key: message_of(study, news, standing, headline=headline) for news in new
            }
            self._storage.announce(study.birth, messages)
            self._told |= set(messages)
        return new

    def send(self, *, anyway: bool = False) -> list[tuple[Notification, Refused | None]]:
        """Send what is due, in order: each message, and why it was not taken.

        Args:
            anyway: As of `Storage.claim_notification`; each is tried once.

        Raises:
            StorageError: The database cannot be used.
        """
        sent: dict[int, tuple[Notification, Refused | None]] = {}
        birth = self._study.birth
        while one := self._storage.claim_notification(birth, anyway=anyway, tried=sent):
            refused = self._channel.send(one.message, message_id=message_id(birth, one.key))
            if refused is None:
                self._storage.delivered(one.id)
            else:
                self._storage.undelivered(one.id, refused.why, final=refused.final)
            sent[one.id] = one, refused
        return list(sent.values())

    def in_flight(self) -> bool:
        """Whether somebody may be sending a message of the study.

        Raises:
            StorageError: The database cannot be used.
        """
        return any(one.in_flight for one in self._storage.notifications(self._study.birth))

    def _present(self) -> StudyRecord | None:
        """The study as it is now; None if it was deleted."""
        try:
            return self._storage.stored(self._study.id)
        except StudyChanged:
            return None

    def _standing(self, study: StudyRecord, finished: bool | None) -> Standing:
        pulse, now_s = self._storage.pulse(study.id), self._clock()
        if pulse.change != self._change:
            self._change, self._changed_s = pulse.change, now_s
        training: Mapping[str, Any] = study.spec.get("training", {})
        return Standing(
            totals=self._storage.totals(study.id),
            pulse=pulse,
            budget=study.spec["budget"],
            begun=study.created_at,
            now=datetime.now(UTC),
            finished=finished,
            held_up=study.paused,
            unchanged_s=now_s - self._changed_s,
            open_limit_s=training.get("open_limit_s", 1800.0),
        )
