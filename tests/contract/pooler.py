"""PgBouncer in front of the server for tests, in transaction mode, with one connection to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from tests.contract.storage_backends import postgres_server
from tests.wanting import skip_for_want_of

_PORT = 6432
_MOST_TRIES = 3000


@contextmanager
def pooled(server: str, database: str) -> Iterator[str]:
    """The URL of a database behind a pooler; without PgBouncer the test is skipped, in CI it fails.

    Args:
        server: URL of the server.
        database: One of its databases.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        skip_for_want_of("PgBouncer (apt-get install pgbouncer)")
    url = make_url(server)
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)  # it refuses to run as root
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{database} = host={url.query.get('host') or url.host} dbname={database} "
        f"user={url.username}\n"
        f"[pgbouncer]\nlisten_addr =\nlisten_port = {_PORT}\nunix_socket_dir = {folder}\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 1\n"
    )
    user = ["-u", "postgres"] if os.getuid() == 0 else []
    process = subprocess.Popen(
        [program, "-q", *user, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL
    )
    try:
        through = f"postgresql+psycopg://{url.username}@/{database}?host={folder}&port={_PORT}"
        _wait_until_it_answers(process, folder, str(url.username), database)
        yield through
    finally:
        process.terminate()
        process.wait(timeout=60)
        shutil.rmtree(folder)


@contextmanager
def new_database(name: str, *, options: str = "") -> Iterator[str]:
    """The URL of a database of its own on the server for tests."""
    server = postgres_server()
    with psycopg.connect(_plain(server), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} {options}")
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)


def _wait_until_it_answers(
    process: subprocess.Popen[bytes], folder: Path, user: str, database: str
) -> None:
    for _ in range(_MOST_TRIES):
        assert process.poll() is None, "pgbouncer has ended"
        try:
            psycopg.connect(host=str(folder), port=_PORT, user=user, dbname=database).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("pgbouncer does not answer")
