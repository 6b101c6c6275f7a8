"""``weighbridge pause``: hand out no more runs, until ``weighbridge resume``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import counted, next_step, say
from study.cli._steering import steered

if TYPE_CHECKING:
    from storage import Storage
    from storage.records import StudyRecord

NAME: Final = "pause"


def command(study: Study, storage: StorageUrl = STORAGE, as_json: AsJson = False) -> None:
    """Pause a study wherever it is trained: workers save what they train, and wait.

    What is in training is saved at the end of its epoch; drivers stay, and go on after
    `weighbridge resume`. Their workers keep their devices: `weighbridge stop` lets go of these.
    """
    found = steered(NAME, study, _pause, storage=storage, as_json=as_json)
    if found is None:
        return
    name, n_runs = found.record.name, found.here.n_runs
    if not found.changed:
        say((name, "bold"), " was paused already.")
    elif n_runs:
        end = "ends" if n_runs == 1 else "end"
        say((name, "bold"), f" is paused; {counted(n_runs, 'run')} in training {end} first.")
    else:
        say((name, "bold"), " is paused; nobody trains it.")
    next_step("resume", name, storage=storage, why="lets it go on")


def _pause(database: Storage, record: StudyRecord) -> tuple[dict[str, bool], dict[str, bool]]:
    is_new = database.pause(record.id)
    return {"paused": not is_new}, {"paused": True}
