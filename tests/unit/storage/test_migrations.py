"""The migrations make what `Storage` makes, so that neither can drift from the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from storage import Storage, _database, migrations
from storage._database import SCHEMA_VERSION
from tests.contract.storage_backends import Backend, OnFile, OnPostgres, postgres_schema


class MigrationPromises(Backend):
    @pytest.fixture
    def migrated(self, url: str) -> Iterator[Engine]:
        """An empty database that all migrations were run on."""
        engine = _engine(url)
        migrations.upgrade(engine)
        yield engine
        engine.dispose()

    @pytest.fixture
    def created(self, url_2: str) -> Iterator[Engine]:
        """A database that `Storage` has made."""
        Storage(url_2).close()
        engine = _engine(url_2)
        yield engine
        engine.dispose()

    @pytest.mark.parametrize("what", ["tables", "columns", "keys", "indexes", "checks", "views"])
    def test_migrated_is_as_created(self, migrated: Engine, created: Engine, what: str) -> None:
        assert _described(migrated)[what] == _described(created)[what]

    def test_the_migration_writes_the_version(self, migrated: Engine) -> None:
        with migrated.connect() as connection:
            versions = connection.scalars(sa.text("SELECT version_num FROM alembic_version")).all()
        assert versions == [SCHEMA_VERSION]

    def test_a_migrated_database_is_opened(self, migrated: Engine, url: str) -> None:
        storage = Storage(url, create=False)
        assert storage.studies() == []
        storage.close()

    def test_migrating_twice_changes_nothing(self, migrated: Engine) -> None:
        before = _described(migrated)
        migrations.upgrade(migrated)
        assert _described(migrated) == before

    def test_migrating_prints_nothing(self, url: str, capfd: pytest.CaptureFixture[str]) -> None:
        engine = _engine(url)
        migrations.upgrade(engine)
        engine.dispose()
        assert capfd.readouterr() == ("", "")

    def test_a_failed_migration_leaves_the_database_as_it_was(self, url: str) -> None:
        engine = _engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE epochs (note VARCHAR(9))")  # is in the way
        with pytest.raises(sa.exc.DBAPIError, match="already exists"):
            migrations.upgrade(engine)
        assert sa.inspect(engine).get_table_names() == ["epochs"]
        engine.dispose()


class TestMigrationsOnFile(MigrationPromises, OnFile):
    @pytest.fixture
    def url_2(self, url: str) -> str:
        return url.replace("study.db", "created.db")

    def test_tables_without_row_ids_are_the_same(self, migrated: Engine, created: Engine) -> None:
        assert _without_rowid(migrated) == _without_rowid(created) == {"epochs", "epoch_values"}


class TestMigrationsOnPostgres(MigrationPromises, OnPostgres):
    @pytest.fixture
    def url_2(self) -> Iterator[str]:
        with postgres_schema() as url:
            yield url


def test_the_newest_migration_is_the_version_of_the_code() -> None:
    scripts = ScriptDirectory(migrations.__path__[0])
    assert scripts.get_heads() == [SCHEMA_VERSION]


def test_versions_count_up_so_that_newer_ones_can_be_told() -> None:
    scripts = ScriptDirectory(migrations.__path__[0])
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == sorted(revisions, reverse=True)
    assert all(re.fullmatch(r"\d{4}", revision) for revision in revisions)


def _engine(url: str) -> Engine:
    """An engine as `Storage` has it, on a database that may be empty."""
    return _database._engine(make_url(url))


def _described(engine: Engine) -> dict[str, Any]:
    """All that makes up a schema, in plain values that can be compared."""
    found = sa.inspect(engine)
    tables = sorted(found.get_table_names())
    return {
        "tables": tables,
        "columns": {table: [_column(c) for c in found.get_columns(table)] for table in tables},
        "keys": {
            table: (
                found.get_pk_constraint(table),
                _sorted(found.get_unique_constraints(table)),
                _foreign_keys(found.get_foreign_keys(table)),
            )
            for table in tables
        },
        "indexes": {table: _sorted(found.get_indexes(table)) for table in tables},
        "checks": {
            table: [
                (check["name"], _tidy(check["sqltext"]))
                for check in found.get_check_constraints(table)
            ]
            for table in tables
        },
        "views": {name: _tidy(found.get_view_definition(name)) for name in found.get_view_names()},
    }


def _column(column: Any) -> tuple[str, str, bool, str]:
    default = re.sub(r"weighbridge_\w+\.", "", str(column["default"]))  # the schema of this test
    return column["name"], repr(column["type"]), column["nullable"], default


def _foreign_keys(found: Any) -> list[Any]:
    """Foreign keys without the name of the schema they lie in."""
    return _sorted([{**key, "referred_schema": None} for key in found])


def _sorted(found: Any) -> list[Any]:
    return sorted(found, key=lambda item: str(item["name"]))


def _tidy(sql: str) -> str:
    return " ".join(sql.split()).removesuffix(";")


def _without_rowid(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("PRAGMA table_list").mappings()
        return {row["name"] for row in rows if row["wr"]}
