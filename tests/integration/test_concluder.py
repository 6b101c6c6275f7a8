"""What is worked out beside the server: where it is away, where it is late, and at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from reports.dashboard import Access, application
from reports.dashboard.concluder import Concluder, NotConcluded
from reports.dashboard.conclusions import Conclusions
from tests.contract.storage_bench import Bench
from tests.contract.test_dashboard import live_of


def test_a_database_that_was_away_at_first_is_asked_again(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    bench.storage.close()
    concluder = Concluder(bench.url)
    (tmp_path / "w.db").rename(tmp_path / "away")
    with pytest.raises(NotConcluded, match="no study database"):
        concluder.conclusions("demo", "1")
    (tmp_path / "away").rename(tmp_path / "w.db")
    assert concluder.conclusions("demo", "1").cursor == "1"
    process = concluder._process
    concluder.end()
    assert process is not None
    assert process.returncode is not None


def test_what_is_still_to_come_appears_on_an_open_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conclusions(self: Concluder, study: str, cursor: str) -> Conclusions:
        return Conclusions(cursor=cursor, sentence="This is so.")

    def ahead(study: str) -> Sequence[tuple[str, str]]:
        seen.wait()
        return [("Still to come", "much")]

    monkeypatch.setattr(Concluder, "conclusions", conclusions)
    seen = threading.Event()
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    app = application(bench.url, Access(), ahead=ahead)
    with TestClient(app, base_url="http://127.0.0.1:8050") as site:
        while "This is so." not in (page := site.get("/study/1").text):
            time.sleep(0.02)
        seen.set()
        for _ in range(50):  # tries
            if (answer := site.get(live_of(page))).status_code == 200:
                break
            time.sleep(0.1)
        assert "Still to come" in answer.text
    bench.storage.close()
