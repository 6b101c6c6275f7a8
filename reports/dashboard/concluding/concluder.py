"""The process that works out what the report would say, as the server sees it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, Literal

from reports.dashboard.concluding.conclusions import QUICK, Question
from reports.errors import ReportError

_MODULE: Final = "reports.dashboard.concluding.study"
_IDLE_S: Final = 60.0
_DEADLINE_S: Final = 600.0

_Lane = Literal["quick", "slow"]


class NotConcluded(ReportError):
    """What was asked could not be worked out; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    process: subprocess.Popen[bytes]
    lanes: Mapping[_Lane, Connection]


class Concluder:
    """Asks one process, which begins with the first question, one question a lane at a time.

    When nobody has asked for a minute it is ended, so that its memory is given back.

    Args:
        estimators: Where that process finds `reports.importances.Estimators`, as ``module:name``;
            nothing, for none.
    """

    def __init__(self, url: str, estimators: str = "") -> None:
        self._told = json.dumps([url, estimators]).encode()
        self._turns: Mapping[_Lane, threading.Lock] = {
            "quick": threading.Lock(),
            "slow": threading.Lock(),
        }
        self._lock = threading.Lock()  # of all below
        self._child: _Child | None = None
        self._asking, self._ended = 0, False
        self._rest: threading.Timer | None = None

    def ask(self, question: Question) -> Any:
        """What the function that answers such questions returns.

        Raises:
            NotConcluded: It could not be worked out.
        """
        lane: _Lane = "quick" if question.about in QUICK else "slow"
        self._count(1)
        try:
            with self._turns[lane]:
                trouble, found = self._answer(lane, question)
        finally:
            self._count(-1)
        if trouble:
            raise NotConcluded(trouble)
        return found

    def end(self) -> None:
        """End the process for good, in the middle of a question, too: no other one begins."""
        with self._lock:
            self._ended = True
            self._let_go(self._child)
            if self._rest is not None:
                self._rest.cancel()

    def _answer(self, lane: _Lane, question: Question) -> tuple[str, Any]:
        child: _Child | None = None
        try:
            child = self._at_work()
            pipe = child.lanes[lane]
            pipe.send(question)
            if not pipe.poll(_DEADLINE_S):
                raise EOFError
            answer: tuple[str, Any] = pipe.recv()
        except (EOFError, OSError) as error:
            with self._lock:
                self._let_go(child)
            raise NotConcluded(
                "The process that works out conclusions has ended, perhaps for want of memory. "
                "It is tried again while somebody looks."
            ) from error
        return answer

    def _at_work(self) -> _Child:
        """The process; one begins unless nobody is to look any more."""
        with self._lock:
            if self._ended:
                raise NotConcluded(
                    "Nothing is worked out any more: the dashboard ends. Begin it again."
                )
            self._child = self._child or self._begun()
            return self._child

    def _let_go(self, child: _Child | None) -> None:
        """End this one, with the lock held; the next question begins another."""
        if child is None:
            return
        if self._child is child:  # else whoever saw its end before has begun another one
            self._child = None
        child.process.kill()
        child.process.wait()

    def _let_go_if_idle(self) -> None:
        with self._lock:
            if not self._asking:
                self._let_go(self._child)

    def _begun(self) -> _Child:
        pairs = [socket.socketpair() for _ in self._turns]
        theirs = [pair[1].fileno() for pair in pairs]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, *map(str, theirs)],
            pass_fds=theirs,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(self._told)  # a URL can hold a password: no argument
        process.stdin.close()
        for _, end in pairs:
            end.close()
        ours = (Connection(end.detach()) for end, _ in pairs)
        return _Child(process=process, lanes=dict(zip(self._turns, ours, strict=True)))

    def _count(self, more: int) -> None:
        """Of those who ask: when nobody does any longer, the minute begins."""
        with self._lock:
            self._asking += more
            if self._rest is not None:
                self._rest.cancel()
            if self._asking == 0 and self._child is not None:
                self._rest = threading.Timer(_IDLE_S, self._let_go_if_idle)
                self._rest.daemon = True
                self._rest.start()
