"""The shop window of the package."""

import doctest
import subprocess
import sys

import pytest

import search_spaces
from search_spaces import errors


def test_the_example_in_the_docstring_runs() -> None:
    result = doctest.testmod(search_spaces)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_import_takes_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import search_spaces;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(*sorted(new - sys.stdlib_module_names))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["search_spaces"]


def test_every_name_in_the_window_is_there() -> None:
    assert search_spaces.__all__ == sorted(search_spaces.__all__)
    assert all(hasattr(search_spaces, name) for name in search_spaces.__all__)


@pytest.mark.parametrize("leaf", errors.SpaceError.__subclasses__())
def test_every_error_is_a_fitting_builtin_and_in_the_drawing(leaf: type[Exception]) -> None:
    builtin = next(b for b in (ValueError, TypeError, LookupError) if issubclass(leaf, b))
    assert f"{leaf.__name__}({builtin.__name__})" in (errors.__doc__ or "")
