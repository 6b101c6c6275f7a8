"""Files that browsers get: those of others as published, ours small, and none evaluates text."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256
from importlib.resources import files

import pytest

from reports.dashboard.rendering.templating import environment

STATIC = files("reports.dashboard.rendering") / "static"
TEMPLATES = files("reports.dashboard.rendering") / "templates"
PUBLISHED = {
    "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
"""Of htmx.org 4.0.1 and uplot 1.6.32 in the npm registry."""
EVALUATED = re.compile(r"hx-on|hx-live|js:|javascript:|\|\s*safe|<script>|<style| style=|\son\w+=")


@pytest.mark.parametrize("name", PUBLISHED)
def test_others_files_are_as_they_were_published(name: str) -> None:
    assert sha256((STATIC / name).read_bytes()).hexdigest() == PUBLISHED[name]


@pytest.mark.parametrize("name", ["htmx", "uPlot"])
def test_their_licences_lie_beside_them(name: str) -> None:
    assert (STATIC / f"{name}.LICENSE.txt").read_text().strip()


def test_our_own_scripts_are_small() -> None:
    own = [
        one for one in STATIC.iterdir() if one.name.endswith(".js") and one.name not in PUBLISHED
    ]
    assert own
    assert sum(len(one.read_bytes()) for one in own) <= 10_000


def test_a_page_needs_little() -> None:
    sent = [one for one in STATIC.iterdir() if one.name.endswith((".js", ".css", ".svg"))]
    assert sum(len(gzip.compress(one.read_bytes())) for one in sent) <= 60_000


def test_forms_that_filter_are_what_their_address_says() -> None:
    """Not what a browser remembers of them when one goes back."""
    texts = [one.read_text() for one in TEMPLATES.iterdir()]
    forms = [form for text in texts for form in re.findall(r'<form [^>]*method="get"[^>]*>', text)]
    assert len(forms) >= 6
    assert [form for form in forms if 'autocomplete="off"' not in form] == []


@pytest.mark.parametrize("name", environment().list_templates())
def test_no_template_has_a_browser_evaluate_text(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    assert EVALUATED.findall(text) == []
