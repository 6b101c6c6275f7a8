"""What is said about databases that cannot be opened, and what opening leaves alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import DatabaseUnusable, Reader, SchemaMismatch, Storage, StorageError
from storage.database.opened import SCHEMA_VERSION

_WAYS = [Storage, Reader]


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _with_version(path: Path, version: str) -> str:
    Storage(_url(path)).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    connection.close()
    return _url(path)


def _foreign(path: Path, *tables: str) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
    connection.close()
    return _url(path)


@pytest.mark.parametrize("way", _WAYS)
def test_a_newer_schema_is_refused(tmp_path: Path, way: type[Storage | Reader]) -> None:
    url = _with_version(tmp_path / "s.db", "9999")
    with pytest.raises(
        SchemaMismatch, match=f"schema 9999, newer than {SCHEMA_VERSION}, .* Upgrade weighbridge"
    ):
        way(url)


def test_a_refused_newer_database_is_left_as_it_is(tmp_path: Path) -> None:
    url = _with_version(tmp_path / "s.db", "9999")
    before = (tmp_path / "s.db").read_bytes()
    with pytest.raises(SchemaMismatch):
        Storage(url)
    assert (tmp_path / "s.db").read_bytes() == before


@pytest.mark.parametrize("way", _WAYS)
@pytest.mark.parametrize("tables", [["recipes"], ["studies", "trials"]])
def test_a_database_of_another_program_is_refused(
    tmp_path: Path, way: type[Storage | Reader], tables: list[str]
) -> None:
    url = _foreign(tmp_path / "x.db", *tables)
    message = f"of another program: .* {', '.join(tables)}. Give --storage a database of its own"
    with pytest.raises(DatabaseUnusable, match=message):
        way(url)


def test_another_programs_migrations_are_not_taken_for_ours(tmp_path: Path) -> None:
    url = _foreign(tmp_path / "x.db", "alembic_version", "studies", "trials", "version_info")
    with pytest.raises(DatabaseUnusable, match="of another program"):
        Storage(url)


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    url = _foreign(tmp_path / "x.db", "recipes")
    with pytest.raises(DatabaseUnusable):
        Storage(url)
    connection = sqlite3.connect(tmp_path / "x.db")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    connection.close()


@pytest.mark.parametrize("way", _WAYS)
def test_a_text_file_is_refused(tmp_path: Path, way: type[Storage | Reader]) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, not a database " * 50)
    with pytest.raises(DatabaseUnusable, match=r"not a database\. It is some other file\."):
        way(_url(tmp_path / "notes.txt"))


def test_a_text_file_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(DatabaseUnusable):
        Storage(_url(tmp_path / "notes.txt"))
    assert (tmp_path / "notes.txt").read_text() == "notes"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    url = _url(tmp_path / "nowhere" / "s.db")
    with pytest.raises(DatabaseUnusable, match=r"nowhere/s\.db .* Check that its folder exists"):
        Storage(url)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    url = _with_version(tmp_path / "s.db", SCHEMA_VERSION)
    content = bytearray((tmp_path / "s.db").read_bytes())
    content[100:2000] = b"\xff" * 1900
    (tmp_path / "s.db").write_bytes(content)
    with pytest.raises(DatabaseUnusable, match=r"malformed\. It is damaged\. Restore a copy"):
        Storage(url)


@pytest.mark.parametrize("url", ["study.db", "mysterious://x", "", "sqlite:/x"])
@pytest.mark.parametrize("way", _WAYS)
def test_what_is_no_url_is_refused(url: str, way: type[Storage | Reader]) -> None:
    with pytest.raises(StorageError, match=r"looks like sqlite:///weighbridge\.db or postgresql"):
        way(url)


def test_a_url_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(StorageError) as caught:
        Storage("postgresql://user:secret@host:port/x")
    assert "secret" not in str(caught.value)


def test_an_unreachable_server_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="Check that the server runs") as caught:
        Storage(f"postgresql://user:secret@/x?host={tmp_path}", patience_s=0)
    assert "user:***@" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="There is no study database at") as caught:
        Reader(_url(tmp_path / "s.db"))
    assert caught.value.missing
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_holds_no_studies(tmp_path: Path) -> None:
    (tmp_path / "s.db").touch()
    with pytest.raises(DatabaseUnusable, match="holds no studies") as caught:
        Reader(_url(tmp_path / "s.db"))
    assert caught.value.missing


def test_a_broken_database_is_not_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, not a database " * 50)
    with pytest.raises(DatabaseUnusable) as caught:
        Reader(_url(tmp_path / "notes.txt"))
    assert not caught.value.missing


def test_a_storage_that_may_not_create_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable):
        Storage(_url(tmp_path / "s.db"), create=False)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_database_is_opened_without_create(tmp_path: Path) -> None:
    Storage(_url(tmp_path / "s.db")).close()
    storage = Storage(_url(tmp_path / "s.db"), create=False)
    assert storage.studies() == []
    storage.close()


def test_a_storage_knows_its_file(tmp_path: Path) -> None:
    storage = Storage(_url(tmp_path / "s.db"))
    assert storage.file == tmp_path / "s.db"
    assert storage.url == _url(tmp_path / "s.db")
    storage.close()


def test_a_database_in_memory_has_no_file() -> None:
    storage = Storage(None)
    assert storage.file is None
    storage.close()


def test_a_reader_opens_beside_a_writer(tmp_path: Path) -> None:
    Storage(_url(tmp_path / "s.db")).close()
    writer = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    reader = Reader(_url(tmp_path / "s.db"))
    assert reader.studies() == []
    reader.close()
    writer.close()


def test_a_reader_knows_the_schema(tmp_path: Path) -> None:
    Storage(_url(tmp_path / "s.db")).close()
    reader = Reader(_url(tmp_path / "s.db"))
    assert reader.schema_version == SCHEMA_VERSION
    reader.close()
