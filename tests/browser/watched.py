"""Studies that a browser looks at, who serves them, and every address of a page."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from playwright.sync_api import Browser, Page

from reports.dashboard import Access, Actions, serve
from reports.dashboard.views import VIEWS
from storage import Liveness
from tests import toy
from tests.integration import training
from tests.integration.command import command
from tests.integration.concluding_beside import concluding_beside
from tests.integration.dashboards import SPEC, STUDY, TRAINED

_SPECS: Final = {
    STUDY: f"{SPEC}\n[diagnostics]\ngradients = {{ every = 1, samples = 2 }}\n",
    "beside": TRAINED.format(name="beside"),
    "tuned": """
name = "tuned"
seeds = [0, 1]
function = { target = "training:showing", metric = "loss" }
[training]
epochs = 6
[[search]]
stages = [{ lr = [0.2, 0.5, 0.8], depth = [1, 2] }]
""",
}
"""In this order they have the numbers 1, 2 and 3."""

ADDRESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("/", "/?sort=cost&name=e"),
    "/login": ("/login",),
    "/audit": ("/audit",),
    "/compare": ("/compare?study=1&study=2", "/compare?study=1"),
    "/study/{study:id}": ("/study/1", "/study/3"),
    "/study/{study:id}/at_budget": ("/study/1/at_budget?alone=1",),
    "/study/{study:id}/trials": (
        "/study/1/trials",
        "/study/1/trials?sort=flops&show=trial&show=flops&show=test.level.error&least.flops=0",
        "/study/3/trials",
    ),
    "/study/{study:id}/trial/{trial:id}": (
        "/study/1/trial/1?search=uw-so",
        "/study/3/trial/0?search=function",
    ),
    "/study/{study:id}/run/{run:id}": ("/study/1/run/13",),
    "/study/{study:id}/workers": ("/study/1/workers",),
    "/study/{study:id}/claims": ("/study/1/claims",),
    "/study/{study:id}/audit": ("/study/1/audit",),
    "/study/{study:id}/views": ("/study/1/views", "/study/3/views"),
    "/study/{study:id}/views/{view}": (
        *(f"/study/1/views/{view.key}" for view in VIEWS if view.of_methods),
        *(f"/study/3/views/{view.key}" for view in VIEWS if view.of_functions),
    ),
}
"""By the route of the application: each page as people may see it."""

PATHS: Final = tuple(path for paths in ADDRESSES.values() for path in paths)


def train(folder: Path) -> None:
    """Have the studies in a folder's database."""
    for module in (toy, training):
        shutil.copy(module.__file__, folder)
    for name, spec in _SPECS.items():
        (folder / f"{name}.toml").write_text(spec)
        said = command(folder, "run", f"{name}.toml", "--workers", "2")
        assert said.code == 0, said.err


def serving(database: Path | str, access: Access | None = None, *, may_act: bool = False) -> str:
    """The address of a dashboard that this process serves until it ends.

    Args:
        database: A SQLite file, or a URL.
    """
    ready = threading.Event()
    ports: list[int] = []

    def begin(port: int) -> None:
        ports.append(port)
        ready.set()

    actions = Actions(liveness=lambda _: Liveness.DEAD, remove_files=lambda _: None)
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    with concluding_beside():
        threading.Thread(
            target=serve,
            args=(url,),
            kwargs={
                "host": "127.0.0.1",
                "port": 0,
                "access": access or Access(),
                "actions": actions if may_act else None,
                "ready": begin,
            },
            daemon=True,
        ).start()
        assert ready.wait(60)
    return f"http://127.0.0.1:{ports[0]}"


def concluded(site: str) -> str:
    """The same site, once no page waits for what is worked out."""
    for path, waits in (("/study/1", b"First conclusions"), ("/compare?study=1&study=2", b"")):
        while waits in (page := urlopen(f"{site}{path}").read()) and b"headline" not in page:
            time.sleep(0.05)
    return site


class Seen:
    """A page that takes down what goes wrong in it."""

    def __init__(self, browser: Browser, site: str, **context: Any) -> None:
        self.context = browser.new_context(base_url=site, **context)
        self.site = site
        self.troubles: list[str] = []
        self.elsewhere: list[str] = []
        self.page: Page = self.another()

    def another(self) -> Page:
        """One more page, whose troubles are taken down, too."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda m: self.troubles.append(m.text) if m.type == "error" else None)
        page.on(
            "request",
            lambda sent: (
                None if sent.url.startswith(self.site) else self.elsewhere.append(sent.url)
            ),
        )
        return page
