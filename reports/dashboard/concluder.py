"""The process that works out what the report would say, as the server sees it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any, Final

from reports.dashboard.conclusions import ClaimSaid, Conclusions, PictureSaid, Question
from reports.errors import ReportError

_MODULE: Final = "reports.dashboard.concluding"
_IDLE_S: Final = 60.0
_DEADLINE_S: Final = 600.0


class NotConcluded(ReportError):
    """What was asked could not be worked out; the text says why."""


class Concluder:
    """Asks one question after the other; the process begins with the first.

    When nobody has asked for a minute it is ended, so that its memory is given back.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._rest: threading.Timer | None = None

    def conclusions(self, study: str, cursor: str) -> Conclusions:
        """What the report would say.

        Raises:
            NotConcluded: It could not be worked out.
        """
        question = Question(about="conclusions", study=study, cursor=cursor, arguments=(cursor,))
        found: Conclusions = self._asked(question)
        return found

    def at_budget(self, study: str, cursor: str, axis: str, place: int) -> dict[str, Any] | None:
        """The methods at a budget; None while there is nothing to say.

        Raises:
            NotConcluded: It could not be worked out.
        """
        question = Question(about="budget", study=study, cursor=cursor, arguments=(axis, place))
        found: dict[str, Any] | None = self._asked(question)
        return found

    def pictures(self, study: str, cursor: str) -> list[PictureSaid]:
        """The report's figures as still pictures.

        Raises:
            NotConcluded: It could not be worked out.
        """
        found: list[PictureSaid] = self._asked(
            Question(about="pictures", study=study, cursor=cursor)
        )
        return found

    def claims(self, study: str, cursor: str) -> list[ClaimSaid]:
        """What the study says to the claims of its field.

        Raises:
            NotConcluded: It could not be worked out.
        """
        found: list[ClaimSaid] = self._asked(Question(about="claims", study=study, cursor=cursor))
        return found

    def end(self) -> None:
        """End the process at once, in the middle of a question, too."""
        if self._rest is not None:
            self._rest.cancel()
        if (process := self._process) is not None:
            process.kill()
            process.wait()

    def _asked(self, question: Question) -> Any:
        with self._lock:
            if self._rest is not None:
                self._rest.cancel()
            try:
                if self._pipe is None:
                    self._begin()
                found = self._answer(question)
            except (EOFError, OSError) as error:
                self._end()
                raise NotConcluded(
                    "The process that works out conclusions has ended, perhaps for want of memory. "
                    "It is tried again while somebody looks."
                ) from error
            self._rest = threading.Timer(_IDLE_S, self._end_if_idle)
            self._rest.daemon = True
            self._rest.start()
            return found

    def _answer(self, asked: Question | str) -> Any:
        assert self._pipe is not None
        self._pipe.send(asked)
        if not self._pipe.poll(_DEADLINE_S):
            raise EOFError
        trouble, found = self._pipe.recv()
        if trouble:
            raise NotConcluded(trouble)
        return found

    def _begin(self) -> None:
        self._pipe = self._begun()
        try:
            self._answer(self._url)
        except NotConcluded:
            self._end()  # it has no database: the next question begins anew
            raise

    def _begun(self) -> Connection:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        return Connection(ours.detach())

    def _end_if_idle(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._pipe = None
