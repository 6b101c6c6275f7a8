"""What a search is to try: points in the stages that propose them, and the runs of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.planning.studies import count_trials, lock_study_of
from storage.records import NewRun, Proposal
from storage.schema.tables import proposals, runs, stages, trials
from storage.states import RunState

_TRIALS = sa.select(trials.c.params, trials.c.id, trials.c.number).where(
    trials.c.search_id == bindparam("search")
)
_RUN_KEYS = sa.select(runs.c.run_key).where(runs.c.search_id == bindparam("search"))
_ADD_TRIAL = trials.insert().values(search_id=bindparam("search"))
_SET_STANDING = (
    proposals.update()
    .where(proposals.c.id == bindparam("proposal"))
    .values(standing=bindparam("stands"))
)
# dropped are runs whose trial stands in no stage any more: they wait in vain
_MARK_PLANNED = (
    runs.update()
    .where(runs.c.trial_id == bindparam("trial"))
    .values(
        planned=sa.exists().where(proposals.c.trial_id == runs.c.trial_id, proposals.c.standing)
    )
)
_PROPOSALS = sa.select(proposals.c.trial_id, proposals.c.id, proposals.c.number).where(
    proposals.c.search_id == bindparam("search"), proposals.c.stage == bindparam("stage_no")
)


def propose(
    connection: Connection,
    *,
    search_id: int,
    plan: str | None,
    most_trials: int | None,
    stage: int,
    kind: str,
    tuned: str,
    new: Sequence[Proposal],
    retired: Iterable[str],
) -> bool:
    """Add points to a stage and retire others; what is there already is left alone.

    Returns False, and changes nothing, if the study would have more trials than it may: another
    search has taken some meanwhile.
    """
    study_id = lock_study_of(connection, search_id, plan)
    if most_trials is not None:
        present = {row.params for row in connection.execute(_TRIALS, {"search": search_id})}
        n_fresh = len({proposal.params for proposal in new} - present)
        if n_fresh and count_trials(connection, study_id) + n_fresh > most_trials:
            return False
    _save_stage(connection, search_id, stage, kind, tuned)
    known = _trials(connection, search_id, new)
    entries = {
        row.trial_id: row
        for row in connection.execute(_PROPOSALS, {"search": search_id, "stage_no": stage})
    }
    number = max((row.number for row in entries.values()), default=-1) + 1
    rounds = {known[proposal.params]: proposal.round for proposal in new}
    fresh = [trial_id for trial_id in rounds if trial_id not in entries]
    rows = [
        {
            "search_id": search_id,
            "stage": stage,
            "number": number + place,
            "round": rounds[trial_id],
            "trial_id": trial_id,
            "standing": True,
        }
        for place, trial_id in enumerate(fresh)
    ]
    if rows:
        connection.execute(proposals.insert(), rows)
    back = [entries[trial_id].id for trial_id in rounds if trial_id in entries]
    _set_standing(connection, back, standing=True)
    gone = [known[params] for params in retired if params in known]
    out = [entries[trial_id].id for trial_id in gone if trial_id in entries]
    _set_standing(connection, out, standing=False)
    _mark_planned(connection, [*rounds, *gone])
    return True


def add_runs(connection: Connection, search_id: int, new: Sequence[NewRun]) -> None:
    """Add runs of existing trials; a run whose key exists is left alone."""
    study_id = lock_study_of(connection, search_id)
    ids = {
        row.params: (row.id, row.number)
        for row in connection.execute(_TRIALS, {"search": search_id})
    }
    present = set(connection.scalars(_RUN_KEYS, {"search": search_id}))
    rows = [
        {
            "study_id": study_id,
            "search_id": search_id,
            "trial_id": ids[run.params][0],
            "trial_number": ids[run.params][1],
            "role": run.role,
            "seed": run.seed,
            "run_key": run.run_key,
            "pack_key": run.pack_key,
            "state": RunState.WAITING,
            "queue_rank": run.queue_rank,
            "epochs_planned": run.epochs,
            "planned": True,
        }
        for run in new
        if run.run_key not in present
    ]
    if rows:
        connection.execute(runs.insert(), rows)
        _mark_planned(connection, {row["trial_id"] for row in rows})


def _trials(connection: Connection, search_id: int, new: Sequence[Proposal]) -> dict[str, int]:
    """Trial ids by params; missing trials are added with the next numbers."""
    here = {"search": search_id}
    known = {row.params: row for row in connection.execute(_TRIALS, here)}
    number = max((row.number for row in known.values()), default=-1) + 1
    fresh = {one.params: one.written for one in new if one.params not in known}
    if fresh:
        rows = [
            {**here, "number": number + place, "params": params, "written": written}
            for place, (params, written) in enumerate(fresh.items())
        ]
        connection.execute(_ADD_TRIAL, rows)
        known = {row.params: row for row in connection.execute(_TRIALS, here)}
    return {params: row.id for params, row in known.items()}


def _save_stage(connection: Connection, search_id: int, stage: int, kind: str, tuned: str) -> None:
    here = (stages.c.search_id == search_id, stages.c.stage == stage)
    values = {"kind": kind, "params_tuned": tuned}
    if connection.execute(stages.update().where(*here).values(values)).rowcount == 0:
        connection.execute(stages.insert(), {"search_id": search_id, "stage": stage, **values})


def _set_standing(connection: Connection, ids: Sequence[int], *, standing: bool) -> None:
    if ids:
        rows = [{"proposal": proposal_id, "stands": standing} for proposal_id in ids]
        connection.execute(_SET_STANDING, rows)


def _mark_planned(connection: Connection, trial_ids: Iterable[int]) -> None:
    rows = [{"trial": trial_id} for trial_id in trial_ids]
    if rows:
        connection.execute(_MARK_PLANNED, rows)
