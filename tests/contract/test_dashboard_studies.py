"""The list of very many studies is paged, searched and sorted, on any database."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from reports.dashboard import Access, application
from storage.states import Liveness
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import Bench

N_STUDIES = 60  # more than a page


def names_of(page: str) -> list[str]:
    return re.findall(r'<th scope="row" class="words"><a href="/study/\d+">([^<]*)</a>', page)


def next_of(page: str, *ticked: int) -> str | None:
    """What a browser asks for by the button of the next page: the fields of its form, and it."""
    (form,) = re.findall(r'<form method="get" action="/compare".*?</form>', page, re.DOTALL)
    button = re.search(r'<button formaction="/" name="after" value="(\d+)">Next page', form)
    if button is None:
        return None
    inputs = re.findall(r'<input type="(\w+)" name="(\w+)" value="([^"]*)"([^>]*)>', form)
    sent = [
        (name, html.unescape(value))
        for kind, name, value, more in inputs
        if kind == "hidden" or "checked" in more or int(value) in ticked
    ]
    return "?" + urlencode([*sent, ("after", button[1])])


def walked(site: TestClient, path: str) -> list[str]:
    """Names on all pages, in their order."""
    names, at = list[str](), path
    while True:
        page = site.get(at).text
        names += names_of(page)
        following = next_of(page)
        if following is None:
            return names
        at = f"/{following}"


class ManyStudies(Backend):
    @pytest.fixture
    def site(self, bench: Bench, url: str) -> Iterator[TestClient]:
        for number in range(N_STUDIES):
            bench.save(f"{'odd' if number % 2 else 'even'}-{number:02}", searches=())
        bench.plan("a", "b")
        bench.train(bench.claim_one(), (0.1, 0.1))
        with TestClient(application(url, Access()), base_url="http://127.0.0.1:8050") as site:
            yield site

    def test_pages_hold_every_study_once_in_order(self, site: TestClient) -> None:
        latest_first = walked(site, "/")
        assert len(latest_first) == N_STUDIES + 1
        assert (latest_first[0], latest_first[-1]) == (f"odd-{N_STUDIES - 1}", "demo")
        assert walked(site, "/?sort=name") == sorted(latest_first)
        assert walked(site, "/?sort=name&down=1") == sorted(latest_first, reverse=True)
        odd = walked(site, "/?name=ODD")
        assert odd == [name for name in latest_first if name.startswith("odd")]
        assert "50 of 61 studies in" in site.get("/").text
        assert "30 of 30 studies that match, 61 in all, in" in site.get("/?name=odd").text

    def test_what_is_summed_up_sorts_all_pages(self, site: TestClient) -> None:
        while "still being summed up" in site.get("/?sort=cost&down=1").text:
            pass
        every = sorted(walked(site, "/"))
        for sort in ("cost", "finished", "last", "state"):
            names = walked(site, f"/?sort={sort}&down=1")
            assert sorted(names) == every, sort
            if sort != "state":  # of the other one nothing is begun
                assert names[0] == "demo", sort

    def test_ticks_go_along_to_other_pages(self, site: TestClient) -> None:
        second = site.get(f"/{next_of(site.get('/').text, 61)}").text
        assert re.search(r'name="study" value="61" checked> odd-59</label>', second)
        found = site.get("/?study=61&study=2&name=even").text
        assert 'value="2" checked aria-label="Compare even-00"' in found
        assert re.search(r'name="study" value="61" checked> odd-59</label>', found)
        assert site.get(f"/?study=x&study={'9' * 30}&study=999").status_code == 200

    def test_a_page_behind_a_study_that_is_gone_is_the_first(
        self, site: TestClient, bench: Bench
    ) -> None:
        following = next_of(site.get("/").text)
        last = int(re.search(r"after=(\d+)", following or "")[1])  # type: ignore[index]
        bench.storage.delete_study(last, liveness=lambda _: Liveness.DEAD)
        assert names_of(site.get(f"/{following}").text)[0] == f"odd-{N_STUDIES - 1}"


class TestOnFile(ManyStudies, OnFile):
    pass


class TestOnPostgres(ManyStudies, OnPostgres):
    pass
