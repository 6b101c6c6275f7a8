"""What keeps the code readable: short files and functions, no import cycle, rooms that say so."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from textwrap import indent

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("study", "trainers", "search_spaces", "storage", "reports")
MOST_LINES_OF_A_FILE = 350
MOST_LINES_OF_A_FUNCTION = 50

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def files(*folders: str) -> Iterator[Path]:
    for folder in folders or PACKAGES:
        yield from sorted((ROOT / folder).rglob("*.py"))


def code_lines(text: str) -> set[int]:
    """Numbers of the lines that hold more than a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        line
        for token in tokens
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }


def _statements(holder: ast.AST) -> Iterator[ast.AST]:
    """All that stands below; nothing of it in an expression, which holds no function."""
    for node in ast.iter_child_nodes(holder):
        if not isinstance(node, ast.expr):
            yield node
            yield from _statements(node)


def long_functions(text: str) -> dict[str, int]:
    """Functions whose body has too many lines of code, signature and docstring not counted."""
    found = {}
    for node in _statements(ast.parse(text)):
        if isinstance(node, _Function):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            own = range(body[0].lineno, (node.end_lineno or 0) + 1) if body else ()
            if len(own) <= MOST_LINES_OF_A_FUNCTION:
                continue
            if (n_lines := len(code_lines(text).intersection(own))) > MOST_LINES_OF_A_FUNCTION:
                found[node.name] = n_lines
    return found


def cycle(imports: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a ring; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_is_long() -> None:
    counts = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for path in files(*PACKAGES, "tests", "tools", "docs")
    }
    assert len(counts) > 500
    long = {str(path.relative_to(ROOT)): n for path, n in counts.items()}
    assert {name: n for name, n in long.items() if n > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_long() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{name}": n
        for path in files()
        for name, n in long_functions(path.read_text(encoding="utf-8")).items()
    }
    assert found == {}


@pytest.mark.parametrize(("n_lines", "is_long"), [(50, False), (51, True)])
def test_a_function_is_counted_by_its_body(n_lines: int, is_long: bool) -> None:
    body = "    # why\n\n    x = 1\n" * n_lines
    text = f'def f(\n    a: int,\n) -> None:\n    """What.\n\n    More.\n    """\n{body}'
    assert bool(long_functions(text)) is is_long


def test_a_function_is_found_wherever_one_may_stand() -> None:
    text = "def f() -> None:\n" + "    x = 1\n" * 51
    for above in ("class A:", "try:\n    pass\nexcept KeyError:", "match x:\n  case 1:"):
        assert long_functions(f"{above}\n{indent(text, '        ')}") == {"f": 51}, above


def test_no_import_runs_in_a_ring() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)  # for types only, and late ones, too
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 300
    assert cycle(imports) == []


def test_a_ring_is_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_each_room_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in files()
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
