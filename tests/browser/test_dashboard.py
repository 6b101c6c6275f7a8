"""The dashboard of finished studies in a browser: every page, and what one does with them.

A new route is entered in `tests.browser.watched`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from starlette.routing import Route

from reports.dashboard import Access, application
from tests.browser.watched import ADDRESSES, PATHS, STUDY, Seen, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desk(browser: Browser, site: str) -> Iterator[Seen]:
    """A page for one test after the other; each goes to an address first."""
    found = Seen(browser, site, viewport={"width": 1280, "height": 900})
    yield found
    found.context.close()


@pytest.fixture
def seen(desk: Seen) -> Iterator[Seen]:
    yield desk
    troubles, elsewhere = desk.troubles[:], desk.elsewhere[:]
    desk.troubles.clear()
    desk.elsewhere.clear()
    assert troubles == []
    assert elsewhere == []


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


NO_PAGES: Final = {"/metrics", "/healthz", "/static/{name}", "/study/{study:id}/act"}
"""What browsers show nobody; data ends in ``.json``, ``.csv`` or ``.png``."""


def test_no_page_is_forgotten(folder: Path) -> None:
    app = application(f"sqlite:///{folder / 'weighbridge.db'}", Access())
    routes = {route.path for route in app.routes if isinstance(route, Route)}
    pages = {path for path in routes - NO_PAGES if not path.endswith((".json", ".csv", ".png"))}
    assert pages == {*ADDRESSES}


def test_pages_fit_a_phone_and_break_no_policy(browser: Browser, site: str) -> None:
    found = Seen(browser, site, viewport={"width": 390, "height": 900}, color_scheme="dark")
    wide = []
    for path in PATHS:
        answer = found.page.goto(path)
        assert answer is not None
        assert answer.ok, path
        expect(found.page.locator("h1")).to_be_visible()
        if not _fits(found.page):
            wide.append(path)
    found.context.close()
    assert wide == []
    assert found.troubles == []
    assert found.elsewhere == []


@pytest.fixture(scope="module")
def checked(browser: Browser, site: str) -> Iterator[Seen]:
    """A desk's page with a checker in it, and with the policy off, which would not let it in."""
    found = _with_checker(browser, site)
    yield found
    found.context.close()


@pytest.mark.parametrize("path", PATHS)
def test_pages_fit_a_desk_and_axe_finds_nothing(checked: Seen, path: str) -> None:
    page = checked.page
    page.emulate_media(color_scheme="light")
    page.goto(path)
    if page.locator("#live").count():
        page.evaluate(_LOOK)
        expect(page.locator("#liveness")).to_have_text("Live")
    assert _fits(page)
    _check(page)
    page.emulate_media(color_scheme="dark")
    _check(page, runOnly=["color-contrast"])


def test_axe_finds_nothing_where_one_may_act(browser: Browser, folder: Path) -> None:
    site = serving(folder / "weighbridge.db", Access(token="secret"), may_act=True)
    found = _with_checker(browser, site)
    found.page.goto("/study/1/audit")
    found.page.get_by_label("Token").fill("secret")
    found.page.get_by_label("Token").press("Enter")
    expect(found.page.locator("main form").first).to_be_visible()
    _check(found.page)
    found.page.goto("/study/99")
    expect(found.page.locator("h1")).to_have_text("Not found")
    _check(found.page)
    found.context.close()


class Plain(HTMLParser):
    """What a page offers where no script runs: its links, and what it lacks."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: set[str] = set()
        self.n_headings = self.n_dead_forms = 0
        self._has_button = True
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.hrefs.add(dict(attrs).get("href") or "")
        self.n_headings += tag == "h1"
        self._has_button = tag != "form" and (tag == "button" or self._has_button)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.n_dead_forms += not self._has_button


def test_without_javascript_every_link_leads_somewhere_and_every_form_has_a_button(
    site: str,
) -> None:
    links: set[str] = set()
    for path in PATHS:
        page = Plain(_text(f"{site}{path}"))
        assert (page.n_headings, page.n_dead_forms) == (1, 0), path
        links |= {href for href in page.hrefs if href.startswith("/")}
    kinds = {link.partition("?")[0].rstrip("0123456789"): link for link in sorted(links)}
    assert len(kinds) > 20
    for link in kinds.values():
        assert _text(f"{site}{link}"), link


def _text(address: str) -> str:
    with urlopen(address) as answer:
        return str(answer.read().decode())


_LOOK: Final = "document.dispatchEvent(new Event('visibilitychange'))"
"""As if one came back to a page, which looks for news then."""


def _fits(page: Page) -> bool:
    return bool(page.locator("html").evaluate("page => page.scrollWidth <= innerWidth"))


def _with_checker(browser: Browser, site: str) -> Seen:
    found = Seen(browser, site, bypass_csp=True)
    found.context.add_init_script(script=Axe().axe_script)
    return found


def _check(page: Page, **options: object) -> None:
    run = "options => axe.run({...options, resultTypes: ['violations']})"
    result = AxeResults(page.evaluate(run, options))
    assert result.violations_count == 0, result.generate_report()
