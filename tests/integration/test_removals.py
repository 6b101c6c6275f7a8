"""``weighbridge delete`` and ``rename`` ask first, and take the files of a study along."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from storage import Liveness, Reader, Storage
from study.api import Study
from study.catalogue import renamed_away
from study.running.checkpoint_path import settle_files
from tests.contract.storage_bench import holder
from tests.integration.command import command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    url = f"sqlite:///{tmp_path / 'weighbridge.db'}"
    storage = Storage(url)
    record = Study.open("digits", storage=url)._save(storage)
    files, record = settle_files(None, storage, record)
    holder_id = storage.register_holder(holder())
    storage.register_worker(
        study_id=record.id, holder_id=holder_id, pid=1, environment={}, startup_s=0.0, files=files
    )
    (Path(files) / "run1.pt").write_bytes(b"weights")
    storage.close()
    return tmp_path


def _names(folder: Path) -> list[str]:
    reader = Reader(f"sqlite:///{folder / 'weighbridge.db'}")
    try:
        return [study.name for study in reader.studies()]
    finally:
        reader.close()


def test_without_an_answer_nothing_happens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["delete", "digits"], ["rename", "digits", "new"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
        said = command(folder, *words)
        assert said.code == 130
        assert said.err.endswith("[y/N]:\nNothing was changed.\n")
    assert _names(folder) == ["digits"]


def test_delete_takes_rows_and_files(folder: Path) -> None:
    said = command(folder, "delete", "digits", "--yes")
    assert (said.code, said.text) == (0, "digits is deleted.")
    assert _names(folder) == []
    assert list(folder.rglob("*.pt")) == []


@pytest.mark.parametrize("new", ["", "a b", "x.toml", "X.TOML", "a" * 101, "../x"])
def test_a_name_that_no_spec_may_have_is_none_to_rename_to(folder: Path, new: str) -> None:
    said = command(folder, "rename", "digits", new, "--yes")
    assert said.code == 2
    assert said.err.startswith("error ")
    assert _names(folder) == ["digits"]


def test_rename_keeps_rows_and_files(folder: Path) -> None:
    said = command(folder, "rename", "digits", "new", "--yes", "--json")
    assert (said.json["before"], said.json["after"]) == ({"name": "digits"}, {"name": "new"})
    assert _names(folder) == ["new"]
    url = f"sqlite:///{folder / 'weighbridge.db'}"
    assert "is new now, and keeps what it has trained" in renamed_away("digits", storage=url)
    assert renamed_away("new", storage=url) == renamed_away("other", storage=url) == ""
    hidden = command(folder, "rename", "new", "quickstart", "--yes")
    assert hidden.code == 2
    assert "must not hide a preset" in hidden.err
    assert command(folder, "rename", "new", "digits", "--yes").code == 0  # that one extends it
    assert command(folder, "rename", "digits", "new", "--yes").code == 0
    assert len(list(folder.rglob("*.pt"))) == 1
    assert command(folder, "status", "new").code == 0


@pytest.mark.parametrize("name", ["", "a b", "../up", "x" * 300])
def test_a_name_that_no_spec_may_have_is_refused(folder: Path, name: str) -> None:
    said = command(folder, "rename", "digits", name, "--yes")
    assert said.code == 2
    assert "name" in said.err
    assert _names(folder) == ["digits"]


def test_an_unknown_study_is_told(folder: Path) -> None:
    said = command(folder, "delete", "nope", "--yes")
    assert said.code == 2
    assert "no study 'nope'" in said.err


def test_the_audit_tells_studies_of_one_name_apart(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'weighbridge.db'}")
    for _ in range(2):
        first = Study.open("digits", storage=storage.url)._save(storage)
        storage.pause(first.id)
        storage.delete_study(first.id, liveness=lambda _: Liveness.DEAD)
    storage.close()
    assert command(tmp_path, "audit", "digits").text.count("digits (") == 4
