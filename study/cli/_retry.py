"""``weighbridge retry``: another try for runs that failed."""

from __future__ import annotations

from typing import Annotated

import typer

from study.catalogue import stored_name
from study.cli._options import STORAGE, StorageUrl, Study
from study.cli._output import counted, next_step, say

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
) -> None:
    """Put failed runs back into the queue, once their cause is mended."""
    from storage import Storage  # SQLAlchemy loads with it

    database = Storage(storage, create=False)
    try:
        name = stored_name(study, storage=storage)
        n_runs = database.retry(database.study(name).id, "lost" if lost else "failed")
    finally:
        database.close()
    say((name, "bold"), f": {counted(n_runs, 'run')} in the queue again.")
    if n_runs:
        next_step("run", study, storage=storage)
