"""The report as a browser shows it: drawn, themed, inside the page, without a network."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports import html
from tests.unit.reports import synthetic
from tests.wanting import skip_for_want_of

_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
_DRAWN = "[...document.querySelectorAll('.plot')].every(plot => plot.dataset.drawn)"
_OVERLAPS = """() => {
  const parts = "svg.main-svg:first-child, figcaption, h2, h3, .scroll, .choices";
  const seen = [...document.querySelectorAll(parts)].filter(part => part.checkVisibility());
  const boxes = seen.map(part => part.getBoundingClientRect());
  const over = (a, b) => a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.filter((a, i) => boxes.slice(i + 1).some(b => over(a, b))).length;
}"""
# Texts of a drawing that stick out of it; those of switched-off parts have no size.
_CUT = """() => [...document.querySelectorAll(".plot")].flatMap(plot => {
  const box = plot.getBoundingClientRect();
  return [...plot.querySelectorAll("svg.main-svg text")].filter(text => {
    const own = text.getBoundingClientRect();
    return own.width && (own.left < box.left - 2 || own.right > box.right + 2);
  }).map(text => text.textContent);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if _CHROMIUM is None:
        skip_for_want_of("Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    html.write(synthetic.frames(fused=True), path)  # has more to show than one without packs
    return path


def shown(browser: Browser, report: Path, *, width: int, scheme: str = "light") -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_function(_DRAWN)
    return page


def test_nothing_fails_and_nothing_is_fetched(browser: Browser, report: Path) -> None:
    page = browser.new_context().new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    fetched: list[str] = []
    page.on("request", lambda sent: fetched.append(sent.url))
    page.goto(report.as_uri())
    page.wait_for_function(_DRAWN)
    assert troubles == []
    assert [url for url in fetched if not url.startswith(("data:", "blob:"))] == [report.as_uri()]


@pytest.fixture(scope="module", params=[390, 1280], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Page:
    """The report as it first appears; for tests that only look."""
    return shown(browser, report, width=request.param)


def test_the_page_does_not_scroll_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_parts_do_not_overlap(page: Page) -> None:
    assert page.evaluate(_OVERLAPS) == 0


def test_no_text_of_a_figure_is_cut(page: Page) -> None:
    assert page.evaluate(_CUT) == []


def test_wide_tables_scroll_in_their_own_box(page: Page) -> None:
    boxes = page.locator(".scroll")
    hidden = boxes.evaluate_all(
        "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth"
        " && getComputedStyle(box).overflowX !== 'auto').length"
    )
    assert hidden == 0
    assert boxes.count() >= 5  # of the budgets there are as many as searches differ in cost


def test_figures_follow_the_colour_scheme(browser: Browser, report: Path) -> None:
    page = shown(browser, report, width=1280, scheme="light")
    colour = "document.getElementById('plot-cost').layout.font.color"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} !== '{light}'")
    assert page.evaluate(colour) == "#e6eaee"


def test_print_is_light_even_on_a_dark_screen(browser: Browser, report: Path) -> None:
    page = shown(browser, report, width=1280, scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_figures_fit_the_paper(browser: Browser, report: Path) -> None:
    page = shown(browser, report, width=1280, scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    layout = "document.getElementById('plot-cost')._fullLayout"
    page.wait_for_function(f"{layout}.width === 660")
    assert page.evaluate(f"{layout}.font.color") == "#000000"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(f"{layout}.width > 1000")


@pytest.mark.parametrize(
    ["button", "title"],
    [
        ("Device time, as run", "Device-seconds, as run"),
        ("Epochs", "Epochs trained"),
    ],
)
def test_a_button_changes_the_cost_axis(
    browser: Browser, report: Path, button: str, title: str
) -> None:
    page = shown(browser, report, width=1280)
    page.get_by_role("button", name=button).click()
    page.wait_for_function(
        f"document.getElementById('plot-cost').layout.xaxis.title.text === '{title}'"
    )
    pressed = page.locator("button[aria-pressed=true]").all_inner_texts()
    assert pressed == [button, "Log scale"]
