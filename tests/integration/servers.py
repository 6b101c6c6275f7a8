"""PostgreSQL servers of a test's own, which it may restart and set up as it likes."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.throwaway_postgres import SERVER, can_start
from tests.wanting import skip_for_want_of


@contextmanager
def own_server() -> Iterator[Path]:
    """The folder of a new server, which is gone at the end; short enough for a socket's name.

    Without the server's programs the test is skipped, in CI it fails.
    """
    if not can_start():
        skip_for_want_of("PostgreSQL's programs (apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="wb-"))
    subprocess.run([SERVER, "start", folder], check=True, stdout=subprocess.DEVNULL)
    try:
        yield folder
    finally:
        subprocess.run([SERVER, "stop", folder], check=True)
