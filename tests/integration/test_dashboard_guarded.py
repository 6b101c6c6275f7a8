"""The dashboard among strangers: who is answered, hostile words, and what goes away."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from reports import ReportError
from reports.dashboard import Access, application, serve
from reports.dashboard.rendering.templating import trial_path
from storage import Reader
from tests.contract.storage_bench import Bench, end, epoch
from tests.contract.test_dashboard import live_of
from tests.integration.dashboards import HERE, PATHS, TRIAL, client

_HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("guarded") / "w.db"
    bench = Bench(f"sqlite:///{path}")
    bench.plan('{"lr":0.1}')
    bench.storage.close()
    return path


@pytest.fixture(scope="module")
def site(database: Path) -> Iterator[TestClient]:
    with client(database) as opened:
        yield opened


def test_every_answer_carries_the_policy(site: TestClient) -> None:
    for path in ("/", "/study/1", "/nix", "/login", "/healthz", "/static/nix"):
        headers = site.get(path).headers
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_another_sites_name_is_refused(database: Path) -> None:
    with client(database, url="http://evil.example") as site:
        assert site.get("/").status_code == 421


def test_nothing_is_changed_by_posting(site: TestClient) -> None:
    assert site.post("/study/1").status_code == 405


class TestWithAToken:
    @pytest.fixture
    def site(self, database: Path) -> Iterator[TestClient]:
        with client(database, Access(token="secret"), "http://10.0.0.1:8050") as opened:
            yield opened

    def form(self, site: TestClient) -> str:
        found = re.search(r'name="form_token" value="([^"]*)"', site.get("/login").text)
        assert found
        return found[1]

    def test_pages_ask_for_it_and_data_is_refused(self, site: TestClient) -> None:
        answer = site.get("/study/1?axis=epochs", headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/login?next=%2Fstudy%2F1%3Faxis%3Depochs",
        )
        assert site.get("/study/1/trials.csv").status_code == 401
        by_script = {"accept": "text/html", "hx-request": "true"}
        assert site.get("/study/1", headers=by_script).status_code == 401

    def test_it_lets_a_browser_in(self, site: TestClient) -> None:
        origin = {"origin": "http://10.0.0.1:8050"}
        form = {"form_token": self.form(site)}
        assert site.post("/login", data=form | {"token": "x"}, headers=origin).status_code == 401
        right = form | {"token": "secret", "next": "/study/1?axis=epochs"}
        answer = site.post("/login", data=right, headers=origin)
        assert (answer.status_code, answer.headers["location"]) == (303, "/study/1?axis=epochs")
        assert "httponly; path=/; samesite=strict" in answer.headers["set-cookie"].lower()
        assert site.get("/study/1").status_code == 200

    def test_a_form_of_another_site_is_refused(self, site: TestClient) -> None:
        right = {"form_token": self.form(site), "token": "secret"}
        for headers in ({}, {"origin": "http://evil.example"}):
            assert site.post("/login", data=right, headers=headers).status_code == 403
        origin = {"origin": "http://10.0.0.1:8050"}
        assert site.post("/login", data={"token": "secret"}, headers=origin).status_code == 403


class TestHostileWords:
    """Names, parameters and failures that are markup are text."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
        bench.study = bench.save(f"../../etc {_HOSTILE}", searches=[(_HOSTILE, "search", _HOSTILE)])
        bench.worker_id = bench.add_worker()
        bench.plan(json.dumps({_HOSTILE: f"javascript:{_HOSTILE}"}), search=_HOSTILE)
        claim = bench.claim_one()
        bench.storage.record([epoch(claim, 1, 0.1, 0.1), end(claim, reason=_HOSTILE)])
        return bench

    def test_they_are_shown_and_do_nothing(self, bench: Bench, tmp_path: Path) -> None:
        with client(tmp_path / "w.db") as site:
            pages = [site.get(f"/study/2{path}") for path in PATHS if path != TRIAL]
            pages += [site.get(trial_path(2, _HOSTILE, 0))]
            pages += [site.get("/"), site.get("/", params={"name": _HOSTILE})]
            pages += [site.get("/study/2/trials", params={"where": _HOSTILE, "sort": _HOSTILE})]
        for page in pages:
            assert page.status_code == 200, page.text
            assert "<script>alert" not in page.text
            assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    "strange",
    [
        ("no json", '{"lr":1e999}', '{"lr":"\\ud800"}', '{"task_weights":[1,2,3]}'),
        (
            *("[1]", f'{{"lr":{"9" * 400}}}', '{"lr":{"a":[1]},"":null}'),
            '{"task_weights":["a",null]}',
        ),
    ],
    ids=["some", "others"],
)
def test_trials_of_strange_parameters_fail_no_page(
    tmp_path: Path, strange: tuple[str, ...]
) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    metrics = [{"name": "error", "direction": "min"}]
    bench.study = bench.storage.save_study(
        name="strange",
        spec={"seeds": [0], "objective": "a.error"},
        card={"tasks": [{"name": task, "metrics": metrics} for task in "abc"]},
        fingerprint="f",
        searches=[("ew", "search", "ew")],
    )
    bench.worker_id = bench.add_worker()
    usual = ('{"lr":0.1}', '{"lr":0.2,"task_weights":[0.5,0.5,0]}')
    bench.plan(*usual, *strange)
    for claim in bench.claim(len(usual) + len(strange)):
        bench.train(claim, (0.1, 0.1))
    bench.storage.close()
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection, connection:
        connection.execute(
            "INSERT INTO scores (run_id, baseline_hash, epoch_selected, value_val, value_test) "
            "SELECT id, '', 1, id, id FROM runs"
        )
    with client(tmp_path / "w.db") as site:
        trials = range(len(usual), len(usual) + len(strange))
        own = [path for n in trials for path in (f"/trial/{n}?search=ew", f"/run/{n + 1}")]
        for path in (*PATHS, *own, "/trials?where=lr>0&sort=p.lr"):
            assert site.get(f"/study/2{path}").status_code == 200, path


