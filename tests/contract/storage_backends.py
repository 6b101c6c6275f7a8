"""The databases that the promises of `storage` are checked on; a test class inherits one each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from storage import Storage
from tests.contract.storage_bench import Bench
from tests.throwaway_postgres import address
from tests.wanting import skip_for_want_of

_VARIABLE = "WEIGHBRIDGE_TEST_POSTGRES"


class Backend:
    """What a test sees: the `url` of an empty database, and a `bench` on it."""

    @pytest.fixture
    def url(self) -> str | None:
        raise NotImplementedError("Override the `url` fixture in your subclass.")

    @pytest.fixture
    def bench(self, url: str | None) -> Iterator[Bench]:
        bench = Bench(url)
        yield bench
        bench.storage.close()


class OnMemory(Backend):
    @pytest.fixture
    def url(self) -> None:
        return None


class OnFile(Backend):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'study.db'}"


class OnPostgres(Backend):
    """A schema that all such tests of a process share, with its tables; emptied for each test."""

    @pytest.fixture
    def url(self, study_schema: StudySchema) -> str:
        study_schema.empty()
        return study_schema.url


class OnNewPostgres(Backend):
    """A schema of its own for each test, without tables: to make one takes a fifth of a second."""

    @pytest.fixture
    def url(self) -> Iterator[str]:
        with postgres_schema() as url:
            yield url


@contextmanager
def postgres_schema() -> Iterator[str]:
    """The URL of a new, empty schema, which is dropped at the end."""
    server = postgres_server()
    schema = f"weighbridge_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        there = make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
        yield there.render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    engine.dispose()


# numbers begin at 1 again; whoever still holds a lock fails the test, instead of keeping it waiting
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL lock_timeout = '10s';
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema() AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() LOOP
        PERFORM setval(name::regclass, 1, false);
    END LOOP;
END $$
"""


@dataclass(frozen=True, slots=True)
class StudySchema:
    """A schema with our tables.

    Attributes:
        connection: One for all tests, whose server process knows the tables already.
    """

    url: str
    connection: psycopg.Connection

    def empty(self) -> None:
        """Delete all rows."""
        self.connection.execute(_EMPTY)


@contextmanager
def study_schema_on_postgres() -> Iterator[StudySchema]:
    """A new schema with our tables, which is dropped at the end."""
    with postgres_schema() as url:
        Storage(url).close()
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            yield StudySchema(url, connection)


def postgres_server() -> str:
    """The URL of the server for tests: that of the environment, or one of the run's own."""
    server = os.environ.get(_VARIABLE) or address()
    if server is None:
        skip_for_want_of(f"PostgreSQL (apt-get install postgresql, or set {_VARIABLE})")
    return server
