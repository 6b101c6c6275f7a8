"""The generated pages say what the code says today."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from docs.make_reference import PACKAGES, is_fresh, pages
from search_spaces._plain import _ALL_KEYS
from study.spec.stage import STRATEGIES
from study.spec.study_spec import StudySpec
from tests.docs.pages import ROOT, read


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("name", ["spec.md", "cli.md", "json.md", "methods.md", "python.md"])
def test_generated_page_is_fresh(name: str, made: dict[str, str]) -> None:
    assert is_fresh(name, made[name]), "Stale. Run: python docs/make_reference.py"


def test_no_page_depends_on_the_process(made: dict[str, str]) -> None:
    assert not [name for name, text in made.items() if " at 0x" in text]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_the_reference(package: str) -> None:
    section = read("docs/reference/python.md").split(f"## {package}\n")[1].split("\n## ")[0]
    names = import_module(package).__all__
    missing = [n for n in names if f"| `{n}`" not in section and f"| `{n}(" not in section]
    assert missing == []


def test_every_key_of_the_spec_is_in_the_reference() -> None:
    schema = StudySpec.model_json_schema()
    text = read("docs/reference/spec.md")
    fields = [schema, *schema["$defs"].values()]
    missing = [key for part in fields for key in part["properties"] if f"| `{key}` |" not in text]
    assert missing == []


def test_another_optimiser_makes_no_page_stale(made: dict[str, str]) -> None:
    (row,) = (line for line in made["spec.md"].splitlines() if line.startswith("| `optimizer` |"))
    assert row.split("|")[2].strip() == "text", "no list of the files that are there"


def test_every_strategy_and_axis_form_is_described() -> None:
    text = read("docs/reference/stages.md")
    assert [name for name in STRATEGIES if f'`strategy = "{name}"`' not in text] == []
    assert [key for key in _ALL_KEYS if f"{key} =" not in text] == []


def test_every_fair_play_note_is_described() -> None:
    text = read("docs/reference/measures.md").lower()
    sources = [path.read_text() for path in (ROOT / "reports/notes").glob("*.py")]
    kinds = re.findall(r'kind="([a-z ]+)"|", "(mixed [a-z ]+)"', "".join(sources))
    words = {word for pair in kinds for kind in pair for word in kind.split()}
    assert "undertrained" in words
    assert [word for word in sorted(words) if word not in text] == []
