"""What all pages share: the database, who is let in, and the studies that somebody looks at."""

from __future__ import annotations

import threading
from typing import Final

from starlette.requests import Request

from reports.dashboard.concluder import Concluder
from reports.dashboard.following import Followed, LookAhead
from reports.dashboard.pages import Pages
from reports.dashboard.security import Access
from storage import Reader, RunState
from storage.records import StudyRecord
from storage.states import FINAL

_MOST_FOLLOWED: Final = 16
PATIENCE_S: Final = 0.5
"""How long a request waits for the database, before it says that it cannot be reached."""


class NotThere(Exception):
    """What an address names does not exist; the text says so."""


class Site:
    """One database as a web site."""

    def __init__(self, url: str, access: Access, ahead: LookAhead) -> None:
        self.reader = Reader(url, patience_s=PATIENCE_S)
        self.concluder = Concluder(url)
        self.access = access
        self._ahead = ahead
        self.pages = Pages()
        self._followed: dict[str, Followed] = {}
        self._lock = threading.Lock()

    def record(self, request: Request) -> StudyRecord:
        """The study that the address names by its number.

        Raises:
            NotThere: There is none of that number.
        """
        number = request.path_params["study"]
        found = [one for one in self.reader.studies() if one.id == number]
        if not found:
            raise NotThere(f"No study has the number {number} here. It may have been deleted.")
        return found[0]

    def followed(self, record: StudyRecord) -> Followed:
        """The study's mirror; made when it is first asked for, anew if the study was renamed.

        Those that were asked for last are kept.
        """
        with self._lock:
            known = self._followed.pop(record.birth, None)
            if known is not None and known.record.name != record.name:
                known.end()
                known = None
            self._followed[record.birth] = known or Followed(
                self.reader, self.concluder, self._ahead, record
            )
            for birth in list(self._followed)[:-_MOST_FOLLOWED]:
                self._followed.pop(birth).end()
            return self._followed[record.birth]

    def end(self) -> None:
        """Nobody looks any more: end the threads and the process."""
        with self._lock:
            for study in self._followed.values():
                study.end()
            self._followed.clear()
        self.concluder.end()


def state_of(states: dict[RunState, int]) -> str:
    """A study's state in a word, from its runs by state."""
    total = sum(states.values())
    if states.get(RunState.LEASED):
        return "running"
    if total and sum(n for state, n in states.items() if state in FINAL) == total:
        return "failed" if states.get(RunState.FAILED) else "done"
    return "waiting"
