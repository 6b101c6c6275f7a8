"""PostgreSQL servers of a test's own, which it may restart and set up as it likes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.storage_backends import postgres_server

SERVER = Path(__file__).parents[1] / "postgres.sh"


@contextmanager
def own_server() -> Iterator[Path]:
    """The folder of a new server, which is gone at the end; short enough for a socket's name.

    Without a server for tests in the environment the test is skipped, in CI it fails.
    """
    postgres_server()
    if shutil.which("pg_ctl") is None and not list(Path("/usr/lib/postgresql").glob("*/bin")):
        pytest.skip("install the PostgreSQL server's programs")
    folder = Path(tempfile.mkdtemp(prefix="wb-"))
    subprocess.run([SERVER, "start", folder], check=True, stdout=subprocess.DEVNULL)
    try:
        yield folder
    finally:
        subprocess.run([SERVER, "stop", folder], check=True)
