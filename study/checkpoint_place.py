"""Where a study's checkpoints go."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from storage.records import StudyRecord
from study.errors import BadSpec
from trainers.places import inside, settled


def checkpoint_place(given: str) -> str:
    """A folder or URL as a user gives it, in the form in which it is kept.

    Raises:
        BadSpec: fsspec cannot open it.
    """
    try:
        return settled(given)
    except OSError as error:
        raise BadSpec(
            f"--checkpoints is a folder, or a URL that fsspec opens. Got {given!r}: {error}. "
            "Install the package of its store (s3fs for s3://, gcsfs for gs://), or give a folder."
        ) from error


def beside(database: Path | None) -> Path:
    """Where the checkpoints of all studies are unless a user names a place: beside their database.

    Args:
        database: None for a server; its checkpoints are in the working folder.
    """
    return (database or Path("weighbridge.db")).resolve().with_suffix(".checkpoints")


def checkpoint_folder(given: str | None, database: Path | None, study: StudyRecord) -> str:
    """The folder of one study.

    A folder that is given may serve several databases with studies of one name: each study has its
    own in it.

    Args:
        given: What `checkpoint_place` returned.
    """
    if given is None:
        return str(beside(database) / study.name)
    born = f"{study.id} {study.created_at.timestamp():.6f}"
    return inside(given, f"{study.name}-{blake2b(born.encode(), digest_size=4).hexdigest()}")
