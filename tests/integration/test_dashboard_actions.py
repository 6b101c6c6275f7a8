"""Studies are steered from the dashboard by forms of its own pages, where that is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from reports.dashboard import Access, Actions, application
from storage import Liveness, RunState
from tests.contract.storage_bench import SEARCHES, Bench, end
from tests.integration.dashboards import HERE, client

_OWN = {"origin": HERE}
_BUDGET = {"trials": None, "epochs": 100, "device_s": None, "money": None, "wall_s": None}
_SPEC = {
    "seeds": [0],
    "budget": _BUDGET,
    "search": [{"weighting": "ew", "budget": {"epochs": 10}}],
}


class _Removed(list[str]):
    def __call__(self, folders: list[str]) -> None:
        self.extend(folders)


@pytest.fixture
def removed() -> _Removed:
    return _Removed()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.storage.save_study(name="demo", spec=_SPEC, card={}, fingerprint="f", searches=SEARCHES)
    yield bench
    bench.storage.close()


@pytest.fixture
def site(bench: Bench, removed: _Removed) -> Iterator[TestClient]:
    actions = Actions(liveness=lambda _: Liveness.DEAD, remove_files=removed)
    app = application(bench.url, Access(), actions=actions)
    with TestClient(app, base_url=HERE, follow_redirects=False, client=("192.0.2.7", 1)) as site:
        yield site


def _token(site: TestClient) -> str:
    found = re.search(r'name="form_token" value="([^"]*)"', site.get("/study/1/audit").text)
    assert found
    return found[1]


def _said(site: TestClient, status: int = 303, **fields: str) -> str:
    """What is shown in the end after a form was sent."""
    form = {"form_token": _token(site), **fields}
    answer = site.post("/study/1/act", data=form, headers=_OWN)
    assert answer.status_code == status, answer.text
    return site.get(answer.headers["location"]).text if status == 303 else answer.text


def test_a_study_is_paused_and_goes_on(site: TestClient, bench: Bench) -> None:
    assert "Done: pause" in _said(site, verb="pause")
    assert bench.storage.orders(1).paused
    overview = site.get("/study/1").text
    assert '<span class="state paused">' in overview
    assert "<dt>Waits for</dt><dd>weighbridge resume demo</dd>" in overview
    assert "waits for weighbridge resume demo" in site.get("/").text
    assert "Paused since" in overview
    assert "It was paused already." in _said(site, 200, verb="pause")
    assert "Done: resume" in _said(site, verb="resume")
    assert not bench.storage.orders(1).paused
    found = bench.storage.audit()[-1]
    assert (found.verb, found.origin) == ("resume", "dashboard, from 192.0.2.7")
    assert "@" in found.who


def test_budgets_are_raised_and_nonsense_is_refused(site: TestClient, bench: Bench) -> None:
    assert "now 100</span>" in site.get("/study/1/audit").text
    assert "epochs 200" in _said(site, verb="budget", limit="epochs", number="200", search="")
    _said(site, verb="budget", limit="epochs", number="20", search="ew")
    spec = bench.storage.study("demo").spec
    assert (spec["budget"]["epochs"], spec["search"][0]["budget"]) == (200, {"epochs": 20})
    for fields, said in (
        ({"limit": "epochs", "number": "150"}, "it is 200"),
        (
            {"limit": "epochs", "number": "many"},
            "a number above what it is now. Got &#39;many&#39;",
        ),
        ({"limit": "nix", "number": "1"}, "There is no limit &#39;nix&#39;"),
        ({}, "a number above what it is now"),
    ):
        assert said in _said(site, 409, verb="budget", **fields)


def test_failed_runs_are_tried_again(site: TestClient, bench: Bench) -> None:
    bench.plan('{"lr":0.1}')
    assert "Retry" not in site.get("/study/1/audit").text
    bench.storage.record([end(bench.claim_one(), RunState.FAILED)])
    assert "Retry 1 failed run" in site.get("/study/1/audit").text
    assert "nothing was put back" in _said(site, 200, verb="retry", which="lost")
    assert "Done: retry" in _said(site, verb="retry", which="failed")
    assert bench.storage.totals(1).states == {RunState.WAITING: 1}


@pytest.mark.parametrize("verb", ["stop", "delete"])
def test_what_ends_something_asks_for_the_name(site: TestClient, bench: Bench, verb: str) -> None:
    before = bench.storage.audit()
    assert "Type the study" in _said(site, 200, verb=verb)
    assert "That is not the study" in _said(site, 400, verb=verb, name="demo2")
    assert bench.storage.audit() == before
    done = _said(site, verb=verb, name="demo")
    assert f"Done: {verb}" in done
    assert ("Nobody trained it" in done) is (verb == "stop")
    assert bench.storage.audit()[-1].verb == verb


def test_stop_promises_an_end_only_where_somebody_trains(site: TestClient, bench: Bench) -> None:
    bench.plan('{"lr":0.1}')
    (claim,) = bench.claim(1)
    assert "Nobody trains this study now" in _said(site, 200, verb="stop")  # the lease ran out
    bench.storage.renew(bench.holder_id, [claim.run], lease_s=1e10)
    assert "All drivers of this study end" in _said(site, 200, verb="stop")
    assert "Workers save what they train" in _said(site, verb="stop", name="demo")


def test_the_files_of_a_deleted_study_go_too_and_its_audit_stays(
    site: TestClient, bench: Bench, removed: _Removed
) -> None:
    bench.storage.register_worker(
        study_id=1,
        holder_id=bench.holder_id,
        pid=1,
        environment={},
        startup_s=0.0,
        files="/somewhere",
    )
    _said(site, verb="delete", name="demo")
    assert removed == ["/somewhere"]
    assert site.get("/study/1/audit").status_code == 404
    assert '<td class="words">demo</td>' in site.get("/audit").text


def test_a_study_in_training_is_not_deleted(bench: Bench) -> None:
    bench.plan('{"lr":0.1}')
    bench.claim_one()
    actions = Actions(liveness=lambda _: Liveness.ALIVE, remove_files=lambda _: None)
    app = application(bench.url, Access(), actions=actions)
    with TestClient(app, base_url=HERE, follow_redirects=False) as site:
        assert "process 1 on here works on" in _said(site, 409, verb="delete", name="demo")


def test_forms_of_others_change_nothing(site: TestClient, bench: Bench) -> None:
    token, before = _token(site), bench.storage.audit()
    evil = {"origin": "http://evil.example"}
    for form, headers in (
        ({}, _OWN),
        ({"form_token": "x"}, _OWN),
        ({"form_token": token}, {}),
        ({"form_token": token}, evil),
        ({"form_token": token}, {"origin": "null", "sec-fetch-site": "cross-site"}),
        ({"form_token": token}, {**_OWN, "host": "evil.example"}),
    ):
        answer = site.post("/study/1/act", data={"verb": "pause", **form}, headers=headers)
        assert answer.status_code in (403, 421)
    unknown = {"form_token": token, "verb": "rename"}
    assert site.post("/study/1/act", data=unknown, headers=_OWN).status_code == 404
    assert (
        site.post("/study/9/act", data={**unknown, "verb": "stop"}, headers=_OWN).status_code == 404
    )
    assert site.get("/study/1/act").status_code == 405
    assert bench.storage.audit() == before


def test_what_is_no_short_form_is_not_taken_in(site: TestClient) -> None:
    for path in ("/study/1/act", "/login"):
        assert site.post(path, content=b"a=" + 20_000 * b"b", headers=_OWN).status_code == 413
        without_length = (part for part in (b"a=b",))
        assert site.post(path, content=without_length, headers=_OWN).status_code == 413
        assert site.post(path, headers={**_OWN, "content-length": "-1"}).status_code == 413


def test_who_has_not_shown_the_token_does_nothing(bench: Bench) -> None:
    access = Access(token="secret")
    actions = Actions(liveness=lambda _: Liveness.DEAD, remove_files=lambda _: None)
    with TestClient(application(bench.url, access, actions=actions), base_url=HERE) as site:
        form = {"verb": "pause", "form_token": access.form_token}
        assert site.post("/study/1/act", data=form, headers=_OWN).status_code == 401
    assert not bench.storage.orders(1).paused


def test_with_actions_off_there_are_no_forms_and_nothing_is_changed(
    bench: Bench, tmp_path: Path
) -> None:
    bench.storage.pause(1)
    before = bench.storage.audit()
    with client(tmp_path / "w.db") as site:
        page = site.get("/study/1/audit").text
        assert page.count(">Audit</h") == 1
        assert "<form" not in page
        assert "started without <code>--allow-actions" in page
        assert '<th scope="row" class="words">pause</th>' in page
        for verb in ("resume", "stop", "delete"):
            form = {"verb": verb, "name": "demo"}
            answer = site.post("/study/1/act", data=form, headers=_OWN)
            assert answer.status_code == 403
            assert "--allow-actions" in answer.text
    assert bench.storage.audit() == before
