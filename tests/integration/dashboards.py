"""A dashboard as a client of this process sees it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from reports.dashboard import Access, application
from reports.dashboard.views import VIEWS as VIEWS_OF_STUDIES
from tests.integration.concluding_beside import concluding_beside

STUDY = "watched"
TRAINED = """
name = "{name}"
problem = "toy:Toy"
seeds = [0, 1]
[training]
epochs = 3
batch_size = 4
[[search]]
weighting = "ew"
stages = [{{ lr = [0.01, 0.1] }}]
"""
SPEC = f"""{TRAINED.format(name=STUDY)}
[[search]]
weighting = "uw-so"
stages = [{{ lr = [0.1] }}, {{ temperature = {{ line = [1, 9] }} }}]
"""
"""A study that pages are looked at of: `TRAINED` is its first method alone."""

HERE = "http://127.0.0.1:8050"
VIEWS = tuple(
    f"/views/{view.key}" for view in VIEWS_OF_STUDIES if view.of_methods and not view.of_gradients
)
TRIAL = "/trial/0?search=ew"
PATHS = ("", "/trials", TRIAL, "/run/1", "/workers", "/views", *VIEWS, "/claims", "/audit")


def client(path: Path, access: Access | None = None, url: str = HERE, **told: Any) -> TestClient:
    with concluding_beside():
        app = application(f"sqlite:///{path}", access or Access(), **told)
    return TestClient(app, base_url=url, follow_redirects=False)


def concluded(site: TestClient) -> str:
    """The overview once conclusions have been drawn."""
    while "First conclusions" in (page := site.get("/study/1").text) or "headline" not in page:
        time.sleep(0.05)
    return page


def of_table(page: str) -> str:
    """A page's text without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def worked_out(site: TestClient, what: str) -> str:
    """A page of a study, by what its address ends in, once all of it is there."""
    while "load the page again" in (page := site.get(f"/study/1{what}").text):
        time.sleep(0.05)
    return page


def worked_out_csv(site: TestClient, view: str) -> str:
    while (answer := site.get(f"/study/1/views/{view}.csv")).status_code == 404:
        time.sleep(0.05)
    return answer.text
