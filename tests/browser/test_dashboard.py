"""The dashboard in a browser: while a study moves, without JavaScript, by keys, when it is away."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from reports.dashboard import Access, serve
from storage.states import Liveness
from tests import toy
from tests.contract.storage_bench import Bench
from tests.integration.command import command

STUDY = "watched"
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 3
batch_size = 4
[[search]]
weighting = "ew"
stages = [{{ lr = [0.01, 0.1] }}]
[[search]]
weighting = "uw-so"
stages = [{{ lr = [0.1] }}, {{ temperature = {{ line = [1, 9] }} }}]
"""
PATHS = (
    "/",
    "/study/1",
    "/study/1/trials",
    "/study/1/trial/6",
    "/study/1/run/13",
    "/study/1/workers",
    "/study/1/pictures",
    "/study/1/claims",
)


def serving(database: Path, access: Access | None = None) -> str:
    """The address of a dashboard that this process serves until it ends."""
    ready = threading.Event()
    ports: list[int] = []

    def begin(port: int) -> None:
        ports.append(port)
        ready.set()

    threading.Thread(
        target=serve,
        args=(f"sqlite:///{database}",),
        kwargs={"host": "127.0.0.1", "port": 0, "access": access or Access(), "ready": begin},
        daemon=True,
    ).start()
    assert ready.wait(30)
    return f"http://127.0.0.1:{ports[0]}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "study.toml").write_text(SPEC)
    shutil.copy(toy.__file__, folder / "toy.py")
    assert command(folder, "run", "study.toml", "--workers", "2").code == 0
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> str:
    return serving(folder / "weighbridge.db")


class Seen:
    """A page that takes down what goes wrong in it."""

    def __init__(self, browser: Browser, site: str, **context: Any) -> None:
        self.context = browser.new_context(base_url=site, **context)
        self.page: Page = self.context.new_page()
        self.troubles: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on(
            "console", lambda m: self.troubles.append(m.text) if m.type == "error" else None
        )
        self.page.on(
            "request",
            lambda sent: None if sent.url.startswith(site) else self.elsewhere.append(sent.url),
        )


@pytest.fixture
def seen(browser: Browser, site: str) -> Iterator[Seen]:
    found = Seen(browser, site, viewport={"width": 1280, "height": 900})
    yield found
    found.context.close()
    assert found.troubles == []
    assert found.elsewhere == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_and_break_no_policy(
    browser: Browser, site: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    found = Seen(browser, site, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in PATHS:
        found.page.goto(path)
        expect(found.page.locator("h1")).to_be_visible()
        assert found.page.locator("html").evaluate("page => page.scrollWidth <= innerWidth")
    found.context.close()
    assert found.troubles == []
    assert found.elsewhere == []


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(browser: Browser, site: str, path: str) -> None:
    """With the policy off, which would not let the checker in."""
    found = Seen(browser, site, bypass_csp=True)
    found.page.goto(path)
    expect(found.page.locator("#liveness")).to_have_text("Live")
    result = Axe().run(found.page)
    found.context.close()
    assert result.violations_count == 0, result.generate_report()


def test_curves_are_drawn_and_tell_their_points_by_keys(seen: Seen) -> None:
    seen.page.goto("/study/1")
    expect(seen.page.locator(".headline")).to_be_visible()
    seen.page.goto("/study/1?axis=epochs")
    chart = seen.page.locator("[data-chart]")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas")).to_be_visible()
    chart.focus()
    chart.press("ArrowRight")
    expect(seen.page.locator(".spoken")).to_contain_text("EW")


def test_the_budget_slider_moves_the_table_and_the_address(seen: Seen) -> None:
    seen.page.goto("/study/1")
    expect(seen.page.locator(".headline")).to_be_visible()
    seen.page.goto("/study/1?axis=epochs")
    table = seen.page.locator("#at-budget caption")
    expect(table).to_contain_text("18 epochs")
    expect(seen.page.locator("canvas")).to_be_visible()
    seen.page.locator("[data-budget]").fill("0")
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


def test_all_is_reached_without_javascript(browser: Browser, site: str) -> None:
    found = Seen(browser, site, java_script_enabled=False)
    page = found.page
    page.goto("/")
    page.get_by_role("link", name=STUDY).click()
    page.get_by_role("navigation").get_by_role("link", name="Trials").click()
    page.get_by_label("State").select_option("done")
    page.get_by_role("button", name="Show").click()
    page.locator("tbody a").first.click()
    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_contain_text("seed")
    page.goto("/study/1?axis=epochs&budget=0")
    page.get_by_role("link", name="All methods at this budget").click()
    expect(page.locator("caption")).to_contain_text("6 epochs")
    found.context.close()


def test_what_happens_appears_and_focus_stays(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}', '{"lr":0.2}')
    found = Seen(browser, serving(tmp_path / "w.db"))
    page = found.page
    page.goto("/study/1/trials")
    expect(page.locator("tbody .state")).to_have_text(["waiting", "waiting"])
    link = page.locator("#trial-1 a")
    link.focus()
    bench.train(bench.claim_one(), (0.1, 0.1))
    expect(page.locator("tbody .state.done")).to_have_count(1)
    expect(link).to_be_focused()
    found.context.close()
    assert found.troubles == []


def test_an_open_page_of_a_study_that_is_deleted_says_so(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    found = Seen(browser, serving(tmp_path / "w.db"))
    found.page.goto("/study/1/trials")
    bench.storage.delete_study(bench.study.id, liveness=lambda _: Liveness.DEAD)
    expect(found.page.locator("main")).to_contain_text("It may have been deleted")
    found.context.close()


def test_a_database_that_is_away_is_said_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    bench.storage.close()
    found = Seen(browser, serving(tmp_path / "w.db"))
    found.page.goto("/study/1/trials")
    told = found.page.locator("#liveness")
    expect(told).to_have_text("Live")
    (tmp_path / "w.db").rename(tmp_path / "away")
    expect(told).to_contain_text("Not reachable")
    expect(found.page.locator("tbody tr")).to_have_count(1)  # what was shown stays
    (tmp_path / "away").rename(tmp_path / "w.db")
    expect(told).to_have_text("Live", timeout=15_000)
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
