"""A file in the checkpoint folder, by which nodes show that they have the driver's disk."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFile:
    """A file whose content nobody else can know.

    Attributes:
        path: None if it could not be written.
        trouble: Why not.
    """

    path: str | None = None
    content: str = ""
    trouble: str = ""


@contextmanager
def probe_file(folder: Path) -> Iterator[ProbeFile]:
    """Write it; at the end it is gone, and the folder too unless it was there before."""
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    content = secrets.token_hex(16)
    path = folder / f".probe-{content[:8]}"
    try:
        yield _written(path, content)
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        with suppress(OSError):  # a study may have begun to write there
            for place in made:
                place.rmdir()


def _written(path: Path, content: str) -> ProbeFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    except OSError as error:
        return ProbeFile(trouble=error.strerror or str(error))
    return ProbeFile(path=str(path), content=content)
