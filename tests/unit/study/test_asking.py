"""Verbs that are asked in processes of their own: none of these outlives who asks."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from study import asking
from study.asking import Asking, NotAnswered


class Process(subprocess.Popen[bytes]):
    """A process that never answers, in place of the one that is asked for."""

    begun: list[Process]

    def __init__(self, command: list[str], **told: Any) -> None:
        super().__init__(["sleep", "1000"], **told)
        self.begun.append(self)
        _at_work.set()


_at_work = threading.Event()


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    _at_work.clear()
    monkeypatch.setattr(Process, "begun", [], raising=False)
    monkeypatch.setattr(asking.subprocess, "Popen", Process)
    return Process.begun


def test_the_end_ends_what_is_at_work(begun: list[Process]) -> None:
    one = Asking("sqlite:///w.db")
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(one.ask, "status", "demo")
        assert _at_work.wait(60)
        one.end()
        with pytest.raises(NotAnswered):
            asked.result(60)
    assert [process.returncode is not None for process in begun] == [True]


def test_after_the_end_nothing_begins(begun: list[Process]) -> None:
    one = Asking("sqlite:///w.db")
    one.end()
    with pytest.raises(NotAnswered, match="Nothing is asked any more"):
        one.ask("status", "demo")
    assert one.headline("demo") == ""
    assert begun == []
