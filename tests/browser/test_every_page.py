"""What holds of every page there is: a new route is entered in `tests.browser.watched`."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from starlette.routing import Route

from reports.dashboard import Access, application
from tests.browser.watched import ADDRESSES, PATHS, Seen, serving

NO_PAGES: Final = {"/metrics", "/healthz", "/static/{name}", "/study/{study:id}/act"}
"""What browsers show nobody; data ends in ``.json`` or ``.csv``."""


def test_no_page_is_forgotten(folder: Path) -> None:
    app = application(f"sqlite:///{folder / 'weighbridge.db'}", Access())
    routes = {route.path for route in app.routes if isinstance(route, Route)}
    pages = {path for path in routes - NO_PAGES if not path.endswith((".json", ".csv"))}
    assert pages == {*ADDRESSES}


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_pages_fit_and_break_no_policy(
    browser: Browser, site: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    found = Seen(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme)
    wide = []
    for path in PATHS:
        answer = found.page.goto(path)
        assert answer is not None
        assert answer.ok, path
        expect(found.page.locator("h1")).to_be_visible()
        if not found.page.locator("html").evaluate("page => page.scrollWidth <= innerWidth"):
            wide.append(path)
    found.context.close()
    assert wide == []
    assert found.troubles == []
    assert found.elsewhere == []


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(browser: Browser, site: str, path: str) -> None:
    """With the policy off, which would not let the checker in."""
    found = Seen(browser, site, bypass_csp=True)
    found.page.goto(path)
    if found.page.locator("#live").count():
        expect(found.page.locator("#liveness")).to_have_text("Live")
    _check(found.page)
    found.page.emulate_media(color_scheme="dark")
    _check(found.page, runOnly=["color-contrast"])
    found.context.close()


def test_axe_finds_nothing_where_one_may_act(browser: Browser, folder: Path) -> None:
    site = serving(folder / "weighbridge.db", Access(token="secret"), may_act=True)
    found = Seen(browser, site, bypass_csp=True)
    found.page.goto("/study/1/audit")
    found.page.get_by_label("Token").fill("secret")
    found.page.get_by_label("Token").press("Enter")
    expect(found.page.locator("main form").first).to_be_visible()
    _check(found.page)
    found.page.goto("/study/99")
    expect(found.page.locator("h1")).to_have_text("Not found")
    _check(found.page)
    found.context.close()


def test_without_javascript_every_link_leads_somewhere_and_every_form_has_a_button(
    browser: Browser, site: str
) -> None:
    found = Seen(browser, site, java_script_enabled=False)
    links: set[str] = set()
    for path in PATHS:
        found.page.goto(path)
        expect(found.page.locator("h1")).to_be_visible()
        for form in found.page.locator("form").all():
            expect(form.locator("button").first).to_be_attached()
        hrefs = [one.get_attribute("href") for one in found.page.locator("a[href]").all()]
        links |= {href for href in hrefs if href and href.startswith("/")}
    kinds = {link.partition("?")[0].rstrip("0123456789"): link for link in sorted(links)}
    bad = [link for link in kinds.values() if not found.page.request.get(link).ok]
    found.context.close()
    assert bad == []


def _check(page: Page, **options: object) -> None:
    result = Axe().run(page, options=options)
    assert result.violations_count == 0, result.generate_report()
