"""The migrations make what `Storage` makes, so that neither can drift from the other."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from storage import Storage
from storage.database.engines import make_engine
from storage.database.opened import SCHEMA_VERSION
from storage.schema import migrations
from tests.contract.storage_backends import Backend, OnFile, OnNewPostgres, postgres_schema
from tests.contract.storage_schema import described


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

    def test_migrated_is_as_created(self, migrated: Engine, created: Engine) -> None:
        found, expected = described(migrated), described(created)
        assert set(found) == {"tables", "columns", "keys", "indexes", "checks", "views"}
        for what, parts in found.items():
            assert parts, what
            assert parts == expected[what]

    def test_the_migration_writes_the_version(self, migrated: Engine) -> None:
        with migrated.connect() as connection:
            versions = connection.scalars(sa.text("SELECT version_num FROM alembic_version")).all()
        assert versions == [SCHEMA_VERSION]

    def test_a_migrated_database_is_opened(self, migrated: Engine, url: str) -> None:
        storage = Storage(url, create=False)
        assert storage.studies() == []
        storage.close()

    def test_migrating_twice_changes_nothing(self, migrated: Engine) -> None:
        before = described(migrated)
        migrations.upgrade(migrated)
        assert described(migrated) == before

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
        assert (
            _without_rowid(migrated)
            == _without_rowid(created)
            == {"epochs", "epoch_values", "gradient_pairs", "timings"}
        )


class TestMigrationsOnPostgres(MigrationPromises, OnNewPostgres):
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
    return make_engine(make_url(url))


def _without_rowid(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("PRAGMA table_list").mappings()
        return {row["name"] for row in rows if row["wr"]}
