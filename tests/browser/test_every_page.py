"""What holds of every page there is: a new route is entered in `tests.browser.watched`."""

from __future__ import annotations

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
from tests.browser.watched import ADDRESSES, PATHS, Seen, serving

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
