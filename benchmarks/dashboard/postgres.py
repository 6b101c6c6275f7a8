"""A PostgreSQL server for the benchmark: the one that is named, or one that is thrown away."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.throwaway_postgres import SERVER, can_start


@contextmanager
def server(folder: Path, url: str | None) -> Iterator[str | None]:
    """Its URL; None where there is none."""
    if url or not can_start():
        yield url
        return
    place = folder / "pg"
    folder.chmod(0o755)  # the server runs as a user of its own
    started = subprocess.run([SERVER, "start", place], capture_output=True, text=True, check=True)
    try:
        yield started.stdout.strip()
    finally:
        subprocess.run([SERVER, "stop", place], check=False)
