"""What runs and attempts have come to: their epochs, costs and ends, as one change of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam

from storage.planning.writing import next_change, now
from storage.recording.costs import COLUMNS
from storage.recording.repeats import attempt_state
from storage.records import Ending, EpochRecord, Report
from storage.schema.bulk import Update, Upsert
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import attempts, epochs, runs
from storage.states import RunState, check_move

EPOCHS = Upsert(epochs)
_PROGRESS = Update(runs, ["epochs_done", "epochs_change"])
_COSTS = Update(attempts, [*COLUMNS, "change"])
_END = PreparedStatement(
    runs.update()
    .where(
        runs.c.id == bindparam("run"),
        runs.c.token == bindparam("old_token"),
        runs.c.state == RunState.LEASED,
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        diverged_epoch=bindparam("bad_epoch"),
        ended_at=bindparam("at"),
        holder_id=None,
        lease_until_s=None,
        change=bindparam("number"),
    )
)
_END_ATTEMPT = PreparedStatement(
    attempts.update()
    .where(attempts.c.id == bindparam("attempt"))
    .values(
        state=bindparam("new_state"),
        failure=bindparam("class"),
        failure_text=bindparam("why"),
        failure_key=bindparam("key"),
        detail=bindparam("text"),
        ended_at=bindparam("at"),
        change=bindparam("number"),
        **{name: bindparam(f"new_{name}") for name in COLUMNS},
    )
)


def write_progress(
    connection: Connection,
    accepted: Sequence[tuple[Report, Any]],
    progress: Mapping[int, int],
    costs: Mapping[int, Mapping[str, Any]],
) -> None:
    """Say what runs and attempts have come to; all else of the transaction is written.

    Args:
        accepted: Reports with the rows of their runs, which are locked.
        progress: Run to its last epoch, of those that have new ones.
        costs: Run to the id of its attempt, and what that has cost.
    """
    studies = sorted({row.study_id for _, row in accepted})
    changes = {study_id: next_change(connection, study_id) for study_id in studies}
    of_run = {row.id: changes[row.study_id] for _, row in accepted}
    done = [
        {"id": run, "epochs_done": epoch, "epochs_change": of_run[run]}
        for run, epoch in progress.items()
    ]
    _PROGRESS.write(connection, done)
    endings = [report for report, _ in accepted if isinstance(report, Ending)]
    for ending in endings:
        _end(connection, ending, costs[ending.run], of_run[ending.run])
    ended = {ending.run for ending in endings}
    going_on = [{**row, "change": of_run[run]} for run, row in costs.items() if run not in ended]
    _COSTS.write(connection, going_on)


def _end(connection: Connection, ending: Ending, costs: Mapping[str, Any], change: int) -> None:
    check_move(RunState.LEASED, ending.state)
    at = now()
    diverged = ending.state is RunState.DIVERGED
    if diverged:
        # the epoch that went wrong has a cost, though no values
        row = epoch_row(ending.epoch + 1, costs["id"], ending)
        EPOCHS.write(connection, [row])
    _END.run(
        connection,
        {
            "run": ending.run,
            "old_token": ending.token,
            "new_state": ending.state,
            "why": ending.reason,
            "bad_epoch": ending.epoch + 1 if diverged else None,
            "at": None if ending.state is RunState.WAITING else at,
            "number": change,
        },
    )
    _END_ATTEMPT.run(
        connection,
        {
            **{f"new_{name}": costs[name] for name in COLUMNS},
            "attempt": costs["id"],
            "number": change,
            "new_state": attempt_state(ending),
            "class": ending.failure,
            "why": ending.reason if ending.failure else None,
            "key": ending.failure_key,
            "text": ending.detail,
            "at": at,
        },
    )


def epoch_row(epoch: int, attempt: int, report: EpochRecord | Ending) -> dict[str, Any]:
    """A row of `epochs`."""
    spent = report.spent
    return {
        "run_id": report.run,
        "epoch": epoch,
        "attempt_id": attempt,
        "train_s": spent.train_s,
        "validation_s": spent.validation_s,
        "solo_s": report.solo_s,
        "grad_evals": spent.grad_evals,
        "round": report.round,
    }
