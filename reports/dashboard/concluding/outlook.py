"""What studies take yet, asked for in the background and remembered.

Asking takes a second or more of a process of its own: the study is planned anew for it. That is
done for one study after the other, again when something has happened, and for no more than a fifth
of the time; only where an order has made what was said wrong it is asked again without a rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from storage.records import StudyRecord, Totals
from storage.states import FINAL

_REST: Final = 4.0
_MOST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When a study is expected to end: moments, so that what is left counts down by itself.

    Attributes:
        low: With `high`, the 95 % prediction interval; None where nothing tells it.
    """

    at: datetime
    low: datetime | None = None
    high: datetime | None = None


Told = Sequence[tuple[str, str | Ending]]
"""What a study takes yet: pairs of what and how much, or when."""

LookAhead = Callable[[str], Told]
"""The same of the study of a name."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast was made of.

    Attributes:
        orders: The study with its plan, limits and the commands given to it: where these differ,
            what was said is wrong, not just old.
        finished: Runs that have ended; fewer than before when some are tried again.
        progress: How its runs stand: where that differs, what was said is older than it could be.
    """

    orders: tuple[Any, ...] = ()
    finished: int = 0
    progress: tuple[Any, ...] = ()

    def upholds(self, other: Basis) -> bool:
        """Whether what was made of the other, earlier, one may still be shown."""
        return self.orders == other.orders and self.finished >= other.finished


def basis_of(record: StudyRecord, totals: Totals) -> Basis:
    """What a forecast of the study would be made of now."""
    limits = repr((record.spec.get("budget"), sorted(record.raised.items())))
    return Basis(
        (record.birth, record.plan, limits, record.orders, record.stops, record.paused_at),
        sum(n for state, n in totals.states.items() if state in FINAL),
        (*sorted(totals.states.items()), totals.epochs),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    basis: Basis
    told: Told
    number: int


class Outlook:
    """Remembers what `ahead` has said of each study.

    Args:
        ahead: Takes long.
    """

    def __init__(self, ahead: LookAhead) -> None:
        self._ahead = ahead
        self._changed = threading.Condition()
        self._known: dict[str, _Known] = {}
        self._wanted: dict[str, Basis] = {}
        self._being_asked: tuple[str, Basis] | None = None
        self._rest_until_s = 0.0
        self._n_told, self._ended = 0, False
        self._thread: threading.Thread | None = None

    def number(self, study: str) -> int:
        """Of what was last said of a study: as long as it is the same, nothing new is known."""
        with self._changed:
            known = self._known.get(study)
            return known.number if known else 0

    def latest(self, study: str, basis: Basis) -> Told | None:
        """What was last said, at once; None until anything is known that still holds.

        It is asked for if need be.

        Args:
            basis: Of the study as it is now.
        """
        with self._changed:
            known = self._known.get(study)
            holds = known is not None and known.basis == basis
            if not holds and self._being_asked != (study, basis):
                self._wanted[study] = basis
                if self._thread is None:
                    self._thread = threading.Thread(target=self._ask_on, daemon=True)
                    self._thread.start()
                self._changed.notify_all()
            return known.told if known and basis.upholds(known.basis) else None

    def is_old(self, study: str, basis: Basis) -> bool:
        """Whether what was said last was said of the study as it was before."""
        with self._changed:
            known = self._known.get(study)
            return known is not None and known.basis != basis

    def end(self) -> None:
        """Nobody looks any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _ask_on(self) -> None:
        while (wanted := self._next()) is not None:
            study, basis = wanted
            began_s = time.monotonic()
            try:
                said = self._ahead(study)
            except Exception as error:  # this thread must not end; the page says so
                said = [("Still to come", f"cannot be told: {error!r}")]
            with self._changed:
                self._being_asked = None
                self._known.pop(study, None)
                self._n_told += 1
                self._known[study] = _Known(basis, said, self._n_told)
                for old in list(self._known)[:-_MOST]:
                    del self._known[old]
            now_s = time.monotonic()
            self._rest_until_s = now_s + _REST * (now_s - began_s)

    def _next(self) -> tuple[str, Basis] | None:
        """The study to ask about next, after a rest or without; None when nobody looks any more."""
        with self._changed:
            while not self._ended:
                rest_s = self._rest_until_s - time.monotonic()
                study = next(filter(self._is_wrong, self._wanted), None)
                if study is None and rest_s <= 0:
                    study = next(iter(self._wanted), None)
                if study is not None:
                    self._being_asked = study, self._wanted.pop(study)
                    return self._being_asked
                self._changed.wait(rest_s if self._wanted else None)
            return None

    def _is_wrong(self, study: str) -> bool:
        known = self._known.get(study)
        return known is not None and not self._wanted[study].upholds(known.basis)
