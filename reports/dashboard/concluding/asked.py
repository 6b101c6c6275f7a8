"""What pages ask of the process beside the server, and what they are told meanwhile."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Final, NamedTuple, TypeAlias

from reports.dashboard.concluding.concluder import Concluder, NotConcluded
from reports.dashboard.concluding.conclusions import Question

_MOST: Final = 32  # answers that are kept
_REST: Final = 4.0
"""What has changed is worked out again after so many times what that took: a fifth of the time."""
_LEAST_REST_S: Final = 2.0

_Key: TypeAlias = tuple[Any, ...]


class Answer(NamedTuple):
    """The latest answer to a question.

    Attributes:
        cursors: Of the studies that it is about, when it was asked.
        found: What was asked for; None where there is only trouble.
        trouble: Why it could not be worked out, the last time; empty if it could.
    """

    cursors: tuple[str, ...]
    found: Any
    trouble: str


class Asked:
    """Works questions out one after the other, in a thread, and again while pages ask for them."""

    def __init__(self, concluder: Concluder) -> None:
        self._concluder = concluder
        self._news = threading.Condition()  # of all below
        self._answers: dict[_Key, Answer] = {}
        self._due_s: dict[_Key, float] = {}
        self._waiting: deque[_Key] = deque()
        self._questions: dict[_Key, Question] = {}
        self.n_answers = 0
        """How many there have been so far."""
        self._ended = False
        self._thread: threading.Thread | None = None

    def of(self, question: Question) -> Answer | None:
        """The latest answer, and have a newer one worked out if it is old; None for none yet."""
        key = question.about, tuple(stand.birth for stand in question.of), question.arguments
        with self._news:
            answer = self._answers.get(key)
            if answer is None or (answer.cursors != _cursors(question) and self._is_due(key)):
                self._questions[key] = question
                if key not in self._waiting:
                    self._waiting.append(key)
                    self._news.notify()
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, daemon=True)
                    self._thread.start()
            return answer

    def end(self) -> None:
        """Nobody asks any more: end the thread."""
        with self._news:
            self._ended = True
            self._news.notify()

    def _is_due(self, key: _Key) -> bool:
        return time.monotonic() >= self._due_s.get(key, 0.0)

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._ended or self._waiting)
                if self._ended:
                    return
                key = self._waiting[0]
                question, before = self._questions[key], self._answers.get(key)
            began_s = time.monotonic()
            try:
                found, trouble = self._concluder.ask(question), ""
            except NotConcluded as error:
                found, trouble = before and before.found, str(error)
            except Exception as error:  # this thread must not end; pages say so
                found, trouble = before and before.found, repr(error)
            now_s = time.monotonic()
            with self._news:
                self._waiting.remove(key)
                self._questions.pop(key)
                self._answers.pop(key, None)  # the latest is the last
                self.n_answers += 1
                self._answers[key] = Answer(_cursors(question), found, trouble)
                self._due_s[key] = now_s + max(_LEAST_REST_S, _REST * (now_s - began_s))
                for old in list(self._answers)[:-_MOST]:
                    del self._answers[old], self._due_s[old]


def _cursors(question: Question) -> tuple[str, ...]:
    return tuple(stand.cursor for stand in question.of)
