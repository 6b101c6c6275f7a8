"""The walks through the code are those that the code takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

import pytest

from tests.docs.pages import ROOT, read

PAGE = "docs/how-it-is-built.md"
_HEADING = re.compile(r"^## .*: (\d+) files$", re.MULTILINE)
_FILE = re.compile(r"(?:search_spaces|trainers|storage|study|reports)/[\w/]+\.py")
_LINE = re.compile(
    rf"(?P<indent>[│ ]*)(?:[├└](?P<kind>──|··) (?P<name>\w+) (?:──|··)► )?(?P<file>{_FILE.pattern})"
    r" +\S.*"
)
_ASKED = re.compile(r"^Asked on the way, (\d+) files?: (.*?)\n\n", re.MULTILINE | re.DOTALL)
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one file to another; whether by a call of that name."""

    start: str
    name: str
    end: str
    is_call: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """A picture with what is said of it."""

    title: str
    n_files: int
    files: Sequence[str]
    arrows: Sequence[Arrow]
    text: str


def walks() -> list[Walk]:
    page = read(PAGE) + "\n"
    starts = [found.start() for found in _HEADING.finditer(page)]
    return [
        _walk(page[start:end]) for start, end in zip(starts, [*starts[1:], len(page)], strict=True)
    ]


def _walk(part: str) -> Walk:
    heading, picture, text = re.split(r"^```(?:text)?$", part, flags=re.MULTILINE)
    above: list[str] = []
    files, arrows = [], []
    for line in picture.strip().splitlines():
        found = _LINE.fullmatch(line)
        assert found, f"not a line of a picture: {line}"
        depth = len(found["indent"]) // _INDENT + bool(found["name"])
        assert depth <= len(above), f"hangs on nothing: {line}"
        if found["name"]:
            arrows.append(
                Arrow(above[depth - 1], found["name"], found["file"], found["kind"] == "──")
            )
        above[depth:] = [found["file"]]
        files.append(found["file"])
    n_files = _HEADING.match(heading)
    assert n_files
    return Walk(heading.splitlines()[0], int(n_files[1]), files, arrows, text + "\n\n")


WALKS = walks()


@cache
def tree(file: str) -> ast.Module:
    return ast.parse(read(file))


@cache
def defined(file: str) -> frozenset[str]:
    """Functions, methods and classes of a file."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree(file)) if isinstance(node, kinds))


@cache
def used(file: str) -> frozenset[str]:
    """Names and attributes that a file's code mentions."""
    nodes = list(ast.walk(tree(file)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return frozenset(names | {node.attr for node in nodes if isinstance(node, ast.Attribute)})


@cache
def said(file: str) -> frozenset[str]:
    """Words in the texts of a file's code, such as SQL; docstrings are none."""
    docs = {
        node.value
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return frozenset(
        word
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs
        for word in re.findall(r"\w+", node.value)
    )


def module(file: str) -> str:
    return ".".join(PurePath(file).with_suffix("").parts).removesuffix(".__init__")


@cache
def imported(file: str) -> frozenset[str]:
    """Modules that a file imports, with those that the windows it imports show."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    for name in list(found):
        window = f"{name.replace('.', '/')}/__init__.py"
        if (ROOT / window).exists() and window != file:
            found |= imported(window)
    return frozenset(found)


def is_true(arrow: Arrow) -> bool:
    both = (arrow.start, arrow.end)
    if arrow.is_call:
        return any(
            arrow.name in defined(a) and arrow.name in used(b) for a, b in (both, both[::-1])
        )
    return all(arrow.name in used(file) | said(file) for file in both)


def is_asked(file: str, by: Sequence[str]) -> bool:
    """By import; a part of `storage.Storage`, by a call of one of its methods."""
    if any(module(file) in imported(asking) for asking in by):
        return True
    return file.startswith("storage/") and any(defined(file) & used(asking) for asking in by)


def asked(walk: Walk) -> Iterator[tuple[int, list[str]]]:
    for found in _ASKED.finditer(walk.text):
        yield int(found[1]), _FILE.findall(found[2])


def test_there_are_five_walks() -> None:
    assert len(WALKS) == 5
    assert sum(len(list(asked(walk))) for walk in WALKS) == 5


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.title)
def test_files_are_there_and_counted(walk: Walk) -> None:
    assert len(set(walk.files)) == len(walk.files) == walk.n_files
    for n_files, named in asked(walk):
        assert len(set(named)) == n_files
        assert not set(named) & set(walk.files)
    missing = {*walk.files, *_FILE.findall(walk.text)}
    assert [file for file in missing if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.title)
def test_each_arrow_is_in_the_code(walk: Walk) -> None:
    assert len(walk.arrows) == walk.n_files - 1
    assert [arrow for arrow in walk.arrows if not is_true(arrow)] == []


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.title)
def test_what_is_asked_is_asked_by_a_file_of_the_walk(walk: Walk) -> None:
    for _, named in asked(walk):
        of_others = {name for file in named for name in imported(file)}
        strangers = [file for file in named if not is_asked(file, walk.files)]
        assert [file for file in strangers if module(file) not in of_others] == []


@pytest.mark.parametrize(
    "arrow",
    [
        Arrow("study/cli/_run.py", "move", "study/running/conductor.py", is_call=True),
        Arrow("study/running/runner.py", "advance", "study/deciding/advance.py", is_call=True),
        Arrow("study/cli/_run.py", "Stop", "trainers/worker/process.py", is_call=False),
    ],
)
def test_an_arrow_over_a_file_is_found_out(arrow: Arrow) -> None:
    assert not is_true(arrow)


def test_a_stranger_is_found_out() -> None:
    assert not is_asked("reports/frames.py", WALKS[0].files)
