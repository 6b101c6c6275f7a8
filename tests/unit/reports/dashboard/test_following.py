"""Following a study: whatever its readers and its conclusions do, the threads go on and say so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reports.dashboard.concluding.concluder import NotConcluded
from reports.dashboard.concluding.conclusions import Conclusions, Question
from reports.dashboard.following.followed import Followed
from storage import StorageError
from storage.records import Changes, Glance, StudyRecord

RECORD = StudyRecord(
    id=1,
    name="demo",
    spec={},
    card={},
    fingerprint="",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    birth="b",
    key_name="b",
    first_name="demo",
    plan="",
    sealed_at=None,
    unsealed_at=None,
)
_NAMES = """run search role trial params seed state planned epochs value_val value_test
attempt worker started_s ended_s device_s money"""
_EMPTY: Mapping[str, Sequence[Any]] = dict.fromkeys(_NAMES.split(), ())


class Reading:
    """A database with an empty study that may be in trouble."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.number = 0

    def cursor(self, study: str) -> str:
        if self.trouble is not None:
            raise self.trouble
        return "c0"

    def decisions(self, study_id: int) -> Sequence[Any]:
        return ()

    def run_block(self, study_id: int, *, after: int, limit: int) -> Mapping[str, Sequence[Any]]:
        return _EMPTY

    attempt_block = run_block

    def changes(self, study: str, since: str, *, limit: int) -> Changes:
        if self.trouble is not None:
            raise self.trouble
        self.number += 1
        return Changes(cursor=f"c{self.number}")


class Concluding:
    """Conclusions that may be in trouble; each question is counted."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.asked = threading.Semaphore(0)

    def ask(self, question: Question) -> Any:
        try:
            if self.trouble is not None:
                raise self.trouble
            return Conclusions(cursor=question.of[0].cursor, sentence="This is so.")
        finally:
            self.asked.release()


Begin = Callable[..., Followed]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    monkeypatch.setattr("reports.dashboard.following.followed._LEAST_REST_S", 0.0)
    begun: list[Followed] = []

    def followed(reading: Any, concluding: Any) -> Followed:
        begun.append(Followed(reading, concluding, Glance(record=RECORD, change=0, held=False)))
        return begun[-1]

    yield followed
    for study in begun:
        study.end()


@pytest.mark.parametrize("trouble", [StorageError("It is away."), ZeroDivisionError("odd")])
def test_who_asks_is_told_what_is_wrong_and_the_next_one_is_answered(
    begin: Begin, trouble: Exception
) -> None:
    reading = Reading()
    study = begin(reading, Concluding())
    for filled in (False, True):  # while all there is is read, and later
        reading.trouble = trouble
        _something_happens(study)
        for _ in range(3):
            with pytest.raises(StorageError, match=str(trouble)):
                study.catch_up(within_s=30)
        assert study.is_filled is filled
        reading.trouble = None
        study.catch_up(within_s=30)
        assert study.is_filled


def test_what_has_been_read_is_not_read_again_until_something_happens(begin: Begin) -> None:
    reading = Reading()
    study = begin(reading, Concluding())
    for n in (1, 2, 3):
        for _ in range(3):
            study.catch_up(within_s=30)
        assert reading.number == n
        _something_happens(study)


def test_who_waits_when_nobody_looks_any_more_is_told(begin: Begin) -> None:
    class Held(Reading):
        def cursor(self, study: str) -> str:
            reached.set()
            assert goes_on.wait(60)
            return super().cursor(study)

    reached, goes_on = threading.Event(), threading.Event()
    study = begin(Held(), Concluding())
    with ThreadPoolExecutor(1) as thread:
        waits = thread.submit(study.catch_up, within_s=60)
        assert reached.wait(60)
        study.end()
        with pytest.raises(StorageError, match="no longer followed"):
            waits.result(30)
        goes_on.set()
    with pytest.raises(StorageError, match="no longer followed"):
        study.catch_up(within_s=60)


@pytest.mark.parametrize("trouble", [NotConcluded("No memory."), ZeroDivisionError("odd")])
def test_what_could_not_be_concluded_is_said_and_tried_again(
    begin: Begin, trouble: Exception
) -> None:
    concluding = Concluding()
    concluding.trouble = trouble
    study = begin(Reading(), concluding)
    study.catch_up(within_s=30)
    assert concluding.asked.acquire(timeout=30)
    _look_until(study, concluding, lambda: str(trouble.args[0]) in study.undrawn)
    assert study.conclusions is None
    concluding.trouble = None
    _look_until(study, concluding, lambda: study.conclusions is not None)
    _look_until(study, concluding, lambda: study.undrawn == "")


def _something_happens(study: Followed) -> None:
    study.found = replace(study.found, change=study.found.change + 1)


def _look_until(study: Followed, concluding: Concluding, done: Callable[[], bool]) -> None:
    """Look again and again, a question after the other."""
    for _ in range(20):
        if done():
            return
        study.catch_up(within_s=30)
        concluding.asked.acquire(timeout=1)
    assert done()
