"""The study database as drivers use it: one class, a module for each of its roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from storage.database.opened import Database
from storage.database.retry import retried, silent
from storage.database.urls import sqlite_file
from storage.deciding import Deciding
from storage.judging import Judging
from storage.leasing.budgets import Settled
from storage.leasing.removals import Removals
from storage.leasing.workers import Workers
from storage.log import Log
from storage.moving import Moving
from storage.networks import Networks
from storage.notifications import Announcing
from storage.planning.audit import AuditLog, this_actor
from storage.planning.calibrations import Calibrations
from storage.planning.history import History
from storage.planning.proposals import Proposing
from storage.planning.studies import Studies
from storage.pulse import Beating
from storage.recording.checkpoints import Checkpoints
from storage.recording.reports import Recorder, Recording
from storage.records import Actor
from storage.revisions import Revisions
from storage.schema.dialects import server_place
from storage.status import Status
from storage.steering import Steering


class Storage(
    Studies,
    Proposing,
    History,
    Calibrations,
    Workers,
    Removals,
    Recording,
    Checkpoints,
    Networks,
    Deciding,
    Judging,
    Moving,
    Steering,
    Announcing,
    Beating,
    Status,
    Revisions,
    AuditLog,
    Log,
):
    """One study database; each method is one transaction.

    A method waits out trouble that passes: a lock of another program, a server that restarts.

    Safe to use from several processes at once; one instance belongs to one thread.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/NAME``; None for a database in
            memory, which is gone once it is closed.
        create: Whether to create what is not there.
        clock: Seconds since the epoch, for leases; default: the database's own clock.
        actor: Who is written into the audit; default: the user of this process.
        patience_s: How long a method waits for trouble to pass; opening waits a few seconds.
        on_trouble: Told when trouble begins that does not pass at once, and when it is over.
        rescues: Whether to save what a file held that was deleted or moved while in use; not for
            one that is open beside another's, which does.

    Raises:
        StorageError: The URL is none that a study can be kept at.
        DatabaseUnusable: It cannot be used; from here and from every method.
        SchemaMismatch: A newer version of weighbridge has written it.
    """

    def __init__(
        self,
        url: str | None,
        *,
        create: bool = True,
        clock: Callable[[], float] | None = None,
        actor: Actor | None = None,
        patience_s: float = 300.0,
        on_trouble: Callable[[str], None] = silent,
        rescues: bool = True,
    ) -> None:
        super().__init__(
            Database(
                url,
                create=create,
                patience_s=patience_s,
                on_trouble=on_trouble,
                rescues=rescues,
            )
        )
        self._recorder = Recorder()
        self._clock = clock
        self._actor = actor or this_actor()
        self._settled = defaultdict(Settled)

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for memory and servers."""
        return sqlite_file(self._database.url)

    @retried
    def whereabouts(self) -> dict[str, str]:
        """What tells this database from a copy of it: where it is, and which one of those there.

        ``place``: the file, or the server; ``number``: the file's on its disk, or the database's.
        """
        if self.file is not None:
            place, found = self.file.resolve(), self.file.stat()
            return {"place": str(place), "number": f"{found.st_dev}:{found.st_ino}"}
        with self._database.read() as connection:
            return server_place(connection)
