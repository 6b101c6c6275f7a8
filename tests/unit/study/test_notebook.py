"""Studies as notebooks show them."""

from __future__ import annotations

from html.parser import HTMLParser

from study import Study
from study.spec.study_spec import parse
from tests.unit.study.specs import spec_of


def shown(study: Study) -> tuple[set[str], str]:
    """The elements of what a notebook gets, and its text."""
    found: tuple[set[str], list[str]] = set(), []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            found[0].add(tag)

        def handle_data(self, data: str) -> None:
            found[1].append(data)

    Parser().feed(study._repr_html_())
    return found[0], " ".join(found[1])


def test_a_study_is_a_row_a_search_without_script() -> None:
    elements, text = shown(Study(spec_of()))
    assert elements == {"p", "b", "table", "thead", "tbody", "tr", "th", "td"}
    for part in ("tried", "2 seeds (0, 1)", "stl/left", "grid over lr", "sqlite:///weighbridge.db"):
        assert part in text


def test_a_url_is_escaped() -> None:
    elements, text = shown(Study(spec_of(), storage="sqlite:///<img src=x>.db"))
    assert "img" not in elements
    assert "<img src=x>" in text


def test_passwords_are_left_out() -> None:
    _, text = shown(Study(spec_of(), storage="postgresql://me:secret@host/studies"))
    assert "@host/studies" in text
    assert "secret" not in text


def test_a_study_of_a_function_names_it() -> None:
    spec = {
        "name": "own",
        "function": {"target": "my.training:train", "metric": "loss"},
        "seeds": [0],
        "training": {"epochs": 3},
        "search": [{"stages": [{"depth": [1, 2, 3]}]}],
    }
    assert "on my.training:train: 1 seed (0)" in shown(Study(parse(spec, source="s.toml")))[1]
