"""Verbs that look leave a database, and the folder it is in, as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import Storage
from study.api import Study
from tests.integration.command import command

LOOKS = {
    "status": ("status",),
    "status of one": ("status", "digits"),
    "plan": ("plan", "digits"),
    "doctor": ("doctor", "--json"),
    "workers": ("workers", "digits"),
    "trials": ("trials", "digits"),
    "log": ("log", "digits"),
    "compare": ("compare", "digits"),
    "report": ("report", "digits", "-o", "{out}/report.html"),
    "export": ("export", "digits", "-o", "{out}/runs.csv"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    url = f"sqlite:///{folder / 'weighbridge.db'}"
    storage = Storage(url)
    Study.open("digits", storage=url)._save(storage)
    storage.close()
    return folder


def _state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.mark.parametrize("words", LOOKS.values(), ids=LOOKS)
def test_it_changes_nothing(folder: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    before = _state(folder)
    said = command(folder, *(word.format(out=tmp_path) for word in words))
    assert said.code in (0, 1, 2), said.err  # a study without runs has little to tell
    assert "cannot be used" not in said.err
    assert _state(folder) == before
