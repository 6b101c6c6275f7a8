"""The study database as drivers use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from storage import _history, _leases, _scores, _status, _studies
from storage._database import Database, sqlite_file
from storage._recording import Recorder
from storage.records import (
    BadEnding,
    Baseline,
    Claim,
    Decision,
    Holder,
    NewRun,
    Proposal,
    Rejected,
    Report,
    SearchHistory,
    SearchRecord,
    SearchStatus,
    StudyRecord,
    Totals,
)
from storage.scoring import Selection


class Storage:
    """One study database; each method is one transaction.

    Safe to use from several processes at once; one instance belongs to one thread.

    Args:
        url: SQLAlchemy URL of SQLite or PostgreSQL.
        create: Whether to create what is not there.
        clock: Seconds since the epoch, for leases.

    Raises:
        DatabaseUnusable: It cannot be opened, from here and from every method.
        SchemaMismatch: A newer version of weighbridge has written it.
    """

    def __init__(
        self, url: str, *, create: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = Database(url, create=create)
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

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with self._database.read() as connection:
            return _studies.list_all(connection)

    def find_study(self, name: str) -> StudyRecord | None:
        """The study of that name, or None."""
        with self._database.read() as connection:
            return _studies.find(connection, name)

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

    def searches(self, study_id: int) -> list[SearchRecord]:
        """A study's searches, in the order of its spec."""
        with self._database.read() as connection:
            return _studies.list_searches(connection, study_id)

    def history(self, search_id: int) -> SearchHistory:
        """All that happened in one search."""
        with self._database.read() as connection:
            return _history.search_history(connection, search_id)

    def busy_searches(self, study_id: int) -> frozenset[int]:
        """Searches of a study with runs that are planned and not final."""
        with self._database.read() as connection:
            return _history.busy_searches(connection, study_id)

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

    def add_runs(self, search_id: int, new: Sequence[NewRun]) -> None:
        """Add runs of proposed trials; doing it twice changes nothing."""
        with self._database.write() as connection:
            _studies.add_runs(connection, search_id, new)

    def decide(self, search_id: int, decision: Decision) -> None:
        """Store a stage's winner; later stages are decided anew."""
        with self._database.write() as connection:
            _history.decide(connection, search_id, decision)

    def reopen_decisions(self, study_id: int) -> int:
        """Let a study's decisions be taken again; returns how many stood."""
        with self._database.write() as connection:
            return _history.reopen_decisions(connection, study_id)

    def baseline(self, study_id: int) -> Baseline | None:
        """The baseline in force."""
        with self._database.read() as connection:
            return _history.standing_baseline(connection, study_id)

    def set_baseline(self, study_id: int, baseline: Baseline) -> None:
        """Put a baseline in force."""
        with self._database.write() as connection:
            _history.set_baseline(connection, study_id, baseline)

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

    def run_table(self, run: int) -> _scores.Table:
        """Split -> (task, metric) -> values by epoch of one run."""
        with self._database.read() as connection:
            return _scores.run_table(connection, run)

    def register_holder(self, holder: Holder) -> int:
        """Make a driver known; returns its id."""
        with self._database.write() as connection:
            return _leases.register_holder(connection, holder)

    def register_worker(
        self,
        *,
        study_id: int,
        holder_id: int,
        pid: int,
        environment: Mapping[str, str],
        startup_s: float,
    ) -> int:
        """Make a worker known and book its start-up; returns its id."""
        with self._database.write() as connection:
            return _leases.register_worker(
                connection,
                study_id=study_id,
                holder_id=holder_id,
                pid=pid,
                environment=environment,
                startup_s=startup_s,
            )

    def claim(
        self,
        study_id: int,
        *,
        holder_id: int,
        worker_id: int,
        n: int,
        lease_s: float,
        barred: Sequence[int] = (),
    ) -> list[Claim]:
        """Lease up to `n` waiting runs of one pack key, first in line first.

        Args:
            barred: Searches that get nothing, their budgets are used up.
        """
        with self._database.write() as connection:
            return _leases.claim(
                connection,
                study_id=study_id,
                holder_id=holder_id,
                worker_id=worker_id,
                n=n,
                until_s=self._clock() + lease_s,
                barred=barred,
            )

    def renew(self, holder_id: int, run_ids: Sequence[int], *, lease_s: float) -> None:
        """Put off the expiry of a driver's leases."""
        with self._database.write() as connection:
            until_s = self._clock() + lease_s
            _leases.renew(connection, holder_id=holder_id, run_ids=run_ids, until_s=until_s)

    def record(self, reports: Sequence[Report]) -> list[Rejected]:
        """Write workers' reports in one transaction; returns those with a stale token."""
        try:
            with self._database.write() as connection:
                return self._recorder.record(connection, reports)
        except BaseException:
            self._recorder.forget()
            raise

    def take_back(self, study_id: int, *, is_dead: Callable[[Holder], bool]) -> int:
        """Return leases that expired, or whose holder is provably dead, to the queue."""
        with self._database.read() as connection:
            leases = _leases.leased(connection, study_id)
        now_s = self._clock()
        lost = [
            (run, token, "holder dead" if is_dead(holder) else "lease expired", until_s)
            for run, token, until_s, holder in leases
            if is_dead(holder) or until_s < now_s
        ]
        if not lost:
            return 0
        with self._database.write() as connection:
            return sum(_leases.take_back(connection, *lease) for lease in lost)

    def take_back_run(self, run: int, token: int, why: str) -> bool:
        """Return one leased run to the queue, its worker is gone."""
        with self._database.write() as connection:
            return _leases.take_back(connection, run, token, why)

    def totals(self, study_id: int) -> Totals:
        """Runs by state and cost of all attempts."""
        with self._database.read() as connection:
            return _status.totals(connection, study_id)

    def study(self, name: str) -> StudyRecord:
        """The study of that name.

        Raises:
            UnknownStudy: With the names that exist.
        """
        with self._database.read() as connection:
            return _studies.get(connection, name)

    def search_status(self, study_id: int) -> list[SearchStatus]:
        """How each search of a study stands, in the order of the spec."""
        with self._database.read() as connection:
            return _status.searches_of(connection, study_id)

    def bad_endings(self, study_id: int, *, limit: int) -> list[BadEnding]:
        """Runs that failed or diverged, failed ones first."""
        with self._database.read() as connection:
            return _status.bad_endings(connection, study_id, limit)

    def search_totals(self, search_id: int) -> tuple[float, int]:
        """Device-seconds and epochs of all attempts of a search."""
        with self._database.read() as connection:
            return _status.search_totals(connection, search_id)
