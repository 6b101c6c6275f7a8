"""Whatever the documentation points at is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, links, read

_PATH = re.compile(r"`((?:search_spaces|trainers|storage|study|reports|tests|docs)/[\w./-]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    dead = [link for link in links(page) if not (page.parent / link).exists()]
    assert dead == []


def test_every_page_of_docs_is_linked_from_another() -> None:
    linked = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    orphans = [page for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in linked]
    assert orphans == []


def test_paths_that_contributing_names_exist() -> None:
    named = set(_PATH.findall(read("CONTRIBUTING.md")))
    assert named, "the pattern finds nothing any more"
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_map_has_every_room_on_its_floor() -> None:
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    floors = {
        contract["containers"][0].replace(".", "/"): [
            layer.split(" | ") for layer in contract["layers"]
        ]
        for contract in contracts
        if "upstairs" in contract["name"]
    }
    assert len(floors) == 5
    rows = dict(re.findall(r"^\| `([\w/]+)/` \| (`.*) \|$", read("CONTRIBUTING.md"), re.MULTILINE))
    for package, layers in floors.items():
        named = re.findall(r"`(\w+)(?:/|\.py)`", rows[package])
        rooms = {path.parent.name for path in (ROOT / package).glob("[!_]*/[!_]*.*")}
        assert rooms - set(named) == set()
        floor = {name: number for number, layer in enumerate(layers) for name in layer}
        numbers = [floor[name] for name in named if name in floor]
        assert numbers == sorted(numbers)


def test_names_that_contributing_tells_to_edit_exist() -> None:
    places = re.findall(r"`(\w+)`[\w\s,]*? (?:of|in) `([\w/]+\.py)`", read("CONTRIBUTING.md"))
    assert len(places) >= 5
    missing = [(name, file) for name, file in places if name not in read(file)]
    assert missing == []
