"""Whether a study database lies where SQLite is not safe, for the verbs that say so."""

from __future__ import annotations

from dataclasses import dataclass

from storage import database_file, unsafe_file_system


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNetwork:
    """A network file system under a database, and what to do about it."""

    kind: str
    advice: str


def on_network(storage: str) -> OnNetwork | None:
    """What there is to say of the file system of a storage URL; None if all is well."""
    path = database_file(storage)
    kind = None if path is None else unsafe_file_system(path)
    if kind is None:
        return None
    return OnNetwork(
        kind=kind,
        advice=f"{path} is on a network file system ({kind}), where SQLite may damage it. "
        "Use a local disk, or PostgreSQL for several machines.",
    )
