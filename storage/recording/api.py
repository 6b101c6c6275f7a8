"""Recording: what workers report, and which of their checkpoint files are still there."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database.patience import patient
from storage.planning.opened import Opened
from storage.recording import checkpoints as _checkpoints
from storage.recording.reports import Recorder
from storage.records import CheckpointFile, Recorded, Report


class Recording(Opened):
    """The part of `storage.Storage` that writes what came of the work."""

    _recorder: Recorder

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
    def checkpoint_files(self, study_id: int) -> list[CheckpointFile]:
        """All checkpoints of a study, oldest first; a file stands once a run in it."""
        with self._database.read() as connection:
            return _checkpoints.of_study(connection, study_id)

    @patient
    def forget_checkpoints(self, paths: Sequence[str]) -> None:
        """Let no run go on from these files any more."""
        with self._database.write() as connection:
            _checkpoints.forget(connection, paths)
