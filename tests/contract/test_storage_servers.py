"""What PostgreSQL servers and poolers do to a connection, and that a study outlives it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from storage import DatabaseUnusable, Reader, Storage
from storage.database.explained_errors import explained
from storage.database.urls import checked_url
from storage.schema.dialects import is_committed, transaction_number
from tests.contract.pooler import new_database, pooled
from tests.contract.storage_backends import OnNewPostgres, postgres_server
from tests.contract.storage_bench import Bench


def _name() -> str:
    return f"weighbridge_{uuid.uuid4().hex}"


@contextmanager
def _set_for(storage: Storage, setting: str) -> Iterator[None]:
    """What is set for connections of this one within the block; it was opened without."""
    engine = storage._database.engine

    def connect(connection: psycopg.Connection, _record: object) -> None:
        connection.execute(f"SET {setting}")
        connection.commit()

    engine.dispose()
    sa.event.listen(engine, "connect", connect)
    yield
    sa.event.remove(engine, "connect", connect)
    engine.dispose()


class TestPassingErrors(OnNewPostgres):
    def test_what_a_crash_left_no_trace_of_was_not_committed(self, bench: Bench) -> None:
        """The server has forgotten the transaction, and calls its number one of the future."""
        with bench.storage._database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE written (one int)")
            number = transaction_number(connection)
        assert number is not None
        for asked, known in ((number, True), (str(int(number) + 1_000_000), False)):
            with bench.storage._database.read() as connection:
                assert is_committed(connection, asked) is known

    def test_a_transaction_that_waited_too_long(self, bench: Bench) -> None:
        """As after a pause of the machine, such as a suspended virtual one."""
        storage = Storage(bench.url)
        with (
            _set_for(storage, "idle_in_transaction_session_timeout = '20ms'"),
            pytest.raises(DatabaseUnusable, match="ends transactions that wait") as caught,
            storage._database.write() as connection,
        ):
            while True:  # until the server has had enough
                time.sleep(0.1)
                connection.exec_driver_sql("SELECT 1")
        assert caught.value.passing
        assert storage.study("demo") == bench.study
        storage.close()

    def test_a_statement_that_waited_too_long_for_a_lock(self, bench: Bench) -> None:
        storage = Storage(bench.url, patience_s=0)
        with (
            _set_for(storage, "statement_timeout = '50ms'"),
            bench.storage._database.write() as connection,
        ):
            connection.exec_driver_sql("LOCK TABLE decisions")
            with pytest.raises(DatabaseUnusable, match=r"statement_timeout.*raise the") as caught:
                storage.reopen_decisions(bench.study.id)
        assert "Check" not in str(caught.value)
        assert storage.reopen_decisions(bench.study.id) == 0
        storage.close()

    def test_a_server_that_takes_no_writes_is_waited_out_and_left(self, bench: Bench) -> None:
        """The old primary goes on as a standby; a new connection finds the new one."""
        told: list[str] = []
        storage = Storage(bench.url, on_trouble=told.append)

        def fail_over() -> str:
            return "off" if told else "on"

        @sa.event.listens_for(storage._database.engine, "connect")
        def _connect(connection: object, _record: object) -> None:
            connection.execute(f"SET default_transaction_read_only = {fail_over()}")  # type: ignore[attr-defined]
            connection.commit()  # type: ignore[attr-defined]

        storage._database.engine.dispose()
        assert storage.reopen_decisions(bench.study.id) == 0
        assert "takes no writes now" in told[0]
        assert "is back" in told[1]
        storage.close()


class _Foreign(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("something connects to it")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("state", "passing"),
    [
        *((state, True) for state in ("25006", "25P03", "25P04", "57014", "57P01", "53300")),
        *((state, True) for state in ("40P01", "08006", "55P03")),
        *((state, False) for state in ("26000", "42P05", "42501", "53100")),
    ],
)
def test_what_passes_is_told_by_the_state_and_advice_is_of_the_state(
    state: str, passing: bool
) -> None:
    error = DBAPIError.instance(None, None, _Foreign(state), Exception)
    assert isinstance(error, DBAPIError)
    found = explained(checked_url("postgresql://host/x"), error)
    assert found.passing is passing
    if state not in ("08006", "42501", "53100"):
        assert "URL is right" not in str(found)
        assert "Run the command again" not in str(found)


class TestBehindAPooler:
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls) -> Iterator[str]:
        with (
            new_database(_name()) as url,
            pooled(postgres_server(), str(make_url(url).database)) as through,
        ):
            yield through

    @pytest.mark.parametrize("option", ["", "&prepare_threshold=0"])
    def test_two_drivers_share_a_server_process(self, url: str, option: str) -> None:
        """Each does what it does often enough that psycopg would prepare it."""
        points = [f"{option}{number}" for number in range(12)]
        one, other = Bench(url + option, pid=1), Bench(url + option, pid=2)
        one.plan(*points)
        for _ in range(6):
            one.train(one.claim_one(), (0.2, 0.2))
            other.train(other.claim_one(), (0.2, 0.2))
        assert one.claim() == other.claim() == []
        one.storage.close()
        other.storage.close()

    def test_mixed_up_statements_are_told_with_the_way_out(self, url: str) -> None:
        storages = [Storage(f"{url}&prepare_threshold=1", patience_s=0) for _ in range(2)]
        with pytest.raises(DatabaseUnusable, match="Put prepare_threshold=0 into the URL"):
            for _ in range(4):
                for storage in storages:
                    storage.studies()
        for storage in storages:
            storage.close()


def test_a_database_that_takes_bytes_as_they_come_holds_all_text() -> None:
    encoding = "ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    with new_database(_name(), options=encoding) as url:
        bench = Bench(url)
        bench.plan('{"name":"µ 重み"}')
        reader = Reader(url)
        columns, (row,) = reader.view("run_results", "demo")
        assert row[columns.index("params")] == '{"name":"µ 重み"}'
        reader.close()
        bench.storage.close()


def test_a_database_that_cannot_hold_all_text_is_refused() -> None:
    encoding = "ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    with (
        new_database(_name(), options=encoding) as url,
        pytest.raises(DatabaseUnusable, match=r"encoding LATIN1\. Create one with"),
    ):
        Storage(url)
