"""Where a study's files go: to a folder of its birth, whatever is named, made or copied again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import Storage
from study.errors import BadSpec
from study.running.checkpoint_path import beside, checkpoint_place, remove_files, settle_files


@contextmanager
def opened(file: Path) -> Iterator[Storage]:
    storage = Storage(f"sqlite:///{file}")
    yield storage
    storage.close()


def folder_of(file: Path, given: str | None = None, *, name: str = "demo") -> str:
    """Where a study of a database keeps its files; a new study if there is none of that name."""
    with opened(file) as storage:
        study = storage.save_study(name=name, spec={}, card={}, fingerprint="", searches=[])
        folder, study = settle_files(given, storage, study)
        assert storage.study(name).birth == study.birth
        return folder


def copied(file: Path, to: str) -> Path:
    return Path(shutil.copy(file, file.with_name(to)))


def test_by_default_it_is_beside_the_database_file(tmp_path: Path) -> None:
    with opened(tmp_path / "w.db") as storage:
        folder_of(tmp_path / "w.db")
        birth = storage.study("demo").birth
    assert folder_of(tmp_path / "w.db") == str(tmp_path / "weighbridge.checkpoints" / birth)


def test_by_default_it_is_in_the_working_folder_for_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert beside(None) == tmp_path / "weighbridge.checkpoints"


def test_a_database_that_is_made_anew_finds_no_files_of_the_old_one(tmp_path: Path) -> None:
    before = folder_of(tmp_path / "w.db")
    (tmp_path / "w.db").unlink()
    assert folder_of(tmp_path / "w.db") != before


def test_databases_in_one_folder_share_no_files(tmp_path: Path) -> None:
    folders = {folder_of(tmp_path / name) for name in ("x.db", "x.sqlite", "x")}
    assert len(folders) == 3


@pytest.mark.parametrize("given", [None, "memory://bucket"])
def test_a_copied_database_goes_on_with_files_of_its_own(tmp_path: Path, given: str | None) -> None:
    original = folder_of(tmp_path / "w.db", given)
    copy = copied(tmp_path / "w.db", "copy.db")
    assert folder_of(copy, given) != original
    assert folder_of(copy, given) == folder_of(copy, given), "given once"
    assert folder_of(tmp_path / "w.db", given) == original


def test_two_copies_have_files_of_their_own_each(tmp_path: Path) -> None:
    folders = {folder_of(tmp_path / "w.db")}
    copies = [copied(tmp_path / "w.db", name) for name in ("a.db", "b.db")]
    folders |= {folder_of(copy) for copy in copies}
    assert len(folders) == 3


@pytest.mark.parametrize("across_disks", [False, True])
def test_a_database_that_has_moved_keeps_its_files(tmp_path: Path, across_disks: bool) -> None:
    before = folder_of(tmp_path / "w.db")
    if across_disks:
        copied(tmp_path / "w.db", "moved.db")
        (tmp_path / "w.db").unlink()
    else:
        (tmp_path / "w.db").rename(tmp_path / "moved.db")
    assert folder_of(tmp_path / "moved.db") == before
    assert folder_of(tmp_path / "moved.db") == before


def test_a_database_that_is_put_back_from_a_copy_keeps_its_files(tmp_path: Path) -> None:
    before = folder_of(tmp_path / "w.db")
    copy = copied(tmp_path / "w.db", "backup.db")
    (tmp_path / "w.db").unlink()
    copy.rename(tmp_path / "w.db")
    assert folder_of(tmp_path / "w.db") == before


def test_a_renamed_study_keeps_its_files(tmp_path: Path) -> None:
    before = folder_of(tmp_path / "w.db")
    with opened(tmp_path / "w.db") as storage, storage._database.write() as connection:
        connection.exec_driver_sql("UPDATE studies SET name = 'better'")
    assert folder_of(tmp_path / "w.db", name="better") == before


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"place": 1}', '{"place": "/x"}'])
def test_a_note_of_whose_it_is_that_cannot_be_read_is_written_anew(
    tmp_path: Path, torn: str
) -> None:
    before = folder_of(tmp_path / "w.db")
    (note,) = Path(before).iterdir()
    note.write_text(torn)
    assert folder_of(tmp_path / "w.db") == before
    assert "w.db" in note.read_text()


def test_a_place_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert folder_of(tmp_path / "w.db", str(tmp_path / "file")).startswith(str(tmp_path / "file"))


@pytest.mark.parametrize("given", [None, "memory://gone"])
def test_all_files_of_a_study_can_be_removed(tmp_path: Path, given: str | None) -> None:
    mine, theirs = (folder_of(tmp_path / "w.db", given, name=name) for name in ("demo", "other"))
    with opened(tmp_path / "w.db") as storage:
        remove_files([mine, "/nowhere", "memory://nowhere/at/all"])
        owned = [settle_files(given, storage, storage.study(n))[0] for n in ("demo", "other")]
    assert owned == [mine, theirs]
    if given is None:
        remove_files([mine])
        assert [str(path) for path in Path(mine).parent.iterdir()] == [theirs]


def test_a_place_that_cannot_be_opened_is_refused() -> None:
    with pytest.raises(BadSpec, match="Install the package of its store"):
        checkpoint_place("nowhere://bucket")
