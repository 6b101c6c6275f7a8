"""``weighbridge stop``: end what trains a study, wherever it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import counted, next_step, say
from study.cli._steering import AtWork, steered

if TYPE_CHECKING:
    from storage import Storage
    from storage.records import StudyRecord

NAME: Final = "stop"


def command(study: Study, storage: StorageUrl = STORAGE, as_json: AsJson = False) -> None:
    """End all drivers of a study, on whatever host, as Ctrl-C does there.

    Workers save what they train at the end of its epoch, and let go of their devices.
    """
    found = steered(NAME, study, _stop, storage=storage, as_json=as_json)
    if found is None:
        return
    record = found.record
    say((record.name, "bold"), f": {_told(found.here)}")
    if record.paused:
        next_step(
            "resume", record.name, storage=storage, why="it is paused; after that, run goes on"
        )
    else:
        next_step("run", study, storage=storage, why="goes on where this stopped")


def _stop(database: Storage, record: StudyRecord) -> tuple[dict[str, int], dict[str, int]]:
    database.stop(record.id)
    return {"stops": record.stops}, {"stops": record.stops + 1}


def _told(here: AtWork) -> str:
    if here.drivers:
        are_saved = "run in training is" if here.n_runs == 1 else "runs in training are"
        return (
            f"{here.said} will end within seconds of the end of an epoch; {here.n_runs} "
            f"{are_saved} saved."
        )
    if here.n_left:
        whose = "its" if here.n_left == 1 else "their"
        have = "driver has" if here.n_gone == 1 else "drivers have"
        return (
            f"nobody is at work on it. {counted(here.n_left, 'run')} in training: {whose} {have} "
            "gone without a word, and the next run of the study takes up what was saved."
        )
    return "nobody trains it; drivers that wait for runs will end."
