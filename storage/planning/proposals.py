"""What searches are to try: points in the stages that propose them, and the runs of these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import lock_study_of, next_change
from storage.records import NewRun, Proposal
from storage.schema.tables import checkpoints, proposals, runs, searches, stages, trials
from storage.states import RunState

# trials of schema version 1 have their canonical text alone
WRITTEN = sa.func.coalesce(trials.c.written, trials.c.params).label("written")
"""A trial's point as readers and programs get it."""

_TRIALS = sa.select(trials.c.params, trials.c.id, trials.c.number).where(
    trials.c.search_id == bindparam("search")
)
_TRIALS_FROM = _TRIALS.where(trials.c.number >= bindparam("number"))
_N_TRIALS = (
    sa.select(sa.func.count())
    .select_from(trials.join(searches, searches.c.id == trials.c.search_id))
    .where(
        searches.c.study_id == bindparam("study"), searches.c.role.not_in(("baseline", "followup"))
    )
)
_RUN_KEYS = sa.select(runs.c.run_key).where(runs.c.search_id == bindparam("search"))
_ADD_TRIAL = trials.insert().values(search_id=bindparam("search"))
_SET_STANDING = (
    proposals.update()
    .where(proposals.c.id == bindparam("proposal"))
    .values(standing=bindparam("stands"))
)
# dropped are runs whose trial stands in no stage any more: they wait in vain
_STANDS = sa.exists().where(proposals.c.trial_id == runs.c.trial_id, proposals.c.standing)
_MARKED_WRONGLY = (
    sa.select(runs.c.id)
    .where(runs.c.search_id == bindparam("search"), runs.c.planned != _STANDS)
    .order_by(runs.c.id)
    .with_for_update(of=runs)
)
_MARK = (
    runs.update()
    .where(runs.c.id == bindparam("run"))
    .values(planned=sa.not_(runs.c.planned), change=bindparam("number"))
)
_RUN_OF_KEY = sa.select(runs.c.id).where(runs.c.run_key == bindparam("key"))
_CHECKPOINT_OF = (
    sa.select(
        checkpoints.c.attempt_id,
        checkpoints.c.epoch,
        checkpoints.c.path,
        checkpoints.c.size_bytes,
        checkpoints.c.created_at,
    )
    .join(runs, runs.c.id == checkpoints.c.run_id)
    .where(
        runs.c.search_id == bindparam("search"),
        runs.c.trial_number == bindparam("number"),
        runs.c.seed == bindparam("seed"),
        runs.c.role == bindparam("role"),
        checkpoints.c.epoch == bindparam("epoch"),
    )
    .order_by(checkpoints.c.id.desc())
    .limit(1)
)
_STANDING = sa.select(proposals.c.trial_id).where(
    proposals.c.search_id == bindparam("search"), proposals.c.standing
)
_PROPOSALS = sa.select(proposals.c.trial_id, proposals.c.id, proposals.c.number).where(
    proposals.c.search_id == bindparam("search_id"), proposals.c.stage == bindparam("stage")
)

_Trials = Mapping[str, Any]
"""A trial's id and number, by its params."""


class Proposing(OpenedDatabase):
    """The part of `storage.Storage` that says what searches try."""

    @retried
    def propose(
        self,
        search_id: int,
        *,
        stage: int,
        kind: str,
        tuned: str,
        new: Sequence[Proposal],
        retired: Iterable[str] = (),
        plan: str | None = None,
        most_trials: int | None = None,
    ) -> bool:
        """Add points to a stage; doing it twice changes nothing.

        Args:
            plan: Of the study, as it was when these points were chosen.
            most_trials: That the study may have. If it would have more, as other searches have
                added some meanwhile, nothing is added, and False returned.

        Raises:
            StudyChanged: The study has another plan by now, or is gone.
        """
        with self._database.write() as connection:
            study_id = lock_study_of(connection, search_id, plan)
            before = _trials(connection, search_id)
            fresh = {one.params: one.written for one in new if one.params not in before}
            limit = most_trials if fresh else None
            if limit is not None and count_trials(connection, study_id) + len(fresh) > limit:
                return False
            _save_stage(connection, search_id, stage, kind, tuned)
            known = _with_fresh(connection, search_id, before, fresh)
            rounds = {known[proposal.params].id: proposal.round for proposal in new}
            gone = [known[params].id for params in retired if params in known]
            _enter(connection, {"search_id": search_id, "stage": stage}, rounds, gone)
            wrong: Sequence[int] = ()
            if gone or len(rounds) > len(fresh):  # fresh ones have no runs yet
                wrong = connection.scalars(_MARKED_WRONGLY, {"search": search_id}).all()
            change = next_change(connection, study_id)
            if wrong:
                connection.execute(_MARK, [{"run": run, "number": change} for run in wrong])
            return True

    @retried
    def add_runs(self, search_id: int, new: Sequence[NewRun]) -> None:
        """Add runs of proposed trials; doing it twice changes nothing.

        One that goes on from another run has that one's checkpoint as its own from now on, so that
        the file stays for as long as it may be needed.
        """
        with self._database.write() as connection:
            study_id = lock_study_of(connection, search_id)
            known = _trials(connection, search_id)
            present = set(connection.scalars(_RUN_KEYS, {"search": search_id}))
            standing = set(connection.scalars(_STANDING, {"search": search_id}))
            rows = [
                {
                    "study_id": study_id,
                    "search_id": search_id,
                    "trial_id": known[run.params].id,
                    "trial_number": known[run.params].number,
                    "role": run.role,
                    "seed": run.seed,
                    "run_key": run.run_key,
                    "pack_key": run.pack_key,
                    "state": RunState.WAITING,
                    "queue_rank": run.queue_rank,
                    "epochs_planned": run.epochs,
                    "epochs_done": 0 if run.parent is None else run.parent[1],
                    "planned": known[run.params].id in standing,
                }
                for run in new
                if run.run_key not in present
            ]
            if rows:
                change = next_change(connection, study_id)
                connection.execute(runs.insert().values(change=change), rows)
                added = {row["run_key"] for row in rows}
                _go_on_from_parents(
                    connection, search_id, [run for run in new if run.run_key in added]
                )


