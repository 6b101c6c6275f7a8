"""Other threads import while somebody looks at what is loaded, at any moment: that is no error."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

from trainers.problems import user_module
from trainers.worker.code import Code, unread


@pytest.fixture
def others_import() -> Iterator[None]:
    """A module is loaded wherever the collector may run, at which Python changes threads, too."""
    numbers, limits = count(), gc.get_threshold()

    def load_one(_phase: str, _of: object) -> None:
        name = f"meanwhile_{next(numbers)}"
        sys.modules[name] = ModuleType(name)

    gc.callbacks.append(load_one)
    gc.set_threshold(1)
    yield
    gc.set_threshold(*limits)
    gc.callbacks.remove(load_one)
    for name in [name for name in sys.modules if name.startswith("meanwhile_")]:
        del sys.modules[name]


@pytest.mark.usefixtures("others_import")
def test_modules_of_a_folder_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "of_a_user.py").write_text("here = 1")
    assert user_module.import_user_module("of_a_user", str(tmp_path)).here == 1
    user_module._search_also(None)
    assert "of_a_user" not in sys.modules


@pytest.mark.usefixtures("others_import")
def test_code_that_was_not_read_is_found() -> None:
    assert "tests.toy" not in unread(Code({"tests.toy": "0123"}))
