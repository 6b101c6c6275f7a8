"""The databases that the promises of `storage` are checked on; a test class inherits one each."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

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
    """A schema of its own for each test, on the server for tests."""

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


def postgres_server() -> str:
    """The URL of the server for tests: that of the environment, or one of the run's own."""
    server = os.environ.get(_VARIABLE) or address()
    if server is None:
        skip_for_want_of(f"PostgreSQL (apt-get install postgresql, or set {_VARIABLE})")
    return server
