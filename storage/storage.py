"""The study database as drivers use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import (
    _checkpoints,
    _held,
    _history,
    _leases,
    _moves,
    _scores,
    _status,
    _studies,
    _workers,
)
from storage._database import Database
from storage._dialects import now_s
from storage._patience import Patience, patient, silent
from storage._recording import Recorder
from storage._urls import sqlite_file
from storage.limits import Limits
from storage.records import (
    BadEnding,
    Baseline,
    CheckpointFile,
    Claimed,
    Decision,
    FailureGroup,
    Holder,
    NewRun,
    Proposal,
    Recorded,
    Report,
    SearchHistory,
    SearchRecord,
    SearchStatus,
    StudyRecord,
    Totals,
)
from storage.scoring import Selection
from storage.states import Liveness

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Storage:
    """One study database; each method is one transaction.

    A method waits out trouble that passes: a lock of another program, a server that restarts.

    Safe to use from several processes at once; one instance belongs to one thread.

    Args:
        url: SQLAlchemy URL of SQLite or PostgreSQL.
        create: Whether to create what is not there.
        clock: Seconds since the epoch, for leases; default: the database's own clock.
        patience_s: How long a method waits for trouble to pass; opening waits a few seconds.
        on_trouble: Told when trouble begins that does not pass at once, and when it is over.

    Raises:
        DatabaseUnusable: It cannot be used; from here and from every method.
        SchemaMismatch: A newer version of weighbridge has written it.
    """

    def __init__(
        self,
        url: str,
        *,
        create: bool = True,
        clock: Callable[[], float] | None = None,
        patience_s: float = 300.0,
        on_trouble: Callable[[str], None] = silent,
    ) -> None:
        self._database = Database(url, create=create, patience_s=patience_s, on_trouble=on_trouble)
        self._recorder = Recorder()
        self._clock = clock

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._database.shown_url

    @property
    def file(self) -> Path | None:
        """The SQLite file, None for memory and servers."""
        return sqlite_file(self._database.url)

    @property
    def patience(self) -> Patience:
        """How long a method waits for trouble to pass."""
        return self._database.patience

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    @patient
    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with self._database.read() as connection:
            return _studies.list_all(connection)

    @patient
    def find_study(self, name: str) -> StudyRecord | None:
        """The study of that name, or None."""
        with self._database.read() as connection:
            return _studies.find(connection, name)

    @patient
    def save_study(
        self,
        *,
        name: str,
        spec: Mapping[str, Any],
        card: Mapping[str, Any],
        fingerprint: str,
        searches: Sequence[tuple[str, str, str]],
    ) -> StudyRecord:
        """Create a study or store its extended spec; searches are (name, role, weighting)."""
        with self._database.write() as connection:
            return _studies.save(
                connection,
                name=name,
                spec=spec,
                card=card,
                fingerprint=fingerprint,
                wanted=searches,
            )

    @patient
    def searches(self, study_id: int) -> list[SearchRecord]:
        """A study's searches, in the order of its spec."""
        with self._database.read() as connection:
            return _studies.list_searches(connection, study_id)

    @patient
    def history(self, search_id: int) -> SearchHistory:
        """All that happened in one search."""
        with self._database.read() as connection:
            return _history.search_history(connection, search_id)

    @patient
    def busy_searches(self, study_id: int) -> frozenset[int]:
        """Searches of a study with runs that are planned and not final."""
        with self._database.read() as connection:
            return _history.busy_searches(connection, study_id)

    @patient
    def propose(
        self,
        search_id: int,
        *,
        stage: int,
        kind: str,
        tuned: str,
        new: Sequence[Proposal],
        retired: Iterable[str] = (),
    ) -> None:
        """Add points to a stage; doing it twice changes nothing."""
        with self._database.write() as connection:
            _studies.propose(
                connection,
                search_id=search_id,
                stage=stage,
                kind=kind,
                tuned=tuned,
                new=new,
                retired=retired,
            )

    @patient
    def add_runs(self, search_id: int, new: Sequence[NewRun]) -> None:
        """Add runs of proposed trials; doing it twice changes nothing."""
        with self._database.write() as connection:
            _studies.add_runs(connection, search_id, new)

    @patient
    def decide(self, search_id: int, decision: Decision) -> None:
        """Store a stage's winner; later stages are decided anew."""
        with self._database.write() as connection:
            _history.decide(connection, search_id, decision)

    @patient
    def reopen_decisions(self, study_id: int) -> int:
        """Let a study's decisions be taken again; returns how many stood."""
        with self._database.write() as connection:
            return _history.reopen_decisions(connection, study_id)

    @patient
    def baseline(self, study_id: int) -> Baseline | None:
        """The baseline in force."""
        with self._database.read() as connection:
            return _history.standing_baseline(connection, study_id)

    @patient
    def set_baseline(self, study_id: int, baseline: Baseline) -> None:
        """Put a baseline in force."""
        with self._database.write() as connection:
            _history.set_baseline(connection, study_id, baseline)

    @patient
    def score_stl(
        self,
        study_id: int,
        primary: Mapping[str, _scores.Metric],
        selection: Selection,
        *,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished single-task runs (all, or among `only`).

        Args:
            primary: (task, metric, direction) by search name.
        """
        with self._database.write() as connection:
            _scores.score_stl(connection, study_id, primary, selection, only)

    @patient
    def score_mtl(
        self,
        study_id: int,
        metrics: Sequence[_scores.Metric],
        baseline: Baseline,
        selection: Selection,
        *,
        only: Sequence[int] | None = None,
    ) -> None:
        """Score finished multi-task runs (all, or among `only`) under a baseline."""
        with self._database.write() as connection:
            _scores.score_mtl(connection, study_id, metrics, baseline, selection, only)

    @patient
    def run_table(self, run: int) -> _scores.Table:
        """Split -> (task, metric) -> values by epoch of one run."""
        with self._database.read() as connection:
            return _scores.run_table(connection, run)

    @patient
    def register_holder(self, holder: Holder) -> int:
        """Make a driver known; returns its id."""
        with self._database.write() as connection:
            return _workers.register_holder(connection, holder)

    @patient
    def register_worker(
        self,
        *,
        study_id: int,
        holder_id: int,
        pid: int,
        environment: Mapping[str, str],
        startup_s: float,
        price_per_h: float | None = None,
    ) -> int:
        """Make a worker known and book its start-up; returns its id."""
        with self._database.write() as connection:
            return _workers.register_worker(
                connection,
                study_id=study_id,
                holder_id=holder_id,
                pid=pid,
                environment=environment,
                startup_s=startup_s,
                price_per_h=price_per_h,
            )

    @patient
    def claim(
        self,
        study_id: int,
        *,
        holder_id: int,
        worker_id: int,
        n: int,
        lease_s: float,
        limits: Limits | None = None,
    ) -> Claimed:
        """Lease up to `n` waiting runs of one pack key, first in line first.

        Args:
            limits: What all attempts, and what leased runs may still take, must stay within.
        """
        with self._database.write() as connection:
            return _leases.claim(
                connection,
                study_id=study_id,
                holder_id=holder_id,
                worker_id=worker_id,
                n=n,
                until_s=self._now_s(connection) + lease_s,
                limits=limits,
            )

    @patient
    def renew(self, holder_id: int, run_ids: Sequence[int], *, lease_s: float) -> None:
        """Put off the expiry of a driver's leases."""
        with self._database.write() as connection:
            until_s = self._now_s(connection) + lease_s
            _leases.renew(connection, holder_id=holder_id, run_ids=run_ids, until_s=until_s)

    @patient
    def record(self, reports: Sequence[Report]) -> Recorded:
        """Write workers' reports in one transaction; writing them twice changes nothing."""
        try:
            with self._database.write() as connection:
                recorded = self._recorder.record(connection, reports)
        except BaseException:
            self._recorder.forget()
            raise
        self._recorder.keep()
        return recorded

    @patient
    def take_back(self, study_id: int, *, liveness: Callable[[Holder], Liveness]) -> int:
        """Return leases whose holder is dead, or that expired, to the queue.

        The lease of a holder that is known to be alive stays, whatever the clock says.
        """
        with self._database.read() as connection:
            leases = _leases.leased(connection, study_id)
            time_s = self._now_s(connection)
        lost = [
            (run, token, "holder dead" if found is Liveness.DEAD else "lease expired", until_s)
            for run, token, until_s, holder in leases
            if (found := liveness(holder)) is Liveness.DEAD
            or (found is Liveness.UNKNOWN and until_s < time_s)
        ]
        if not lost:
            return 0
        with self._database.write() as connection:
            return sum(_leases.take_back(connection, *lease) for lease in lost)

    @patient
    def leased_by(self, study_id: int, holder_id: int) -> list[tuple[int, int]]:
        """(run, token) of each lease of a driver, also of those that it does not know of."""
        with self._database.read() as connection:
            return _held.leased_by(connection, study_id, holder_id)

    @patient
    def take_back_run(self, run: int, token: int, why: str) -> bool:
        """Return one leased run to the queue, its worker is gone."""
        with self._database.write() as connection:
            return _leases.take_back(connection, run, token, why)

    @patient
    def totals(self, study_id: int) -> Totals:
        """Runs by state and cost of all attempts."""
        with self._database.read() as connection:
            return _status.totals(connection, study_id)

    @patient
    def study(self, name: str) -> StudyRecord:
        """The study of that name.

        Raises:
            UnknownStudy: With the names that exist.
        """
        with self._database.read() as connection:
            return _studies.get(connection, name)

    @patient
    def search_status(self, study_id: int) -> list[SearchStatus]:
        """How each search of a study stands, in the order of the spec."""
        with self._database.read() as connection:
            return _status.searches_of(connection, study_id)

    @patient
    def bad_endings(self, study_id: int, *, limit: int) -> list[BadEnding]:
        """Runs that failed or diverged, failed ones first."""
        with self._database.read() as connection:
            return _status.bad_endings(connection, study_id, limit)

    @patient
    def failure_groups(self, study_id: int) -> list[FailureGroup]:
        """Failed runs of a study by search and cause."""
        with self._database.read() as connection:
            return _status.failure_groups(connection, study_id)

    @patient
    def retry(self, study_id: int, which: _moves.Retried) -> int:
        """Return failed runs to the queue, or only those lost with their workers; how many."""
        with self._database.write() as connection:
            return _moves.retry(connection, study_id, which)

    @patient
    def prune(self, run: int, token: int) -> bool:
        """End a paused run for good; False if it was moved meanwhile."""
        with self._database.write() as connection:
            return _moves.prune(connection, run, token)

    @patient
    def resume(self, run: int, token: int) -> bool:
        """Return a paused run to the queue; False if it was moved meanwhile."""
        with self._database.write() as connection:
            return _moves.resume(connection, run, token)

    @patient
    def checkpoints_of(self, run: int) -> list[CheckpointFile]:
        """A run's checkpoints, newest first."""
        with self._database.read() as connection:
            return _checkpoints.of_run(connection, run)

    @patient
    def checkpoint_files(self, study_id: int) -> list[CheckpointFile]:
        """All checkpoints of a study by run, newest first; a file stands once a run in it."""
        with self._database.read() as connection:
            return _checkpoints.of_study(connection, study_id)

    @patient
    def forget_checkpoint(self, path: str) -> None:
        """Let no run go on from this file any more."""
        with self._database.write() as connection:
            _checkpoints.forget(connection, path)

    def _now_s(self, connection: Connection) -> float:
        return now_s(connection) if self._clock is None else self._clock()
