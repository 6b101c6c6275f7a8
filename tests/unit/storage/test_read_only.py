"""Who looks at a database makes, changes and locks nothing, and sees all that is stored."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import DatabaseUnusable, Reader, SchemaMismatch, Storage
from storage.database.opened import SCHEMA_VERSION
from tests.contract.storage_backends import OnNewPostgres
from tests.contract.storage_bench import Bench
from tests.unit.storage.test_bad_ground import open_folder, powerless

__all__ = ["open_folder"]

_GOLDEN = Path(__file__).parents[2] / "golden" / "schema_0001.db"


def _saved(folder: Path) -> Path:
    path = folder / "s.db"
    bench = Bench(f"sqlite:///{path}")
    bench.plan("a")
    bench.storage.close()
    return path


def _names(path: Path) -> list[str]:
    reader = Reader(f"sqlite:///{path}")
    try:
        found = [study.name for study in reader.studies()]
        for study in reader.studies():
            reader.view("run_results", study.name)
            reader.totals(study.id)
        return found
    finally:
        reader.close()


def _state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def _old(folder: Path) -> Path:
    return Path(shutil.copy(_GOLDEN, folder / "old.db"))


def _rolled_back(folder: Path) -> Path:
    path = _saved(folder)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    return path


def test_a_path_may_begin_with_two_slashes(tmp_path: Path) -> None:
    assert _names(Path(f"/{_saved(tmp_path)}")) == ["demo"]


@pytest.mark.parametrize("make", [_saved, _old, _rolled_back])
def test_looking_leaves_all_as_it_is(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    before = _state(tmp_path)
    assert _names(path) == ["demo"]
    assert _state(tmp_path) == before


@pytest.mark.parametrize("make", [_saved, _old, _rolled_back])
def test_it_needs_no_right_to_write(open_folder: Path, make: Callable[[Path], Path]) -> None:
    path = make(open_folder)
    path.chmod(0o444)
    open_folder.chmod(0o555)
    with powerless():
        assert _names(path) == ["demo"]


def test_a_name_that_a_uri_would_read_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "100% a?b#c.db"
    Bench(f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}").storage.close()
    reader = Reader(f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}")
    assert [study.name for study in reader.studies()] == ["demo"]
    reader.close()


def test_what_a_writer_has_not_moved_into_the_file_is_seen(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 's.db'}")
    reader = Reader(bench.url)
    bench.save("new")
    assert [study.name for study in reader.studies()] == ["demo", "new"]
    bench.storage.close()  # the last writer moves it, and removes the log
    assert [study.name for study in reader.studies()] == ["demo", "new"]
    reader.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]


def test_what_a_killed_writer_left_is_seen(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 's.db'}")
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("s.db", "s.db-wal"):  # as after a crash: the index is not to be trusted
        shutil.copy(tmp_path / name, copy / name)
    bench.storage.close()
    assert _names(copy / "s.db") == ["demo"]


def test_a_log_that_cannot_be_read_is_told(open_folder: Path) -> None:
    path = _saved(open_folder)
    path.with_name("s.db-wal").write_bytes(b"log" * 100)
    open_folder.chmod(0o555)
    with powerless(), pytest.raises(DatabaseUnusable, match="cannot be used"):
        _names(path)


def test_what_is_read_from_a_file_that_changes_meanwhile_is_read_again(tmp_path: Path) -> None:
    path = _saved(tmp_path)
    reader, n_reads = Reader(f"sqlite:///{path}"), 0

    def read() -> list[str]:
        nonlocal n_reads
        with reader._database.read() as connection:
            names = [row.name for row in connection.exec_driver_sql("SELECT name FROM studies")]
            n_reads += 1
            if n_reads == 1:
                bench = Bench(f"sqlite:///{path}", pid=2)
                bench.save("new")
                bench.storage.close()
            return names

    assert reader.retries.until_done(read) == ["demo", "new"]
    assert n_reads == 2
    reader.close()


def test_an_older_schema_is_told_by_its_number_and_migrated_by_who_writes(tmp_path: Path) -> None:
    path = _old(tmp_path)
    for expected in ("0001", SCHEMA_VERSION):
        reader = Reader(f"sqlite:///{path}")
        assert reader.schema_version == expected
        reader.close()
        Storage(f"sqlite:///{path}").close()


class TestOnPostgres(OnNewPostgres):
    def test_an_older_schema_is_refused_and_left(self, bench: Bench) -> None:
        with bench.storage._database.write() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        with pytest.raises(
            SchemaMismatch, match=r"has schema 0001.*`weighbridge run STUDY` brings"
        ):
            Reader(bench.url)


def test_who_looks_beside_a_writer_ends_none_of_its_locks(tmp_path: Path) -> None:
    """Else another process that closes the file removes the log that is being written."""
    path = tmp_path / "s.db"
    bench = Bench(f"sqlite:///{path}")
    assert _names(path) == ["demo"]
    look = f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('SELECT 1 FROM runs')"
    subprocess.run([sys.executable, "-c", f"{look}.fetchall(); c.close()"], check=True)
    assert path.with_name("s.db-wal").exists()
    bench.storage.close()
