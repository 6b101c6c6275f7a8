"""What runs show beside their metrics, as the dashboard shows it, on any database."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from reports.dashboard import Access, application
from storage.records import Claim, ExhibitRecord
from storage.schema.tables import studies
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import Bench, epoch
from tests.contract.test_dashboard import live_of
from tests.unit.reports.shown import CONTENTS, PNG, shown


def show(bench: Bench, claim: Claim, number: int, *kinds: str, split: str = "validation") -> None:
    """Report an epoch that shows something."""
    rows = [shown(kind, split=split) for kind in kinds]
    names = ("name", "kind", "title", "split", "content")
    exhibits = [
        ExhibitRecord(**{name: row[name] for name in names}, each_epoch=row["kind"] == "histogram")
        for row in rows
    ]
    bench.storage.record([replace(epoch(claim, number, 0.1, 0.1), exhibits=exhibits)])


class ShownByDashboards(Backend):
    @pytest.fixture
    def claim(self, bench: Bench) -> Claim:
        bench.plan('{"lr":0.1}')
        return bench.claim_one()

    @pytest.fixture
    def site(self, claim: Claim, url: str) -> Iterator[TestClient]:
        with TestClient(application(url, Access()), base_url="http://127.0.0.1:8050") as site:
            yield site

    def test_a_run_and_its_trial_show_it_as_it_comes(
        self, site: TestClient, bench: Bench, claim: Claim
    ) -> None:
        for path in (f"run/{claim.run}", "trial/0?search=ew"):
            page = site.get(f"/study/{bench.study.id}/{path}").text
            assert "A histogram" not in page
        live = live_of(page)
        show(bench, claim, 1, *CONTENTS)
        for found in (
            site.get(live).text,
            site.get(f"/study/{bench.study.id}/run/{claim.run}").text,
        ):
            assert all(f"<h3>A {kind}</h3>" in found for kind in CONTENTS)
            assert 'aria-label="A curve"' in found
            assert 'alt="tile 7 &lt;b&gt;"' in found

    def test_what_has_not_changed_is_not_sent_again(
        self, site: TestClient, bench: Bench, claim: Claim
    ) -> None:
        show(bench, claim, 1, *CONTENTS)
        live = live_of(site.get(f"/study/{bench.study.id}/run/{claim.run}").text)
        show(bench, claim, 2)
        assert "section-exhibits" not in site.get(live).text
        show(bench, claim, 3, "histogram")
        assert "section-exhibits" in site.get(live).text

    def test_a_picture_is_served_under_the_address_of_its_bytes(
        self, site: TestClient, bench: Bench, claim: Claim
    ) -> None:
        show(bench, claim, 1, "pictures")
        path = _picture(site.get(f"/study/{bench.study.id}/run/{claim.run}").text)
        answer = site.get(path)
        assert answer.content == base64.b64decode(PNG)
        assert answer.headers["content-type"] == "image/png"
        assert "immutable" in answer.headers["cache-control"]

    def test_a_table_can_be_had_as_csv(self, site: TestClient, bench: Bench, claim: Claim) -> None:
        show(bench, claim, 1, "table")
        page = site.get(f"/study/{bench.study.id}/run/{claim.run}").text
        (path,) = re.findall(r'href="([^"]*table.csv[^"]*)"', page)
        text = site.get(unescape(path)).text
        assert text.splitlines() == ["what,n", "AUROC,0.98765", "found,True", "x,"]

    @pytest.mark.parametrize(
        "query", ["", "?name=pictures", "?name=pictures&round=1&at=1", "?name=a%00&round=1&at=0",
                  "?name=pictures&round=2&at=0", "?name=pictures&round=one&at=0"]
    )  # fmt: skip
    def test_there_is_no_other_picture(
        self, site: TestClient, bench: Bench, claim: Claim, query: str
    ) -> None:
        show(bench, claim, 1, "pictures")
        path = f"/study/{bench.study.id}/run/{claim.run}/picture.png"
        assert site.get(path + query).status_code == 404
        assert site.get(f"{path}?name=pictures&round=1&at=0").status_code == 200

    def test_nothing_of_the_test_split_of_a_sealed_study_is_shown(
        self, site: TestClient, bench: Bench, claim: Claim
    ) -> None:
        show(bench, claim, 1, "pictures", split="test")
        page = f"/study/{bench.study.id}/run/{claim.run}"
        path = _picture(site.get(page).text)
        with bench.storage._database.write() as connection:
            connection.execute(sa.update(studies).values(sealed_at=datetime.now(UTC)))
        assert "A pictures" not in site.get(page).text
        assert site.get(path).status_code == 404
        bench.storage.unseal(bench.study.id)
        assert site.get(path).status_code == 200


def _picture(page: str) -> str:
    (path,) = re.findall(r'<img src="([^"]*picture.png[^"]*)"', page)
    return unescape(path)


class TestShownOnFile(ShownByDashboards, OnFile):
    """On a SQLite file."""


class TestShownOnPostgres(ShownByDashboards, OnPostgres):
    """On a PostgreSQL server."""
