"""Looking back: what happened to runs, by which code, and where their files are."""

from __future__ import annotations

from storage.database.patience import patient
from storage.log import queries as _log
from storage.planning.opened import Opened
from storage.records import AttemptLog, Cause, TrainedWith


class Log(Opened):
    """The part of `storage.Storage` and `storage.Reader` that looks back."""

    @patient
    def trained_with(self, study_id: int) -> list[TrainedWith]:
        """The versions of the user's own code that runs have epochs by, newest first."""
        with self._database.read() as connection:
            return _log.trained_with(connection, study_id)

    @patient
    def attempts_of(self, study_id: int, run: int) -> list[AttemptLog]:
        """All attempts at a run, in order; none if the study has no such run."""
        with self._database.read() as connection:
            return _log.attempts_of(connection, study_id, run)

    @patient
    def causes(self, study_id: int, *, limit: int) -> list[Cause]:
        """What attempts failed for, the latest first."""
        with self._database.read() as connection:
            return _log.causes(connection, study_id, limit)

    @patient
    def file_folders(self, study_id: int) -> list[str]:
        """Where workers have kept files of a study: folders and URLs."""
        with self._database.read() as connection:
            return _log.folders(connection, study_id)