def test_a_page_that_fails_is_told_under_the_policy(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reader, "glance", lambda *_: 1 / 0)
    app = application(f"sqlite:///{database}", Access())
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as site:
        answer = site.get("/study/1")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_database_that_goes_away_is_told_and_comes_back(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    bench.storage.close()
    with client(tmp_path / "w.db") as site:
        live = live_of(site.get("/study/1/trials").text)
        (tmp_path / "w.db").rename(tmp_path / "away")
        answer = site.get(live)
        assert answer.status_code == 503
        assert "cannot be read" in answer.text
        (tmp_path / "away").rename(tmp_path / "w.db")
        assert site.get(live).status_code in (200, 204)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"host": "é..x"}, "must be able to listen at é..x"),
        ({"host": " "}, "--host must be an address"),
        ({"certificate": Path(__file__), "key": Path(__file__)}, "must be PEM files"),
    ],
)
def test_what_cannot_be_served_is_refused_before_an_address_is_told(
    database: Path, changed: dict[str, Any], rule: str
) -> None:
    asked = {"host": "127.0.0.1", "port": 0, "access": Access(), "ready": pytest.fail, **changed}
    with pytest.raises(ReportError, match=rule):
        serve(f"sqlite:///{database}", **asked)


def test_no_thread_is_left_when_it_ends(database: Path) -> None:
    """In a process of its own: dashboards of other tests begin and end threads meanwhile."""
    program = (
        "import threading\n"
        "from starlette.testclient import TestClient\n"
        "from reports.dashboard import Access, application\n"
        f"url, here = 'sqlite:///{database}', {HERE!r}\n"
        "site = application(url, Access(), at_end=lambda: print('ended'))\n"
        "with TestClient(site, base_url=here) as site:\n"
        "    assert site.get('/study/1').status_code == 200\n"
        "others = {*threading.enumerate()} - {threading.main_thread()}\n"
        "for thread in others: thread.join(30)\n"  # one that is there for a minute is found
        "print(*(thread for thread in others if thread.is_alive()))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=240
    )
    assert said.stdout.split() == ["ended"]