def _go_on_from_parents(connection: Connection, search_id: int, new: Sequence[NewRun]) -> None:
    """Give runs the checkpoint of the run that they go on from."""
    for run in new:
        if run.parent is None:
            continue
        number, epoch = run.parent
        here = {"search": search_id, "number": number, "epoch": epoch, "seed": run.seed}
        saved = connection.execute(_CHECKPOINT_OF, {**here, "role": run.role}).first()
        if saved is None:
            continue  # there is no file, and the worker says so
        child = connection.scalar(_RUN_OF_KEY, {"key": run.run_key})
        connection.execute(checkpoints.insert(), {**saved._mapping, "run_id": child})


def count_trials(connection: Connection, study_id: int) -> int:
    """Trials of a study's searches, single-task ones left out."""
    return connection.scalar(_N_TRIALS, {"study": study_id}) or 0


def _trials(connection: Connection, search_id: int) -> _Trials:
    """Those of a search."""
    return {row.params: row for row in connection.execute(_TRIALS, {"search": search_id})}


def _with_fresh(
    connection: Connection, search_id: int, before: _Trials, fresh: Mapping[str, str]
) -> _Trials:
    """The same once trials are added, with the next numbers.

    Args:
        fresh: Params to the point as it is written.
    """
    if not fresh:
        return before
    number = max((row.number for row in before.values()), default=-1) + 1
    rows = [
        {"search": search_id, "number": number + place, "params": params, "written": written}
        for place, (params, written) in enumerate(fresh.items())
    ]
    connection.execute(_ADD_TRIAL, rows)
    added = connection.execute(_TRIALS_FROM, {"search": search_id, "number": number})
    return {**before, **{row.params: row for row in added}}


def _save_stage(connection: Connection, search_id: int, stage: int, kind: str, tuned: str) -> None:
    here = (stages.c.search_id == search_id, stages.c.stage == stage)
    values = {"kind": kind, "params_tuned": tuned}
    if connection.execute(stages.update().where(*here).values(values)).rowcount == 0:
        connection.execute(stages.insert(), {"search_id": search_id, "stage": stage, **values})


def _enter(
    connection: Connection,
    here: Mapping[str, int],
    rounds: Mapping[int, int],
    gone: Sequence[int],
) -> None:
    """Let trials stand in a stage, given by their rounds, and others no more.

    Args:
        here: ``search_id`` and ``stage``.
    """
    entries = {row.trial_id: row for row in connection.execute(_PROPOSALS, here)}
    number = max((row.number for row in entries.values()), default=-1) + 1
    fresh = [trial_id for trial_id in rounds if trial_id not in entries]
    rows = [
        {**here, "number": number + place, "round": rounds[trial], "trial_id": trial}
        for place, trial in enumerate(fresh)
    ]
    if rows:
        connection.execute(proposals.insert().values(standing=True), rows)
    back = [entries[trial_id].id for trial_id in rounds if trial_id in entries]
    _set_standing(connection, back, standing=True)
    out = [entries[trial_id].id for trial_id in gone if trial_id in entries]
    _set_standing(connection, out, standing=False)


def _set_standing(connection: Connection, ids: Sequence[int], *, standing: bool) -> None:
    if ids:
        rows = [{"proposal": proposal_id, "stands": standing} for proposal_id in ids]
        connection.execute(_SET_STANDING, rows)
