"""One Chromium for the tests of a file, and one dashboard of finished studies for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import watched
from tests.wanting import skip_for_want_of

_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=60_000)  # how long things take hangs on the machine
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if _CHROMIUM is None:
        skip_for_want_of("Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGS))
        yield found
        found.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where finished studies lie."""
    folder = tmp_path_factory.mktemp("watched")
    watched.train(folder)
    return folder


@pytest.fixture(scope="session")
def site(folder: Path) -> str:
    """A dashboard of them, with its conclusions drawn: no page waits for them."""
    return watched.concluded(watched.serving(folder / "weighbridge.db"))
