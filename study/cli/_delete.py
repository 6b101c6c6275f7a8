"""``weighbridge delete``: remove a study with all that was trained."""

from __future__ import annotations

from study.catalogue import stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl, Study, Yes, ask
from study.cli._output import counted, duration, print_json, say
from study.drivers.holder import liveness
from study.running.checkpoint_path import remove_files

NAME = "delete"


def command(
    study: Study, yes: Yes = False, storage: StorageUrl = STORAGE, as_json: AsJson = False
) -> None:
    """Delete a study: its runs, results, costs, checkpoints and logs. There is no way back."""
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        record = database.study(stored_name(study, storage=storage))
        totals = database.totals(record.id)
        n_runs = sum(totals.states.values())
        ask(
            f"Delete {record.name} in {database.url}: {counted(n_runs, 'run')}, which cost "
            f"{duration(totals.device_s)}, with checkpoints and logs?",
            yes=yes,
        )
        folders = database.file_folders(record.id)
        database.delete_study(record.id, liveness=liveness)
    finally:
        database.close()
    remove_files(folders)
    if as_json:
        before = {"runs": n_runs, "device_s": totals.device_s}
        print_json("delete", {"study": record.name, "changed": True, "before": before, "after": {}})
        return
    say((record.name, "bold"), " is deleted.")
