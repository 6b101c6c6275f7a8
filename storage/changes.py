"""Following: what has changed in a study since it was last looked at, and nothing else.

Every transaction that changes a study's runs, attempts or decisions has a number of the study's
counter (`storage.planning.writing.next_change`) and stamps it on what it writes. The counter's row
is locked until the transaction ends, so that numbers become visible in their order: who has seen a
number has seen all that are smaller. A cursor is a place in this order.

Leased runs change with every report. They are few, and are looked at one by one, by the stamp of
their running attempt; all others are found by an index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.database.retry import retried
from storage.errors import StorageError
from storage.leasing.budgets import DEVICE_S, MONEY
from storage.planning.opened import OpenedDatabase, unknown_study
from storage.planning.proposals import WRITTEN
from storage.records import AttemptChange, Changes, DecisionChange, RunChange
from storage.schema.tables import (
    attempts,
    change_counters,
    decisions,
    runs,
    scores,
    searches,
    studies,
    trials,
    workers,
)
from storage.states import RunState

_MOST = 10_000  # as few as a statement can name
_RUN, _ATTEMPT, _DECISION, _END = range(4)
"""Kinds of what one number stands on, in the order in which they are told."""

_BEHIND_ALL = 2**62
_CURSOR = re.compile(r"([0-9a-f]*)((?:-\d{1,19}){4})")

_STUDY = (
    sa.select(studies.c.id, studies.c.birth, change_counters.c.value)
    .join(change_counters, change_counters.c.study_id == studies.c.id)
    .where(studies.c.name == bindparam("name"))
)

_NUMBERS = sa.select(change_counters)


def _changed(change: Any, key: Any, *where: Any) -> sa.Select[tuple[int, int]]:
    """Numbers and ids behind a place, in order."""
    place = sa.tuple_(bindparam("change"), bindparam("after"))
    return (
        sa.select(change.label("change"), key.label("id"))
        .where(*where, sa.tuple_(change, key) > place)
        .order_by(change, key)
        .limit(bindparam("n"))
    )


_LATEST = sa.case((runs.c.change > attempts.c.change, runs.c.change), else_=attempts.c.change)
_OF_RUN = sa.and_(attempts.c.run_id == runs.c.id, attempts.c.token == runs.c.token)
_OF_STUDY: sa.BindParameter[int] = bindparam("study")
_CHANGED = (
    (
        _RUN,
        _changed(
            *(runs.c.change, runs.c.id, runs.c.study_id == _OF_STUDY),
            runs.c.state != sa.literal_column("'leased'"),  # as the index has it
        ),
    ),
    (
        _RUN,
        _changed(
            *(_LATEST, runs.c.id, runs.c.study_id == _OF_STUDY, runs.c.state == RunState.LEASED),
        ).join(attempts, _OF_RUN),
    ),
    (
        _ATTEMPT,
        _changed(
            *(attempts.c.change, attempts.c.id, attempts.c.study_id == _OF_STUDY),
            attempts.c.run_id.is_(None),
        ),
    ),
    (
        _DECISION,
        _changed(decisions.c.change, decisions.c.id, searches.c.study_id == _OF_STUDY).join(
            searches, searches.c.id == decisions.c.search_id
        ),
    ),
)

_IDS: sa.BindParameter[int] = bindparam("ids", expanding=True)
_IS_SCORED = runs.c.state == RunState.DONE
_SEALED = sa.and_(studies.c.sealed_at.is_not(None), studies.c.unsealed_at.is_(None)).label("sealed")
_RUNS = (
    sa.select(
        *(runs.c.id, searches.c.name, runs.c.role, runs.c.trial_number, WRITTEN, runs.c.seed),
        *(runs.c.state, runs.c.planned, runs.c.epochs_done, runs.c.epochs_change),
        *(scores.c.epoch_selected, scores.c.value_val, scores.c.value_test, runs.c.reason),
        _SEALED,
    )
    .join(studies, studies.c.id == runs.c.study_id)
    .join(searches, searches.c.id == runs.c.search_id)
    .join(trials, trials.c.id == runs.c.trial_id)
    .outerjoin(scores, sa.and_(scores.c.run_id == runs.c.id, _IS_SCORED))
    .where(runs.c.id.in_(_IDS))
    .order_by(runs.c.id)
)
_COSTS = (
    sa.select(attempts, DEVICE_S.label("device_s"), MONEY.label("money"))
    .outerjoin(workers, workers.c.id == attempts.c.worker_id)
    .order_by(attempts.c.id)
)
_ATTEMPTS = _COSTS.where(attempts.c.id.in_(_IDS))
_ATTEMPTS_AT = _COSTS.where(attempts.c.run_id.in_(_IDS), attempts.c.change >= bindparam("since"))
_ALL_DECISIONS = (
    sa.select(decisions, searches.c.name, trials.c.number)
    .join(searches, searches.c.id == decisions.c.search_id)
    .join(trials, trials.c.id == decisions.c.trial_id)
    .order_by(decisions.c.id)
)
_DECISIONS = _ALL_DECISIONS.where(decisions.c.id.in_(_IDS))
_DECISIONS_OF_STUDY = _ALL_DECISIONS.where(searches.c.study_id == _OF_STUDY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """A place in the order of changes.

    Attributes:
        birth: Of the study.
        change: The number that was told last.
        kind: Of what was told last of it.
        id: Of what was told last of this kind.
        since: The lowest number that was not told when this reading began. It may take several
            pages: what moves on meanwhile is told further behind, with all that is new since then.
    """

    birth: str
    change: int = 0
    kind: int = 0
    id: int = 0
    since: int = 0

    @classmethod
    def of(cls, text: str) -> Self:
        """The cursor that was given as a text, empty for the beginning.

        Raises:
            StorageError: It was not.
        """
        found = _CURSOR.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise StorageError(
                f"A cursor is the text that `Changes.cursor` gave, or empty. Got {text!r}. "
                "Begin with an empty one."
            )
        change, kind, id_, since = (int(number) for number in found[2][1:].split("-"))
        return cls(birth=found[1], change=change, kind=kind, id=id_, since=since)

    def after(self, kind: int) -> int:
        """The highest id of a kind that was told of this number."""
        if kind == self.kind:
            return self.id
        return _BEHIND_ALL if kind < self.kind else 0

    def __str__(self) -> str:
        return f"{self.birth}-{self.change}-{self.kind}-{self.id}-{self.since}"


class Following(OpenedDatabase):
    """The part of `storage.Reader` that tells what is new."""

    @retried
    def change_numbers(self) -> Mapping[int, int]:
        """How many changes each study has seen, by its id; as long as it is the same, none."""
        with self._database.read() as connection:
            return {row.study_id: row.value for row in connection.execute(_NUMBERS)}

    @retried
    def cursor(self, study: str, *, back: int = 0) -> str:
        """The cursor behind all there is: for `changes`, to be told only what comes from now on.

        Args:
            back: With so many transactions before.

        Raises:
            UnknownStudy: With the names that exist.
        """
        with self._database.read() as connection:
            row = connection.execute(_STUDY, {"name": study}).first()
            if row is None:
                raise unknown_study(connection, study)
            return str(_behind(row.birth, max(0, row.value - back)))

    @retried
    def decisions(self, study_id: int) -> Sequence[DecisionChange]:
        """All decisions of a study, those that stand no more among them."""
        with self._database.read() as connection:
            found = connection.execute(_DECISIONS_OF_STUDY, {"study": study_id})
            return tuple(_decision(row) for row in found)

    @retried
    def changes(self, study: str, since: str = "", *, limit: int = 1_000) -> Changes:
        """What has changed in a study since a cursor, as it is now: a page of it, oldest first.

        A change is told at least once and never missed, whoever writes meanwhile. What changed
        twice is told as it is now. Reading on until nothing is `more` gives the same picture as
        reading all.

        Args:
            since: The cursor of the last page; empty to begin with all there is.
            limit: Most runs, starts of workers and decisions together, up to 10,000; runs come with
                those attempts at them that have changed.

        Raises:
            UnknownStudy: With the names that exist.
            StorageError: The cursor is none, or the limit out of bounds.
        """
        if type(limit) is not int or not 1 <= limit <= _MOST:
            raise StorageError(
                f"A page holds 1 to {_MOST} changes. Got limit={limit!r}. Give a whole number."
            )
        with self._database.read() as connection:
            row = connection.execute(_STUDY, {"name": study}).first()
            if row is None:
                raise unknown_study(connection, study)
            cursor = _Cursor(birth=row.birth) if since == "" else _Cursor.of(since)
            anew = cursor.birth != row.birth
            if anew:
                cursor = _Cursor(birth=row.birth)
            if (cursor.change, cursor.kind) == (row.value, _END):
                return Changes(cursor=str(cursor))
            told = _told(connection, row.id, cursor, limit + 1)
            more = len(told) > limit
            if more:
                change, kind, id_ = told[limit - 1]
                last = replace(cursor, change=change, kind=kind, id=id_)
            else:
                last = _behind(row.birth, row.value)
            return _page(connection, told[:limit], cursor, cursor=str(last), more=more, anew=anew)


def _behind(birth: str, change: int) -> _Cursor:
    """Behind all that a number stands on."""
    return _Cursor(birth=birth, change=change, kind=_END, since=change + 1)


def _told(
    connection: Connection, study_id: int, cursor: _Cursor, n: int
) -> list[tuple[int, int, int]]:
    """The first `n` places behind a cursor: number, kind, id."""
    here = {"study": study_id, "change": cursor.change, "n": n}
    found = {
        (row.change, kind, row.id)
        for kind, statement in _CHANGED
        for row in connection.execute(statement, {**here, "after": cursor.after(kind)})
    }
    return sorted(found)[:n]


def _page(
    connection: Connection,
    told: Sequence[tuple[int, int, int]],
    start: _Cursor,
    *,
    cursor: str,
    more: bool,
    anew: bool,
) -> Changes:
    def found(statement: sa.Select[Any], of_kind: int, **more: int) -> Sequence[sa.Row[Any]]:
        ids = [id_ for _, kind, id_ in told if kind == of_kind]
        return connection.execute(statement, {"ids": ids, **more}).all() if ids else ()

    at_runs = found(_ATTEMPTS_AT, _RUN, since=start.since)
    alone = found(_ATTEMPTS, _ATTEMPT)
    return Changes(
        cursor=cursor,
        more=more,
        anew=anew,
        runs=tuple(_run(row, start.since) for row in found(_RUNS, _RUN)),
        attempts=tuple(_attempt(row) for row in sorted([*at_runs, *alone], key=lambda row: row.id)),
        decisions=tuple(_decision(row) for row in found(_DECISIONS, _DECISION)),
    )


def _run(row: Any, since: int) -> RunChange:
    run, search, role, trial, params, seed, *left = row  # by name takes twice as long
    state, planned, epochs, epochs_change, selected, value_val, value_test, reason, sealed = left
    return RunChange(
        run=run,
        search=search,
        role=role,
        trial=trial,
        params=params,
        seed=seed,
        state=RunState(state),
        planned=planned,
        epochs=epochs,
        new_epochs=epochs_change >= max(since, 1),  # 0: there never were any
        epoch_selected=selected,
        value_val=value_val,
        value_test=None if sealed else value_test,
        reason=reason,
    )


def _attempt(row: Any) -> AttemptChange:
    return AttemptChange(
        attempt=row.id,
        run=row.run_id,
        kind=row.kind,
        state=row.state,
        failure=row.failure,
        started=row.started_at,
        ended=row.ended_at,
        epochs=row.epochs,
        device_s=row.device_s,
        money=row.money,
        worker=row.worker_id,
    )


def _decision(row: Any) -> DecisionChange:
    return DecisionChange(
        decision=row.id,
        search=row.name,
        stage=row.stage,
        trial=row.number,
        value=row.value,
        objective=row.objective,
        standing=row.standing,
        decided=row.decided_at,
    )
