"""The line of waiting runs: which ones a claim takes, and how many."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from storage.leasing.budgets import Room
from storage.planning.proposals import WRITTEN
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import attempts, checkpoints, runs, searches, studies, trials
from storage.states import RunState

_WAITS = runs.c.state == sa.literal_column("'waiting'")  # as the index of packs has it
_QUEUE = (runs.c.queue_rank, runs.c.trial_number, runs.c.seed, runs.c.id)


def _candidates(*where: Any) -> PreparedStatement:
    """The first runs in line; those that somebody else claims just now are not."""
    return PreparedStatement(
        sa.select(
            *_QUEUE,
            runs.c.token,
            runs.c.role,
            runs.c.pack_key,
            runs.c.run_key,
            runs.c.search_id,
            runs.c.epochs_planned,
            runs.c.epochs_done,
            searches.c.name,
            searches.c.weighting,
            searches.c.initial,
            trials.c.params,
            WRITTEN,
        )
        .join(searches, searches.c.id == runs.c.search_id)
        .join(trials, trials.c.id == runs.c.trial_id)
        .where(
            *where,
            _WAITS,
            runs.c.planned,
        )
        .order_by(*_QUEUE)
        .limit(bindparam("n"))
        .with_for_update(skip_locked=True, of=runs)
    )


_OF_STUDY = runs.c.study_id == bindparam("study")
_OF_SEARCH = runs.c.search_id == bindparam("search")
_OF_PACK = runs.c.pack_key == bindparam("pack")
# asked once a statement, not of every run
_GOES_ON = ~sa.exists().where(studies.c.id == bindparam("study"), studies.c.paused_at.is_not(None))
_FIRST = _candidates(_OF_STUDY, _GOES_ON)
_CANDIDATES = _candidates(_OF_STUDY, _OF_PACK)
_THE_RUN = _candidates(_OF_STUDY, runs.c.id == bindparam("run"), _GOES_ON)
# while searches are passed over, each of the others is asked for its own first
_OTHERS = PreparedStatement(
    sa.select(searches.c.id).where(
        searches.c.study_id == bindparam("study"),
        searches.c.id.not_in(bindparam("barred", expanding=True)),
        _GOES_ON,
    )
)
_FIRST_OF_SEARCH, _CANDIDATES_OF_SEARCH = _candidates(_OF_SEARCH), _candidates(_OF_SEARCH, _OF_PACK)
# how many runs wait, counted up to what can be asked for
_WAITING = PreparedStatement(
    sa.select(sa.func.count()).select_from(
        sa.select(runs.c.id)
        .where(_OF_STUDY, runs.c.state == RunState.WAITING, runs.c.planned)
        .limit(bindparam("most"))
        .subquery()
    )
)
_CHECKPOINTS = PreparedStatement(
    sa.select(checkpoints.c.path, checkpoints.c.epoch, attempts.c.run_id.label("of_run"))
    .join(attempts, attempts.c.id == checkpoints.c.attempt_id)
    .where(checkpoints.c.run_id == bindparam("run"))
    .order_by(checkpoints.c.epoch.desc(), checkpoints.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many runs to claim: at most `most`, and of all there is to do one share of so many.

    Attributes:
        most: By the search and the point, as JSON, of the first run in line where these differ.
        in_training: Runs that the other workers have still to do, parts of runs included.
    """

    most: int | Callable[[int, str], int]
    shares: int = 1
    in_training: float = 0.0

    def of(self, connection: Connection, study_id: int, first: Any) -> int:
        """The number for now, of runs in the pack of the one that is first in line."""
        most = self.most
        if not isinstance(most, int):
            most = most(first.search_id, first.written)
        if self.shares == 1 or most == 1:
            return most
        here = {"study": study_id, "most": most * self.shares}
        (row,) = _WAITING.rows(connection, here)
        n_waiting: int = row[0]
        return min(most, math.ceil((n_waiting + self.in_training) / self.shares))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A waiting run with its checkpoints, newest first.

    Attributes:
        parent: Run whose state the oldest one is, if it is another one's.
    """

    row: Any
    checkpoints: Sequence[tuple[str, int]]
    parent: int | None = None

    @property
    def start(self) -> int:
        """The epoch after which it goes on."""
        return self.checkpoints[0][1] if self.checkpoints else 0


def next_pack(
    connection: Connection, study_id: int, size: Size, room: Room | None
) -> tuple[list[Candidate], str, dict[int, str]]:
    """The next pack as far as limits allow it; searches at their limit are passed over."""
    barred: dict[int, str] = {}
    while True:
        found = _in_line(connection, study_id, size, list(barred))
        if room is None:
            return found, "", barred
        known = len(barred)
        fitting, exhausted = _fitting(found, room, barred)
        if fitting or exhausted or len(barred) == known:
            return fitting, exhausted, barred


def the_run(
    connection: Connection, study_id: int, run: int, room: Room | None
) -> tuple[list[Candidate], str, dict[int, str]]:
    """A run by its number, if it waits and limits allow it."""
    barred: dict[int, str] = {}
    found = _with_checkpoints(
        connection, _THE_RUN.rows(connection, {"study": study_id, "run": run, "n": 1})
    )
    fitting, exhausted = (found, "") if room is None else _fitting(found, room, barred)
    return fitting, exhausted, barred


def _in_line(
    connection: Connection, study_id: int, size: Size, barred: Sequence[int]
) -> list[Candidate]:
    first, statement, scope = _first_in_line(connection, study_id, barred)
    if first is None:
        return []
    n = max(1, size.of(connection, study_id, first))
    if n == 1:
        return _with_checkpoints(connection, [first])
    found = statement.rows(connection, {**scope, "pack": first.pack_key, "n": n})
    return _with_checkpoints(connection, found)


def _with_checkpoints(connection: Connection, found: Iterable[Any]) -> list[Candidate]:
    return [_candidate(connection, row) for row in found]


def _candidate(connection: Connection, row: Any) -> Candidate:
    # one that was never leased has none, unless it goes on from another one's
    has_some = row.token or row.epochs_done
    saved = _CHECKPOINTS.rows(connection, {"run": row.id}) if has_some else []
    return Candidate(
        row=row,
        checkpoints=tuple((one.path, one.epoch) for one in saved),
        parent=next((one.of_run for one in saved if one.of_run != row.id), None),
    )


def _first_in_line(
    connection: Connection, study_id: int, barred: Sequence[int]
) -> tuple[Any, PreparedStatement, dict[str, int]]:
    """The first run, and the statement with its values that finds the others of its pack.

    No run of a barred search is walked past, however many wait: each other search is asked.
    """
    if not barred:
        here = {"study": study_id}
        return next(iter(_FIRST.rows(connection, {**here, "n": 1})), None), _CANDIDATES, here
    others = _OTHERS.rows(connection, {"study": study_id, "barred": list(barred)})
    firsts = [
        row
        for search in others
        for row in _FIRST_OF_SEARCH.rows(connection, {"search": search.id, "n": 1})
    ]
    first = min(
        firsts,
        key=lambda row: (row.queue_rank, row.trial_number, row.seed, row.id),
        default=None,
    )
    return first, _CANDIDATES_OF_SEARCH, {"search": first.search_id if first else 0}


def _fitting(
    found: Sequence[Candidate], room: Room, barred: dict[int, str]
) -> tuple[list[Candidate], str]:
    """Those there is room for, and the study's limit that refused one; adds to `barred`."""
    fitting: list[Candidate] = []
    for one in found:
        search, epochs = one.row.search_id, one.row.epochs_planned - one.start
        if search in barred:
            continue
        if refused := room.search_refuses(search, epochs):
            barred[search] = refused
        elif exhausted := room.study_refuses(epochs):
            return fitting, exhausted
        else:
            room.take(search, epochs)
            fitting.append(one)
    return fitting, ""
