"""Planning: studies, their searches, and what these are to try."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from storage.database.retry import retried
from storage.planning import history as _history
from storage.planning import networks as _networks
from storage.planning import proposals as _proposals
from storage.planning import studies as _studies
from storage.planning.opened import OpenedDatabase
from storage.records import (
    Calibration,
    NetworkLook,
    NewRun,
    Proposal,
    StudyRecord,
)


class Planning(OpenedDatabase):
    """The part of `storage.Storage` that says what is to be done."""

    @retried
    def find_study(self, name: str) -> StudyRecord | None:
        """The study of that name, or None."""
        with self._database.read() as connection:
            return _studies.find(connection, name)

    @retried
    def save_study(
        self,
        *,
        name: str,
        spec: Mapping[str, Any],
        card: Mapping[str, Any],
        fingerprint: str,
        searches: Sequence[tuple[str, str, str]],
        plan: str = "",
        check: Callable[[StudyRecord], None] = lambda _stored: None,
    ) -> StudyRecord:
        """Create a study or store its extended spec; searches are (name, role, weighting).

        Args:
            plan: Hash of all that decides what the searches do.
            check: Looks at the study as it is stored, if it is, in the transaction that writes;
                what it raises leaves all as it is.
        """
        with self._database.write() as connection:
            return _studies.save(
                connection,
                name=name,
                spec=spec,
                card=card,
                fingerprint=fingerprint,
                plan=plan,
                check=check,
                wanted=searches,
            )

    @retried
    def give_birth(self, study: StudyRecord) -> StudyRecord:
        """Give a study, which is a copy of another, a birth of its own.

        If somebody else has done so since `study` was read, that stands.
        """
        with self._database.write() as connection:
            return _studies.give_birth(connection, study)

    @retried
    def busy_searches(self, study_id: int) -> frozenset[int]:
        """Searches of a study with planned runs that are trained or wait for it."""
        with self._database.read() as connection:
            return _history.busy_searches(connection, study_id)

    @retried
    def paused_searches(self, study_id: int) -> frozenset[int]:
        """Searches with planned runs that are paused at a rung."""
        with self._database.read() as connection:
            return _history.paused_searches(connection, study_id)

    @retried
    def propose(
        self,
        search_id: int,
        *,
        stage: int,
        kind: str,
        tuned: str,
        new: Sequence[Proposal],
        retired: Iterable[str] = (),
        plan: str | None = None,
        most_trials: int | None = None,
    ) -> bool:
        """Add points to a stage; doing it twice changes nothing.

        Args:
            plan: Of the study, as it was when these points were chosen.
            most_trials: That the study may have. If it would have more, as other searches have
                added some meanwhile, nothing is added, and False returned.

        Raises:
            StudyChanged: The study has another plan by now, or is gone.
        """
        with self._database.write() as connection:
            return _proposals.propose(
                connection,
                search_id=search_id,
                plan=plan,
                most_trials=most_trials,
                stage=stage,
                kind=kind,
                tuned=tuned,
                new=new,
                retired=retired,
            )

    @retried
    def add_runs(self, search_id: int, new: Sequence[NewRun]) -> None:
        """Add runs of proposed trials; doing it twice changes nothing."""
        with self._database.write() as connection:
            _proposals.add_runs(connection, search_id, new)

    @retried
    def fix_engine(self, search_ids: Sequence[int], engine: str, reason: str) -> None:
        """Fix the engine of searches that share packs; the first driver to do so decides.

        If one of them has an engine already, the others take that, with the rows of its stacks.

        Raises:
            StudyChanged: Their study is gone.
        """
        with self._database.write() as connection:
            _studies.fix_engine(connection, search_ids, engine, reason)

    @retried
    def fix_rows(self, search_ids: Sequence[int], rows: int) -> None:
        """Fix the number of rows of all their stacks; the first driver to do so decides."""
        with self._database.write() as connection:
            _studies.fix_rows(connection, search_ids, rows)

    @retried
    def lower_rows(self, search_ids: Sequence[int], rows: int) -> None:
        """Let the stacks of searches have fewer rows from now on."""
        with self._database.write() as connection:
            _studies.lower_rows(connection, search_ids, rows)

    @retried
    def network_look(self, study_id: int, key: str) -> NetworkLook | None:
        """What a look at a study's network has found under this key; None if nobody has looked."""
        with self._database.read() as connection:
            return _networks.find_look(connection, study_id, key)

    @retried
    def save_network_look(self, study_id: int, key: str, found: NetworkLook) -> None:
        """Store what a look at a study's network has found.

        Args:
            key: Hash of what it depends on beside the study: code, device, versions.
        """
        with self._database.write() as connection:
            _networks.save_look(connection, study_id, key, found)

    @retried
    def calibration(self, shape: str, hardware: str) -> Calibration | None:
        """What was measured of a shape of network on this hardware; None if nothing was."""
        with self._database.read() as connection:
            return _networks.find_calibration(connection, shape, hardware)

    @retried
    def save_calibrations(
        self,
        found: Sequence[Calibration],
        *,
        study_id: int,
        worker_id: int,
        seconds: float,
    ) -> None:
        """Store what a worker has measured, and what measuring took."""
        with self._database.write() as connection:
            for calibration in found:
                _networks.save_calibration(connection, calibration)
            _networks.book(connection, study_id=study_id, worker_id=worker_id, seconds=seconds)
