"""Looking back: what happened to runs, by which code, and where their files are."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.leasing.budgets import MONEY
from storage.planning.opened import OpenedDatabase
from storage.planning.proposals import WRITTEN
from storage.records import AttemptLog, Cause, RunCosts, TrainedWith, TrainingRound
from storage.schema.tables import attempts, environments, epochs, runs, searches, trials, workers

_MODULE = "module:"  # entries of a worker's environment, see `trainers.worker.code`

_OF_ROUND = ("train_s", "validation_s", "grad_evals")
_OF_STUDY = attempts.c.study_id == bindparam("study")
_CODES = (
    sa.select(
        attempts.c.code_fingerprint,
        sa.func.min(workers.c.environment_id).label("environment"),
        sa.func.count(attempts.c.run_id.distinct()).label("runs"),
        sa.func.max(attempts.c.id).label("last"),
    )
    .join(workers, workers.c.id == attempts.c.worker_id)
    .where(_OF_STUDY, attempts.c.code_fingerprint.is_not(None), attempts.c.epochs > 0)
    .group_by(attempts.c.code_fingerprint)
    .order_by(sa.desc("last"))
)
_CONTENT = sa.select(environments.c.content).where(environments.c.id == bindparam("environment"))
_ATTEMPTS = (
    sa.select(
        attempts,
        searches.c.name.label("search"),
        trials.c.number.label("trial"),
        WRITTEN,
        runs.c.run_key,
        runs.c.seed,
        runs.c.state.label("run_state"),
        runs.c.reason,
        runs.c.token.label("last_token"),
        workers.c.host,
        workers.c.files,
    )
    .join(runs, runs.c.id == attempts.c.run_id)
    .join(searches, searches.c.id == runs.c.search_id)
    .join(trials, trials.c.id == runs.c.trial_id)
    .outerjoin(workers, workers.c.id == attempts.c.worker_id)
    .where(_OF_STUDY)
)
_OF_RUN = _ATTEMPTS.where(attempts.c.run_id == bindparam("run")).order_by(attempts.c.token)
_BY_ID = _ATTEMPTS.where(attempts.c.id == bindparam("attempt"))
_CAUSES = (
    sa.select(
        sa.func.count().label("attempts"),
        sa.func.count(attempts.c.run_id.distinct()).label("runs"),
        sa.func.max(attempts.c.id).label("last"),
    )
    .join(runs, runs.c.id == attempts.c.run_id)
    .where(_OF_STUDY, attempts.c.failure.is_not(None))
    .group_by(runs.c.search_id, attempts.c.failure, attempts.c.failure_key)
    .order_by(sa.desc("last"))
    .limit(bindparam("n"))
)
_COSTS_OF = (
    sa.select(
        attempts.c.run_id,
        *(
            sa.func.sum(column).label(name)
            for name, column in (
                ("samples", attempts.c.samples),
                ("grad_evals", attempts.c.grad_evals),
                ("flops", attempts.c.flops),
                ("energy_j", attempts.c.energy_j),
                ("money", MONEY),
            )
        ),
        sa.func.max(attempts.c.peak_memory_bytes).label("peak_memory_bytes"),
    )
    .select_from(attempts.outerjoin(workers, workers.c.id == attempts.c.worker_id))
    .where(attempts.c.run_id.in_(bindparam("runs", expanding=True)))
    .group_by(attempts.c.run_id)
)
_ROUNDS = (
    sa.select(
        epochs.c.run_id,
        epochs.c.round,
        sa.func.min(epochs.c.epoch).label("first_epoch"),
        sa.func.max(epochs.c.epoch).label("last_epoch"),
        *(sa.func.sum(epochs.c[name]).label(name) for name in _OF_ROUND),
    )
    .where(epochs.c.run_id.in_(bindparam("runs", expanding=True)))
    .group_by(epochs.c.run_id, epochs.c.round)
    .order_by(epochs.c.run_id, epochs.c.round)
)
_FOLDERS = sa.select(workers.c.files).where(
    workers.c.study_id == bindparam("study"), workers.c.files != ""
)


class Log(OpenedDatabase):
    """The part of `storage.Storage` and `storage.Reader` that looks back."""

    @retried
    def trained_with(self, study_id: int) -> list[TrainedWith]:
        """The versions of the user's own code that runs have epochs by, newest first."""
        with self._database.read() as connection:
            return [
                TrainedWith(
                    fingerprint=row.code_fingerprint,
                    modules=_modules(connection, row.environment),
                    runs=row.runs,
                )
                for row in connection.execute(_CODES, {"study": study_id})
            ]

    @retried
    def attempts_of(self, study_id: int, run: int) -> list[AttemptLog]:
        """All attempts at a run, in order; none if the study has no such run."""
        with self._database.read() as connection:
            found = connection.execute(_OF_RUN, {"study": study_id, "run": run})
            return [_logged(row) for row in found]

    @retried
    def causes(self, study_id: int, *, limit: int) -> list[Cause]:
        """What attempts failed for, the latest first."""
        here = {"study": study_id}
        with self._database.read() as connection:
            return [
                Cause(
                    attempts=row.attempts,
                    runs=row.runs,
                    last=_logged(connection.execute(_BY_ID, {**here, "attempt": row.last}).one()),
                )
                for row in connection.execute(_CAUSES, {**here, "n": limit}).all()
            ]

    @retried
    def costs_of(self, runs: Collection[int]) -> Mapping[int, RunCosts]:
        """What all attempts at each of these runs have used; as few as a statement can name."""
        with self._database.read() as connection:
            return {
                row.run_id: RunCosts(
                    samples=int(row.samples),
                    grad_evals=int(row.grad_evals),
                    flops=row.flops,
                    energy_j=row.energy_j,
                    money=row.money,
                    peak_memory_bytes=row.peak_memory_bytes,
                )
                for row in connection.execute(_COSTS_OF, {"runs": list(runs)})
            }

    @retried
    def rounds_of(self, runs: Collection[int]) -> list[TrainingRound]:
        """Rounds of each of these runs, in order; as few as a statement can name."""
        with self._database.read() as connection:
            return [
                TrainingRound(
                    run=row.run_id,
                    round=row.round,
                    first_epoch=row.first_epoch,
                    last_epoch=row.last_epoch,
                    train_s=row.train_s,
                    validation_s=row.validation_s,
                    grad_evals=int(row.grad_evals),
                )
                for row in connection.execute(_ROUNDS, {"runs": list(runs)})
            ]

    @retried
    def file_folders(self, study_id: int) -> list[str]:
        """Where workers have kept files of a study: folders and URLs."""
        with self._database.read() as connection:
            return sorted(set(connection.scalars(_FOLDERS, {"study": study_id})))


def _modules(connection: Connection, environment: int) -> dict[str, str]:
    content = connection.execute(_CONTENT, {"environment": environment}).scalar_one()
    entries = json.loads(content).items()
    return {k.removeprefix(_MODULE): v for k, v in entries if k.startswith(_MODULE)}


def _logged(row: Any) -> AttemptLog:
    return AttemptLog(
        run=row.run_id,
        key=row.run_key,
        search=row.search,
        trial=row.trial,
        params=row.written,
        seed=row.seed,
        run_state=row.run_state,
        reason=row.reason if row.token == row.last_token else "",
        token=row.token,
        state=row.state,
        failure=row.failure,
        failure_text=row.failure_text,
        detail=row.detail,
        started=row.started_at,
        ended=row.ended_at,
        epochs=row.epochs,
        host=row.host,
        files=row.files or "",
        code_fingerprint=row.code_fingerprint,
    )
