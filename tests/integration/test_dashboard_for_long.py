"""A dashboard that is looked at for long, or at many studies: it keeps no more than it needs."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from reports.dashboard import Access, application
from reports.dashboard.concluding.concluder import Concluder
from reports.dashboard.concluding.conclusions import Conclusions, Question
from reports.dashboard.site import Site
from storage import StorageError
from tests.contract.storage_bench import Bench, epoch
from tests.contract.test_dashboard import live_of
from tests.integration.dashboards import TRIAL

_PAGES = ("", "/trials", TRIAL, "/run/1", "/workers")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    yield bench
    bench.storage.close()


@pytest.fixture(autouse=True)
def concluded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(self: Concluder, question: Question) -> Conclusions:
        return Conclusions(cursor=question.of[0].cursor, sentence="This is so.")

    monkeypatch.setattr(Concluder, "ask", ask)


def test_polls_while_a_study_moves_leave_nothing_behind(bench: Bench) -> None:
    bench.plan(*(f'{{"lr":{n}}}' for n in range(50)))
    claims, epochs = bench.claim(5), iter(range(1, 1_000))
    app = application(bench.url, Access())
    with TestClient(app, base_url="http://127.0.0.1:8050") as site:
        live = [live_of(site.get(f"/study/1{page}").text) for page in _PAGES]

        def look_on(times: int) -> None:
            for _ in range(times):
                number = next(epochs)
                bench.storage.record([epoch(claim, number, 0.1, 0.1) for claim in claims])
                for at, address in enumerate(live):
                    answer = site.get(address)
                    if answer.status_code == 200:
                        live[at] = live_of(answer.text)

        tracemalloc.start()
        try:
            look_on(10)  # what is kept for good is there then
            before = _kept()
            look_on(20)
            assert _kept() < 2 * before, "what looks keep grows with their number"
        finally:
            tracemalloc.stop()


def test_of_many_studies_those_looked_at_last_are_followed(bench: Bench) -> None:
    numbers = [bench.save(f"study {n}").id for n in range(40)]
    before = threading.active_count()
    site = Site(bench.url, Access(), lambda _: (), lambda _: None)
    for number in numbers:
        site.study(_asking_for(number), within_s=30)
    deadline_s = time.monotonic() + 60
    while threading.active_count() > before + 2 * 16 + 2:  # the others are about to end
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    site.end()
    with pytest.raises(StorageError, match="the dashboard ends"):  # what was asked a moment ago
        site.study(_asking_for(numbers[0]))


def _kept() -> int:
    """Bytes that reports hold; the writer beside them, and caches of libraries, are not meant."""
    gc.collect()
    ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/reports/*")])
    return sum(one.size for one in ours.traces)


def _asking_for(study: int) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": f"/study/{study}",
            "query_string": b"",
            "headers": [],
            "path_params": {"study": study},
        }
    )
