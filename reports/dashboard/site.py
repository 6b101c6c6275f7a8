"""What all pages share: the database, who is let in, and the studies that somebody looks at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from reports.dashboard.concluding.asked import Asked
from reports.dashboard.concluding.concluder import Concluder
from reports.dashboard.concluding.outlook import LookAhead, Outlook
from reports.dashboard.concluding.printed import Outputs
from reports.dashboard.following.followed import Followed
from reports.dashboard.following.memory import Memory
from reports.dashboard.following.standings import LAST_S, Standings
from reports.dashboard.rendering.templating import NothingNew, Pages, seen_by
from reports.dashboard.security import Access
from storage import Liveness, Reader, StorageError
from storage.records import Glance, Holder, StudyRecord

_MOST_FOLLOWED: Final = 16
_FIRST_S: Final = 0.1
_CATCH_UP_S: Final = 0.5
"""How long a request waits for all that there is, at first, and for all that is new, later."""

_PATIENCE_S: Final = 0.5
"""How long a request waits for the database, before it says that it cannot be reached."""

PATIENT_S: Final = 60.0
"""The same for what makes no sense before all runs are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """What actions need that `reports` cannot know.

    Attributes:
        liveness: Tells whether the driver that holds a lease is alive.
        remove_files: Removes the files that a deleted study has left in these folders.
    """

    liveness: Callable[[Holder], Liveness]
    remove_files: Callable[[list[str]], None]


class NotThere(Exception):
    """What an address names does not exist; the text says so."""


def seen_up_to(study: Followed) -> str:
    """The changes that a study's mirror holds."""
    return study.mirror.cursor


class Site:
    """One database as a web site."""

    def __init__(
        self,
        url: str,
        access: Access,
        ahead: LookAhead,
        outputs: Outputs,
        actions: Actions | None = None,
        estimators: str = "",
    ) -> None:
        self.reader = Reader(url, patience_s=_PATIENCE_S)
        self.standings = Standings(self.reader)
        self.memory = Memory()
        self.outlook = Outlook(ahead)
        self.concluder = Concluder(url, estimators)
        self.asked = Asked(self.concluder)
        self.url, self.access, self.actions = url, access, actions
        self.outputs = outputs
        self.pages = Pages(may_act=actions is not None)
        self._followed: dict[str, Followed] = {}
        self._ended = False
        self._lock = threading.Lock()

    def record(self, request: Request) -> StudyRecord:
        """The study that the address names by its number.

        Raises:
            NotThere: There is none of that number.
        """
        return self._found(request).record

    def study(
        self,
        request: Request,
        *,
        within_s: float | None = None,
        cursor: Callable[[Followed], str] | None = seen_up_to,
    ) -> Followed:
        """What is known of the study that the address names, up to date if that takes no longer.

        Args:
            within_s: How long to wait for that; by default less than is noticed while all that
                there is is being read.
            cursor: What a page of it has seen; it moves whenever anything of the page may differ.
                None: who asks compares it.

        Raises:
            NotThere: There is none of that number.
            NothingNew: The browser's page has seen it all.
            StorageError: The database cannot be read now.
        """
        study = self._followed_one(self._found(request))
        if within_s is None:
            within_s = _CATCH_UP_S if study.is_filled else _FIRST_S
        study.catch_up(within_s=within_s)
        if cursor is not None and seen_by(request) == cursor(study):
            raise NothingNew
        return study

    def _found(self, request: Request) -> Glance:
        number = request.path_params["study"]
        found = self.reader.glance(number)
        if found is None:
            raise NotThere(f"No study has the number {number} here. It may have been deleted.")
        return found

    def _followed_one(self, found: Glance) -> Followed:
        """The study's mirror, made when it is first asked for; those asked for last are kept."""
        birth = found.record.birth
        with self._lock:
            if self._ended:
                raise StorageError("No study is followed any more: the dashboard ends.")
            study = self._followed.pop(birth, None)
            if study is None:
                study = Followed(self.reader, self.concluder, found)
            study.see(found)
            self._followed[birth] = study
            for old in list(self._followed)[:-_MOST_FOLLOWED]:
                self._followed.pop(old).end()
            return study

    def end(self) -> None:
        """Nobody looks any more: end the threads and the process, and begin no others."""
        with self._lock:
            self._ended = True
            followed = list(self._followed.values())
            self._followed.clear()
        for study in followed:
            study.end()
        for study in followed:
            study.join(LAST_S)
        self.standings.end()
        self.outlook.end()
        self.asked.end()
        self.concluder.end()
        self.reader.close()
