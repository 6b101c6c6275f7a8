"""The report as a browser shows it: drawn, themed, inside the page, without a network."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from reports import html
from tests.unit.reports import synthetic

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
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    html.write(synthetic.frames(fused=True), path)  # has more to show than one without packs
    return path


def shown(page: Page, report: Path) -> Page:
    page.goto(report.as_uri())
    page.wait_for_function(_DRAWN)
    return page


def of_width(browser: Browser, width: int) -> Page:
    return browser.new_context(viewport={"width": width, "height": 900}).new_page()


@pytest.fixture(scope="module", params=[390, 1280], ids=["phone", "desk"])
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Page:
    """The report as it first appears; for tests that only look."""
    return shown(of_width(browser, request.param), report)


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


class Played:
    """The report on a desk, for tests that do something: each begins by saying how it is seen.

    Attributes:
        troubles: What has failed since it was opened.
        fetched: What it has asked for.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.troubles: list[str] = []
        self.fetched: list[str] = []
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", self._hear)
        page.on("request", lambda sent: self.fetched.append(sent.url))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.troubles.append(said.text)

    def seen(self, scheme: Literal["dark", "light"], media: Literal["print", "screen"]) -> Page:
        self.page.emulate_media(media=media, color_scheme=scheme)
        return self.page


@pytest.fixture(scope="module")
def played(browser: Browser, report: Path) -> Played:
    found = Played(of_width(browser, 1280))
    shown(found.page, report)
    return found


def test_a_figures_bar_is_clear_and_sends_nothing_away(played: Played) -> None:
    page = played.seen("light", "screen")
    titles = page.locator("#plot-cost .modebar-btn").evaluate_all(
        "buttons => buttons.map(button => button.dataset.title)"
    )
    assert titles == ["Download plot as a PNG", "Zoom", "Pan", "Reset axes"]
    background = (
        "getComputedStyle(document.querySelector('#plot-cost .modebar-group')).backgroundColor"
    )
    assert page.evaluate(background) == "rgba(0, 0, 0, 0)"


def test_figures_follow_the_colour_scheme(played: Played) -> None:
    colour = "document.getElementById('plot-cost').layout.font.color"
    played.seen("dark", "screen").wait_for_function(f"{colour} === '#e6eaee'")
    played.seen("light", "screen").wait_for_function(f"{colour} !== '#e6eaee'")


def test_print_is_light_even_on_a_dark_screen(played: Played) -> None:
    page = played.seen("dark", "print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_figures_fit_the_paper(played: Played) -> None:
    page = played.seen("dark", "screen")
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
def test_a_button_changes_the_cost_axis(played: Played, button: str, title: str) -> None:
    page = played.seen("light", "screen")
    page.get_by_role("button", name=button).click()
    page.wait_for_function(
        f"document.getElementById('plot-cost').layout.xaxis.title.text === '{title}'"
    )
    pressed = page.locator("button[aria-pressed=true]").all_inner_texts()
    assert pressed == [button, "Log scale"]


def test_nothing_fails_and_nothing_is_fetched(played: Played, report: Path) -> None:
    assert played.troubles == []
    sent = [url for url in played.fetched if not url.startswith(("data:", "blob:"))]
    assert sent == [report.as_uri()]
