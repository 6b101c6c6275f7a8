"""What `watch` asks beside: for a study that may be over, nothing is waited for that is old."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from study.asking import Asking, NotAnswered
from study.cli._watch_answers import Answering

_PATIENCE_S = 60.0
_SAID = {
    "status": {"over": False, "forecast": None},
    "compare": {"document": "compare.trials", "sentence": "This is so."},
}


class Slow(Asking):
    """Answers when it is let; asked for, it tells which verb."""

    def __init__(self) -> None:
        super().__init__("sqlite:///w.db")
        self.asked: SimpleQueue[str] = SimpleQueue()
        self._let: SimpleQueue[bool] = SimpleQueue()
        self._ended = False

    def ask(self, verb: str, study: str) -> Any:
        self.asked.put(verb)
        if self._ended or not self._let.get(timeout=_PATIENCE_S):
            raise NotAnswered("It was left.")
        return _SAID[verb]

    def let(self) -> None:
        self._let.put(True)

    def leave(self) -> None:
        self._let.put(False)

    def end(self) -> None:
        self._ended = True
        self._let.put(False)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def answering(slow: Slow) -> Iterator[Answering]:
    answering = Answering(slow)
    yield answering
    answering.end()


def next_of(slow: Slow) -> str:
    return slow.asked.get(timeout=_PATIENCE_S)


def told(answering: Answering, change: int) -> None:
    """Wait for the answers of a change."""
    while answering.latest.change != change:
        assert answering.changed.wait(_PATIENCE_S)
        answering.changed.clear()


def test_a_study_that_moves_on_is_told_of_as_it_was_asked_for(
    slow: Slow, answering: Answering
) -> None:
    answering.want("demo", 1, soon=False)
    assert next_of(slow) == "status"
    answering.want("demo", 2, soon=False)
    for _ in range(2):
        slow.let()
    assert next_of(slow) == "compare"
    told(answering, 1)


def test_at_its_end_what_is_asked_of_before_is_left(slow: Slow, answering: Answering) -> None:
    answering.want("demo", 1, soon=False)
    assert next_of(slow) == "status"
    slow.let()
    assert next_of(slow) == "compare"
    answering.want("demo", 2, soon=True)
    assert next_of(slow) == "status"
    assert answering.latest.headline == ""  # that of change 1 was not waited for
    answering.want("demo", 2, soon=True)  # again and again, until it is there
    for _ in range(2):
        slow.let()
    assert next_of(slow) == "compare"
    told(answering, 2)
    assert (answering.latest.headline, answering.latest.unknown) == ("This is so.", "")
