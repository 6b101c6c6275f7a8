"""What public docstrings say: shapes and dtypes of tensors, and what is raised.

A function or method is public if neither it nor its class has a name with an underscore.

Shapes: in `trainers` each one whose annotations name tensors says a shape, ``[..., T]`` or another
in brackets; the letters are explained at the top of its file or are those of the concepts.

Dtypes: where outsiders plug in (problems, weightings, optimisers, and the losses and metrics to
copy from), the docstring of the method, of its class or of its file says what dtype tensors have.
Elsewhere tensors pass as they come.

Raised: a function that makes an error itself has a section Raises, or its class has one for all its
methods. Verbs of the command line have none: their docstrings are what ``--help`` prints.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("study", "trainers", "search_spaces", "storage", "reports")
PLUGGED_IN = (
    "trainers/protocol.py",
    "trainers/weightings/_base.py",
    "trainers/weightings/levels.py",
    "trainers/optimizers/_base.py",
    "trainers/problems/_losses.py",
    "trainers/problems/_metrics.py",
)

_TENSORS = re.compile(r"\b(Tensor|ndarray|NDArray)\b")
_SHAPE = re.compile(r"``\[[^\]`]*\]``")
_DTYPE = re.compile(r"\b(dtype|float32|float64|int64|bool|floating[- ]point)\b")


@dataclass(frozen=True, slots=True)
class Function:
    """A public function or method, with the docstrings that readers of it see."""

    place: str
    node: ast.FunctionDef
    doc: str
    around: str

    @property
    def annotations(self) -> list[str]:
        given = self.node.args
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        found = [one.annotation for one in arguments] + [self.node.returns]
        return [ast.unparse(annotation) for annotation in found if annotation is not None]

    @property
    def passes_tensors(self) -> bool:
        return any(_TENSORS.search(annotation) for annotation in self.annotations)


def functions(text: str, file: str) -> Iterator[Function]:
    module = ast.parse(text)
    yield from _functions(module, f"{file}:", ast.get_docstring(module) or "")


def _functions(holder: ast.Module | ast.ClassDef, place: str, around: str) -> Iterator[Function]:
    for node in holder.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            doc = ast.get_docstring(node) or ""
            yield from _functions(node, f"{place}{node.name}.", f"{around}\n{doc}")
        elif isinstance(node, ast.FunctionDef) and (
            node.name == "__call__" or not node.name.startswith("_")
        ):
            doc = ast.get_docstring(node) or ""
            yield Function(f"{place}{node.name}", node, doc, f"{around}\n{doc}")


def all_functions(*folders: str) -> list[Function]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [function for path in paths for function in _of_file(path)]


@cache
def _of_file(path: Path) -> list[Function]:
    return [*functions(path.read_text("utf-8"), str(path.relative_to(ROOT)))]


def raises(function: Function) -> bool:
    """Whether it makes an error itself, outside of what it catches errors of."""
    return any(_raised(node) for node in function.node.body)


def _raised(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return False
    if isinstance(node, ast.Raise):
        return isinstance(node.exc, ast.Call) and "NotImplemented" not in ast.unparse(node.exc)
    caught = node.body if isinstance(node, ast.Try) and node.handlers else []
    return any(_raised(child) for child in ast.iter_child_nodes(node) if child not in caught)


def test_shapes_of_tensors_are_said() -> None:
    found = [function for function in all_functions("trainers") if function.passes_tensors]
    assert len(found) > 100
    assert [function.place for function in found if not _SHAPE.search(function.doc)] == []


def test_outsiders_are_told_what_dtype_tensors_have() -> None:
    found = [
        function
        for file in PLUGGED_IN
        for function in functions((ROOT / file).read_text("utf-8"), file)
        if function.passes_tensors
    ]
    assert len(found) > 20
    assert [function.place for function in found if not _DTYPE.search(function.around)] == []


def test_what_is_raised_is_said() -> None:
    found = [function for function in all_functions(*PACKAGES) if raises(function)]
    silent = [function.place for function in found if "Raises:" not in function.around]
    assert len(found) > 100
    assert [
        place for place in silent if not re.fullmatch(r"study/cli/\w+\.py:command", place)
    ] == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ('def f(x: Tensor) -> None:\n    """Shape ``[B]``."""', True),
        ('def f(x: list[Tensor]) -> None:\n    """What."""', False),
        ('class A:\n    def f(self) -> Tensor:\n        """A list [B]."""', False),
    ],
)
def test_a_shape_is_seen(text: str, is_found: bool) -> None:
    (function,) = functions(text, "")
    assert function.passes_tensors
    assert bool(_SHAPE.search(function.doc)) is is_found


@pytest.mark.parametrize(
    ("body", "is_raised"),
    [
        ("    if x:\n        raise ValueError(x)", True),
        (
            "    try:\n        x()\n    except OSError as e:\n        raise ValueError(x) from e",
            True,
        ),
        ("    try:\n        raise ValueError(x)\n    except ValueError:\n        pass", False),
        ("    raise", False),
        ("    def g():\n        raise ValueError(x)", False),
    ],
)
def test_an_error_that_is_made_is_seen(body: str, is_raised: bool) -> None:
    (function,) = functions(f"def f(x):\n{body}", "")
    assert raises(function) is is_raised
