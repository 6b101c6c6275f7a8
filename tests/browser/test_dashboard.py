"""The dashboard in a browser: while a study moves, without JavaScript, by keys, when it is away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from reports.dashboard import Access
from storage.states import Liveness
from tests.browser.watched import STUDY, Seen, serving
from tests.contract.storage_bench import Bench
from tests.integration.command import begun


@pytest.fixture
def seen(browser: Browser, site: str) -> Iterator[Seen]:
    found = Seen(browser, site, viewport={"width": 1280, "height": 900})
    yield found
    found.context.close()
    assert found.troubles == []
    assert found.elsewhere == []


def test_curves_are_drawn_and_tell_their_points_by_keys(seen: Seen) -> None:
    seen.page.goto("/study/1?axis=epochs")
    chart = seen.page.locator("[data-chart]")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas")).to_be_visible()
    chart.focus()
    chart.press("ArrowRight")
    expect(seen.page.locator(".spoken")).to_contain_text("EW")
    rows = chart.locator(".u-legend tr").evaluate_all(
        "all => all.map(one => getComputedStyle(one).opacity)"
    )
    assert {*rows} == {"1"}  # a value is read, though its curve fades
    seen.page.goto("/study/1/workers")
    seen.page.locator("canvas").first.wait_for()
    seen.page.locator("[data-chart]").first.press("ArrowRight")
    expect(seen.page.locator(".spoken").first).to_contain_text(
        re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
    )


def test_the_budget_slider_moves_the_table_and_the_address(seen: Seen) -> None:
    seen.page.goto("/study/1?axis=epochs")
    seen.page.locator("[data-chart]").scroll_into_view_if_needed()
    table = seen.page.locator("#at-budget caption")
    expect(table).to_contain_text("18 epochs")
    expect(seen.page.locator("canvas")).to_be_visible()
    expect(seen.page.locator("output")).to_have_text("18 epochs")
    seen.page.locator("[data-budget]").fill("0")
    expect(seen.page.locator("output")).to_have_text("6 epochs")
    expect(seen.page.locator("[data-budget]")).to_have_attribute("aria-valuetext", "6 epochs")
    expect(table).to_contain_text("6 epochs")
    seen.page.reload()
    expect(table).to_contain_text("6 epochs")


def test_a_filter_is_an_address_and_back_works(seen: Seen) -> None:
    seen.page.goto("/study/1/trials")
    expect(seen.page.locator("caption")).to_contain_text("5 of 11 trials")
    seen.page.get_by_label("Search").select_option("uw-so")
    seen.page.get_by_role("button", name="Show").click()
    expect(seen.page.locator("caption")).to_contain_text("3 of 11 trials")
    seen.page.get_by_role("link", name="Device time").click()
    assert "search=uw-so" in seen.page.url
    assert "sort=cost" in seen.page.url
    seen.page.go_back()
    seen.page.go_back()
    expect(seen.page.locator("caption")).to_contain_text("5 of 11 trials")
    expect(seen.page.get_by_label("Search")).to_have_value("")


def test_dots_say_what_they_are_by_pointer_and_by_keys_and_lead_to_their_trials(seen: Seen) -> None:
    page = seen.page
    page.goto("/study/1/views/temperature")
    dots, told = page.locator(".still.wide a"), page.locator(".told")
    dots.first.hover()
    expect(told).to_contain_text("UW-SO")
    dots.first.focus()
    first = told.text_content()
    page.keyboard.press("ArrowRight")
    expect(told).not_to_have_text(first or "")
    expect(told).to_contain_text("temperature")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("UW-SO, trial")
    page.go_back()
    page.get_by_label("Method").select_option("uw-so")
    expect(page).to_have_url(re.compile("search=uw-so"))


def test_all_is_reached_without_javascript(browser: Browser, site: str) -> None:
    found = Seen(browser, site, java_script_enabled=False)
    page = found.page
    page.goto("/")
    page.get_by_role("link", name=STUDY).click()
    page.get_by_role("navigation").get_by_role("link", name="Trials").click()
    page.locator("select[name=state]").select_option("done")
    page.get_by_role("button", name="Show").click()
    page.locator("tbody a").first.click()
    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_contain_text("seed")
    page.goto("/study/1?axis=epochs&budget=0")
    expect(page.locator(".chart")).to_be_hidden()
    expect(page.locator("output")).to_have_text("6 epochs")
    page.get_by_role("link", name="All methods at this budget").click()
    expect(page.locator("caption")).to_contain_text("6 epochs")
    found.context.close()


def test_what_happens_appears_and_what_one_does_stays(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}', '{"lr":0.2}')
    found = Seen(browser, serving(tmp_path / "w.db"))
    page = found.page
    page.goto("/study/1/trials")
    expect(page.locator("tbody .state")).to_have_text(["waiting", "waiting"])
    page.locator("summary", has_text="Ranges of parameters").click()
    page.get_by_label("learning rate from").fill("0.15")
    link = page.locator("#trial-1 a")
    link.focus()
    bench.train(bench.claim_one(), (0.1, 0.1))
    bench.plan('{"lr":0.3,"depth":2}')
    expect(page.locator("tbody .state.done")).to_have_count(1)
    expect(page.get_by_label("depth from")).to_be_visible()  # what was opened is open
    expect(page.get_by_label("learning rate from")).to_have_value("0.15")
    expect(link).to_be_focused()
    page.get_by_role("button", name="Show").nth(1).click()
    expect(page.locator("tbody a")).to_have_text(["ew 1", "ew 2"])
    found.context.close()
    assert found.troubles == []


def test_an_open_page_of_a_study_that_is_deleted_says_so(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    found = Seen(browser, serving(tmp_path / "w.db"))
    found.page.goto("/study/1/trials")
    bench.storage.delete_study(bench.study.id, liveness=lambda _: Liveness.DEAD)
    expect(found.page.locator("main")).to_contain_text("It may have been deleted")
    found.context.close()


def test_open_pages_go_on_when_the_server_begins_anew(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    serve_it = ("dashboard", "--storage", bench.url, "--port")
    with begun(tmp_path, *serve_it, "0") as server:
        assert server.stdout is not None
        site = server.stdout.readline().split()[0]
        found = Seen(browser, site)
        found.page.goto("/study/1/trials")
        told = found.page.locator("#liveness")
        expect(told).to_have_text("Live")
    expect(told).to_contain_text("Not reachable")
    bench.plan('{"lr":0.1}', '{"lr":0.2}')
    with begun(tmp_path, *serve_it, site.rpartition(":")[2]):
        expect(told).to_have_text("Live")
        expect(found.page.locator("tbody tr")).to_have_count(2)
        found.context.close()
    bench.storage.close()


def test_a_token_is_asked_for_once(browser: Browser, folder: Path) -> None:
    found = Seen(browser, serving(folder / "weighbridge.db", Access(token="secret")))
    page = found.page
    page.goto("/study/1")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not the token")
    page.get_by_label("Token").fill("secret")
    page.get_by_label("Token").press("Enter")
    expect(page.get_by_role("link", name=STUDY)).to_be_visible()
    assert "secret" not in page.url
    page.goto("/study/1/trials")
    found.context.clear_cookies()  # as if the dashboard had begun anew
    expect(page.get_by_label("Token")).to_be_visible()
    found.context.close()
