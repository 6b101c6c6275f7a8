"""A study that runs through undisturbed, with whose end others of the same spec are compared.

A module says what study it is about: `STUDY`, its name, and `SPEC`, its text.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storage.database import opened as _database
from tests import toy
from tests.integration.driving import complete


@pytest.fixture(scope="module")
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module's spec in a folder of its own, beside the toy problem."""
    path = tmp_path_factory.mktemp("spec") / f"{request.module.STUDY}.toml"
    path.write_text(request.module.SPEC)
    shutil.copy(toy.__file__, path.parent / "toy.py")
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of this process tell at once that a server is not there."""
    monkeypatch.setattr(_database, "_OPENING_PATIENCE_S", 0.0)


@pytest.fixture(scope="module")
def undisturbed(spec: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of a study that ran through, with one worker."""
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed') / 'w.db'}"
    complete(spec, url)
    return url
