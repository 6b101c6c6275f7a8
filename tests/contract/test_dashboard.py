"""Promises of the dashboard that hold on any database."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from reports.dashboard import Access, application
from storage import RunState
from storage.states import Liveness
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import Bench, end


def live_of(page: str) -> str:
    """Where a page asks for what is new."""
    found = re.search(r'hx-get="([^"]*)"', page)
    assert found
    return found[1].replace("&amp;", "&")


class Pages(Backend):
    @pytest.fixture
    def site(self, bench: Bench, url: str) -> TestClient:
        bench.plan('{"lr":0.1}', '{"lr":0.2}')
        return TestClient(application(url, Access()), base_url="http://127.0.0.1:8050")

    @pytest.mark.parametrize("path", ["trials", "trial/0", "workers"])
    def test_what_changed_comes_as_sections_that_differ(
        self, site: TestClient, bench: Bench, path: str
    ) -> None:
        number = bench.study.id
        live = live_of(site.get(f"/study/{number}/{path}").text)
        assert site.get(live).status_code == 204
        bench.train(bench.claim_one(), (0.1, 0.1))
        answer = site.get(live)
        assert answer.status_code == 200
        assert 'hx-swap="innerMorph"' in answer.text
        assert "<html" not in answer.text
        assert site.get(live_of(answer.text)).status_code == 204

    def test_a_study_made_anew_is_another_one(
        self, site: TestClient, bench: Bench, url: str
    ) -> None:
        assert "2 of 2 trials" in site.get(f"/study/{bench.study.id}/trials").text
        bench.storage.delete_study(bench.study.id, liveness=lambda _: Liveness.DEAD)
        bench.study = bench.save()
        bench.plan('{"lr":0.3}')
        assert "1 of 1 trials" in site.get(f"/study/{bench.study.id}/trials").text

    @pytest.mark.parametrize("number", [f"{2**63}", "9" * 5000])
    def test_numbers_that_no_database_holds_are_no_failure(
        self, site: TestClient, bench: Bench, number: str
    ) -> None:
        study = f"/study/{bench.study.id}"
        for path in (f"/study/{number}", f"{study}/run/{number}/curves.json"):
            assert site.get(path).status_code == 404
        for path in (f"{study}?budget={number}", f"{study}/trials?after={number}"):
            assert site.get(path).status_code == 200

    def test_a_function_study_names_no_single_task_networks(
        self, site: TestClient, bench: Bench
    ) -> None:
        function = bench.storage.save_study(
            name="tuning",
            spec={"seeds": [0]},
            card={"kind": "function"},
            fingerprint="f",
            searches=[("function", "search", "")],
        )
        page = site.get(f"/study/{function.id}").text
        assert "Searches, and what they cost." in page
        assert "single-task" not in page

    def test_workers_say_what_they_do(self, site: TestClient, bench: Bench) -> None:
        claim = bench.claim_one()
        page = site.get(f"/study/{bench.study.id}/workers").text
        assert f"runs {claim.run}" in page
        bench.storage.record([end(claim, RunState.FAILED)])
        assert "idle or gone" in site.get(f"/study/{bench.study.id}/workers").text

    def test_a_look_leaves_the_database_to_who_writes(self, site: TestClient, bench: Bench) -> None:
        site.get(f"/study/{bench.study.id}/trials")
        bench.claim_one()  # would wait for the end of a reading transaction that stood open


class TestOnFile(Pages, OnFile):
    pass


class TestOnPostgres(Pages, OnPostgres):
    pass
