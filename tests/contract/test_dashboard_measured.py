"""Lists of trials are sorted and narrowed by what only the database holds, on any database."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from reports.dashboard import Access, application
from storage import RunState
from storage.scoring import Selection
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import (
    DELTA_M,
    METRICS,
    SEARCHES,
    Bench,
    baseline,
    end,
    reference,
)

CARD = {
    "tasks": [
        {"name": task, "metrics": [{"name": name, "direction": direction}]}
        for task, name, direction in METRICS
    ]
}
ERRORS = {"0.1": 0.5, "0.2": 0.3, "0.3": 0.4}  # by learning rate; the score rises with it


def trials_of(page: str) -> list[int]:
    """The places of the trials in a list, in its order."""
    return [int(at) for at in re.findall(r'<tr id="trial-(\d+)">', page)]


class Measures(Backend):
    @pytest.fixture
    def at(self, bench: Bench) -> str:
        bench.study = bench.storage.save_study(
            name="measured", spec={"seeds": [0]}, card=CARD, fingerprint="f", searches=SEARCHES
        )
        bench.worker_id = bench.add_worker()
        bench.plan(*(f'{{"lr":{lr}}}' for lr in ERRORS), '{"lr":0.4}')
        for error, claim in zip(ERRORS.values(), bench.claim(3), strict=True):
            bench.train(claim, *[(error, error)] * (1 + int(10 * error)), b=claim.run / 100)
        bench.storage.set_baseline(bench.study.id, baseline())
        bench.storage.score(bench.study.id, DELTA_M, Selection(), reference=reference(baseline()))
        return f"/study/{bench.study.id}/trials"

    @pytest.fixture
    def site(self, at: str, url: str) -> Iterator[TestClient]:
        with TestClient(application(url, Access()), base_url="http://127.0.0.1:8050") as site:
            yield site

    def test_trials_are_sorted_by_metrics_and_costs(self, site: TestClient, at: str) -> None:
        def order(sort: str) -> list[int]:
            while "is being read" in (page := site.get(f"{at}?sort={sort}").text):
                pass
            return trials_of(page)

        assert order("validation.a.error") == [1, 2, 0, 3]
        assert order("test.b.score") == [2, 1, 0, 3]  # more is better, and what has none is last
        assert order("test.b.score&down=0") == [0, 1, 2, 3]
        assert order("samples&down=1")[:3] == [0, 2, 1]

    def test_trials_are_narrowed_by_them(self, site: TestClient, at: str) -> None:
        def left(limits: str) -> list[int]:
            while "is being read" in (page := site.get(f"{at}?{limits}").text):
                pass
            return trials_of(page)

        assert left("most.test.a.error=0.4") == [1, 2]
        assert left("most.test.a.error=0.4&least.validation.a.error=0.35") == [2]
        assert "Limits are numbers" in site.get(f"{at}?least.samples=many").text
        assert left("least.nothing=1") == left("")
        shown = site.get(f"{at}?show=test.a.error").text
        assert 'name="least.test.a.error"' in shown
        csv = site.get(f"{at}.csv?sort=validation.a.error&show=validation.a.error").text
        assert [line.rpartition(",")[2] for line in csv.splitlines()] == [
            *("validation.a.error", "0.3", "0.4", "0.5", ""),
        ]

    def test_what_was_read_is_kept_up(self, site: TestClient, at: str, bench: Bench) -> None:
        asked = f"{at}?sort=test.a.error"
        while "is being read" in site.get(asked).text:
            pass
        claim = bench.claim_one()
        bench.train(claim, (0.2, 0.2))
        bench.storage.score(bench.study.id, DELTA_M, Selection(), reference=reference(baseline()))
        while trials_of(site.get(asked).text) != [3, 1, 2, 0]:
            pass

    def test_a_sealed_study_is_not_sorted_by_test_values(
        self, site: TestClient, at: str, bench: Bench
    ) -> None:
        sealed = bench.storage.save_study(
            name="sealed",
            spec={"seeds": [0]},
            card=CARD,
            fingerprint="f",
            searches=SEARCHES,
            sealed=True,
        )
        bench.study = sealed
        bench.plan('{"lr":0.9}')
        claim = bench.claim_one()
        bench.storage.record([end(claim, RunState.FAILED)])
        page = site.get(f"/study/{sealed.id}/trials?sort=test.a.error&least.test.a.error=9").text
        assert trials_of(page) == [0]
        assert "test.b.score" not in page


class TestOnFile(Measures, OnFile):
    pass


class TestOnPostgres(Measures, OnPostgres):
    pass
