"""What a browser sees: when, and after how many bytes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as PatienceError

CURVES = "canvas"
_CHART = "[data-chart]"
_PATIENCE_MS = 90_000
_FIRST_PAINT = """() => new Promise((found) => {
  const told = (list) => { for (const one of list.getEntries())
    if (one.name === "first-contentful-paint") found(one.startTime); };
  new PerformanceObserver(told).observe({ type: "paint", buffered: true });
})"""


@dataclass(kw_only=True)
class Load:
    """A page that was opened by a browser that had never been there.

    Attributes:
        paint_ms: Until the first content was painted.
        done_ms: Until what was waited for was there.
        n_bytes: What came over the wire until then, headers included.
        came: Whether it was there in time; else it was waited for as long as that.
    """

    paint_ms: float = 0.0
    done_ms: float = 0.0
    n_bytes: int = 0
    came: bool = True
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium without a window."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def opened(browser: Browser, url: str, *, selector: str = "", answer: str = "") -> Load:
    """Open a page, and wait for an element or for the answer to a request.

    Args:
        answer: Part of the request's address.
    """
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page, load = context.new_page(), Load()
        _count(page, load)
        began = time.perf_counter()
        if answer:
            load.came = _came(page, url, answer)
        else:
            page.goto(url, timeout=_PATIENCE_MS)
            for box in page.locator(_CHART).all()[:1] if selector == CURVES else ():
                box.scroll_into_view_if_needed()  # what is not in view is not drawn
            page.locator(selector).first.wait_for(timeout=_PATIENCE_MS)
        load.done_ms = 1e3 * (time.perf_counter() - began)
        load.paint_ms = float(page.evaluate(_FIRST_PAINT))
    return load


def _came(page: Page, url: str, answer: str) -> bool:
    """Whether the answer to such a request has come in time."""
    with suppress(PatienceError):
        with page.expect_response(lambda one: answer in one.url, timeout=_PATIENCE_MS) as one:
            page.goto(url, timeout=_PATIENCE_MS)
        one.value.finished()
        return True
    return False


def _count(page: Page, load: Load) -> None:
    """Add up what comes over the wire, as the browser's own tools count it."""

    def told(event: dict[str, Any]) -> None:
        load.n_bytes += int(event["encodedDataLength"])

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", told)
    session.on("Network.requestWillBeSent", lambda e: load.requests.append(e["request"]["url"]))
