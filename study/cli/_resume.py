"""``weighbridge resume``: let a paused study go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import next_step, note, say
from study.cli._steering import steered

if TYPE_CHECKING:
    from storage import Storage
    from storage.records import StudyRecord

NAME: Final = "resume"


def command(study: Study, storage: StorageUrl = STORAGE, as_json: AsJson = False) -> None:
    """Let a paused study go on: drivers that wait do so within seconds."""
    found = steered(NAME, study, _resume, storage=storage, as_json=as_json)
    if found is None:
        return
    if found.changed:
        say((found.record.name, "bold"), " goes on.")
    else:
        note(f"{found.record.name} was not paused.")
    next_step("run", study, storage=storage, why="unless a driver has waited for this")


def _resume(database: Storage, record: StudyRecord) -> tuple[dict[str, bool], dict[str, bool]]:
    was_paused = database.resume(record.id)
    return {"paused": was_paused}, {"paused": False}
