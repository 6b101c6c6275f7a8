"""One database: its transactions and schema version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage.database.engines import make_engine, reading
from storage.database.explained_errors import explained, takes_no_writes
from storage.database.read_only import ReadOnlyConnections
from storage.database.rescue import FileGuard
from storage.database.retry import Retry, silent
from storage.database.urls import checked_url, shown, sqlite_file
from storage.errors import DatabaseUnusable, SchemaMismatch
from storage.schema.creation import create_all
from storage.schema.dialects import is_committed, lock_schema, transaction_number

SCHEMA_VERSION = "0005"
_OURS = {"alembic_version", "studies", "searches", "runs", "attempts"}  # in every version
_OPENING_PATIENCE_S = 3.0  # a wrong URL is to be told at once
_version_table = sa.table("alembic_version", sa.column("version_num"))


class Database:
    """An engine with transactions that say clearly what went wrong.

    Attributes:
        found_version: Schema that the database had when it was opened; None of one that is new.
    """

    def __init__(
        self,
        url: str | None,
        *,
        create: bool,
        read_only: bool = False,
        patience_s: float,
        on_trouble: Callable[[str], None] = silent,
        rescues: bool = True,
    ) -> None:
        self.url = URL.create("sqlite") if url is None else checked_url(url)
        if not create:
            self._refuse_missing_file()
        path = sqlite_file(self.url)
        self._readers = ReadOnlyConnections(path) if read_only and path is not None else None
        self.engine = make_engine(self.url) if self._readers is None else self._readers.engine()
        self._read_only = read_only
        self._moment: Connection | None = None
        self.retries = Retry(min(patience_s, _OPENING_PATIENCE_S), silent)
        try:
            self.retries.until_done(lambda: self._open(create=create))
        except BaseException:
            self.engine.dispose()  # nobody else could close what was opened so far
            raise
        if read_only and self._readers is None:
            self.engine = self.engine.execution_options(**reading(self.url))
        self.retries = Retry(patience_s, on_trouble)
        self._guard = None
        if path is not None and not read_only:
            self._guard = FileGuard(path, self.engine, saves=rescues)

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return shown(self.url)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A writing transaction; on SQLite it takes the write lock at once."""
        if self._guard is not None:
            self._guard.check()
        number = None
        with self._explained():
            try:
                with self.engine.begin() as connection:
                    yield connection
                    number = transaction_number(connection)
            except DBAPIError:
                # only the commit can fail when the number is known: it may have been done
                if number is None or not self._was_committed(number):
                    raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and cannot write."""
        if self._moment is not None:
            yield self._moment
            return
        with self._unchanged(), self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(**reading(self.url))
            with connection.begin():
                yield connection

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """All that is read in the block is read in one transaction, of one state."""
        with self.read() as self._moment:
            try:
                yield
            finally:
                self._moment = None

    def _was_committed(self, number: str) -> bool:
        """Whether a transaction took place whose commit was not answered."""

        def ask() -> bool:
            with self.read() as connection:
                found = is_committed(connection, number)
            if found is None:
                raise DatabaseUnusable("A transaction is still being ended.", passing=True)
            return found

        return self.retries.until_done(ask)

    def _open(self, *, create: bool) -> None:
        with self._explained():
            self._ensure_schema(create=create)

    def _ensure_schema(self, *, create: bool) -> None:
        found = self.found_version = self._schema_version()
        if found == SCHEMA_VERSION:
            return
        if found is None:
            if not create:
                raise DatabaseUnusable(
                    f"{self.shown_url} holds no studies. "
                    "Start one with `weighbridge run STUDY`, or give another --storage.",
                    missing=True,
                )
            self._create_schema()
        elif found > SCHEMA_VERSION:
            raise SchemaMismatch(
                f"The database {self.shown_url} has schema {found}, newer than {SCHEMA_VERSION}, "
                "which this version of weighbridge knows. Upgrade weighbridge."
            )
        elif self._read_only:
            self._look_at_older(found)
        else:
            from storage.schema.migrations import upgrade

            upgrade(self.engine)

    def _look_at_older(self, found: str) -> None:
        """Read a database of an older schema, which stays as it is."""
        from storage.schema.migrations import upgrade

        if self._readers is None:
            raise SchemaMismatch(
                f"The database {self.shown_url} has schema {found}, and this version of "
                f"weighbridge reads {SCHEMA_VERSION}. Looking changes nothing: `weighbridge run "
                "STUDY` brings it up to date. Older versions cannot use it then."
            )
        self.engine = self._readers.copy()
        self._readers = None
        upgrade(self.engine)

    def _create_schema(self) -> None:
        with self.engine.begin() as connection:
            lock_schema(connection)
            if sa.inspect(connection).has_table("alembic_version"):
                return  # another process was faster
            create_all(connection)
            connection.exec_driver_sql(
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
            )
            connection.execute(_version_table.insert().values(version_num=SCHEMA_VERSION))

    def _schema_version(self) -> str | None:
        with self.read() as connection:
            names = set(sa.inspect(connection).get_table_names())
            if names and not names >= _OURS:
                raise DatabaseUnusable(
                    f"{self.shown_url} is a database of another program: it holds the tables "
                    f"{', '.join(sorted(names)[:5])}. Give --storage a database of its own."
                )
            if not names:
                return None
            return connection.scalar(sa.select(_version_table.c.version_num))

    def _refuse_missing_file(self) -> None:
        path = sqlite_file(self.url)
        if path is not None and not path.exists():
            raise DatabaseUnusable(
                f"There is no study database at {path}. "
                "Start a study with `weighbridge run STUDY`, or name another file with --storage.",
                missing=True,
            )

    @contextmanager
    def _unchanged(self) -> Iterator[None]:
        """A look at a file that nobody writes; if somebody does, neither result nor error count."""
        try:
            yield
        except DatabaseUnusable:
            if self._readers is not None:
                self._readers.check()
            raise
        if self._readers is not None:
            self._readers.check()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if takes_no_writes(error):
                self.engine.dispose()  # another server does by now: these connections stay with it
            raise explained(self.url, error) from error
