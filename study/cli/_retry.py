"""``weighbridge retry``: another try for runs that failed."""

from __future__ import annotations

from typing import Annotated

import typer

from storage.states import FINAL, RunState
from study.catalogue import stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import counted, next_step, print_json, say

NAME = "retry"


def command(
    study: Study,
    lost: Annotated[
        bool,
        typer.Option(
            "--lost/--failed", help="Only runs whose workers were lost; default: all that failed."
        ),
    ] = False,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Put failed runs back into the queue, once their cause is mended."""
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        record = database.study(stored_name(study, storage=storage))
        n_runs = database.retry(record.id, "lost" if lost else "failed")
        states = database.totals(record.id).states
    finally:
        database.close()
    n_failed = states.get(RunState.FAILED, 0)
    if as_json:
        before, after = {"failed": n_failed + n_runs}, {"failed": n_failed}
        told = {"study": record.name, "changed": n_runs > 0, "before": before, "after": after}
        print_json("retry", {**told, "runs": n_runs})
    elif n_runs:
        say((record.name, "bold"), f": {counted(n_runs, 'run')} in the queue again.")
        next_step("run", study, storage=storage)
    elif n_failed:
        say(
            (record.name, "bold"),
            f": nothing to try again: no run has lost its worker; {n_failed} failed otherwise.",
        )
        next_step("log", study, storage=storage, why="says why; `retry` without --lost takes all")
    else:
        say((record.name, "bold"), ": nothing to try again: no run of it has failed.")
        left = any(n for state, n in states.items() if state not in FINAL)
        next_step("run" if left else "status", study, storage=storage)
