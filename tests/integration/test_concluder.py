"""What is worked out beside the server: where it is away, where it is late, and at the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any, Literal

import pytest
from starlette.testclient import TestClient

from reports import StudyFrames, load
from reports.dashboard import Access, application
from reports.dashboard.concluding import study as concluding
from reports.dashboard.concluding.concluder import Concluder, NotConcluded
from reports.dashboard.concluding.conclusions import Conclusions, Question, Stand
from reports.dashboard.concluding.study import _Answering
from storage import Reader
from tests.contract.storage_bench import Bench
from tests.contract.test_dashboard import live_of

QUESTION = Question(about="conclusions", of=(Stand("demo", "b", "1"),), arguments=("1",))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Of a database with a study."""
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    bench.storage.close()
    assert bench.url is not None
    return bench.url


class Held(Concluder):
    """What it does first of all this is held up until `goes_on`.

    Attributes:
        begun: The processes that have begun.
    """

    def __init__(self, url: str, held: Literal["answer", "begin"]) -> None:
        super().__init__(url)
        self._held = held
        self.reached, self.goes_on = threading.Event(), threading.Event()
        self.begun: list[Popen[bytes]] = []

    def _answer(self, lane: Any, question: Question) -> tuple[str, Any]:
        self._hold_up("answer")
        return super()._answer(lane, question)

    def _begun(self) -> Any:
        self._hold_up("begin")
        child = super()._begun()
        self.begun.append(child.process)
        return child

    def _hold_up(self, at: str) -> None:
        if at == self._held:
            self.reached.set()
            assert self.goes_on.wait(60)


def test_a_question_after_the_end_is_refused_and_begins_nothing(url: str) -> None:
    concluder = Concluder(url)
    concluder.end()
    with pytest.raises(NotConcluded, match="the dashboard ends"):
        concluder.ask(QUESTION)
    assert (concluder._child, concluder._rest) == (None, None)


def test_a_question_that_was_on_its_way_at_the_end_begins_nothing(url: str) -> None:
    concluder = Held(url, "answer")
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(concluder.ask, QUESTION)
        assert concluder.reached.wait(60)
        concluder.end()
        concluder.goes_on.set()
        with pytest.raises(NotConcluded, match="the dashboard ends"):
            asked.result(60)
    assert (concluder.begun, concluder._rest) == ([], None)


def test_a_process_that_begins_while_all_ends_is_ended(url: str) -> None:
    concluder = Held(url, "begin")
    with ThreadPoolExecutor(2) as threads:
        asked = threads.submit(concluder.ask, QUESTION)
        assert concluder.reached.wait(60)
        end = threads.submit(concluder.end)
        concluder.goes_on.set()
        end.result(60)
        with suppress(NotConcluded):  # unless it was quicker than the end
            asked.result(60)
    (child,) = concluder.begun
    assert child.returncode is not None
    assert concluder._rest is None or concluder._rest.finished.is_set()


def test_after_its_death_or_a_rest_another_process_begins(url: str) -> None:
    concluder = Held(url, "begin")
    concluder.goes_on.set()
    dead = concluder._at_work()
    dead.process.kill()
    with pytest.raises(NotConcluded, match="perhaps for want of memory"):
        concluder.ask(QUESTION)
    assert concluder.ask(QUESTION).cursor == "1"
    concluder._let_go(dead)  # by a question of the other lane, which learns of it late
    assert concluder.begun[1].returncode is None
    concluder._let_go_if_idle()  # as the timer does
    assert concluder.begun[1].returncode is not None
    assert concluder._at_work().process is concluder.begun[2]
    concluder.end()
    assert concluder.begun[2].returncode is not None


def test_a_database_that_was_away_at_first_is_asked_again(url: str, tmp_path: Path) -> None:
    concluder = Concluder(url)
    (tmp_path / "w.db").rename(tmp_path / "away")
    with pytest.raises(NotConcluded, match="no study database"):
        concluder.ask(QUESTION)
    (tmp_path / "away").rename(tmp_path / "w.db")
    assert concluder.ask(QUESTION).cursor == "1"
    child = concluder._child
    concluder.end()
    assert child is not None
    assert child.process.returncode is not None


def test_what_is_still_to_come_appears_on_an_open_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(self: Concluder, question: Question) -> Conclusions:
        return Conclusions(cursor=question.of[0].cursor, sentence="This is so.")

    def ahead(study: str) -> Sequence[tuple[str, str]]:
        seen.wait()
        return [("Still to come", "much")]

    monkeypatch.setattr(Concluder, "ask", ask)
    seen = threading.Event()
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    app = application(bench.url, Access(), ahead=ahead)
    with TestClient(app, base_url="http://127.0.0.1:8050") as site:
        while "This is so." not in (page := site.get("/study/1").text):
            time.sleep(0.02)
        seen.set()
        while (answer := site.get(live_of(page))).status_code == 204:
            time.sleep(0.02)
        assert "<dt>Still to come</dt><dd>much</dd>" in answer.text
    bench.storage.close()


def test_a_table_at_a_budget_waits_for_nothing_slow(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    (tmp_path / "slow.py").write_text(f"open({str(held)!r}).read()\nestimators = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    concluder = Concluder(url, "slow:estimators")
    of = (Stand("demo", "b", "1"),)
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(concluder.ask, Question(about="claims", of=of))
        with held.open("w"):  # it is at work now, and goes on when this is closed
            quick = Question(about="budget", of=of, arguments=("epochs", 50))
            with suppress(NotConcluded):  # there is nothing to tell yet
                concluder.ask(quick)
            assert not slow.done()
        with suppress(NotConcluded):
            slow.result(60)
    concluder.end()


def test_what_is_quick_waits_for_no_study_that_is_read_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, goes_on, asked_of = threading.Event(), threading.Event(), list[StudyFrames]()

    def held_load(reader: Reader, study: str) -> StudyFrames:
        reading.set()
        assert goes_on.wait(60)
        return load(reader, study)

    def budget(frames: StudyFrames) -> str:
        asked_of.append(frames)
        return "told"

    answering = _Answering(url, "")
    answering.answer(QUESTION)
    monkeypatch.setattr(concluding, "load", held_load)
    monkeypatch.setitem(concluding._ANSWERS, "budget", budget)  # type: ignore[misc]
    later = Stand("demo", "b", "2")
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(answering.answer, replace(QUESTION, of=(later,), arguments=("2",)))
        assert reading.wait(60)
        quick = Question(about="budget", of=(later,))
        assert answering.answer(quick) == "told"
        assert not slow.done()
        goes_on.set()
        assert slow.result(60).cursor == "2"
    answering.answer(quick)
    assert asked_of[0] is not asked_of[1]
