"""The page of all studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.concluding.outlook import Ending, Told, basis_of
from reports.dashboard.following.standings import Standing, state_of
from reports.dashboard.rendering.templating import query, whole_number
from reports.dashboard.showing.still_to_come import is_at_work, waits_for
from reports.dashboard.site import Site
from storage.records import StudyName, StudyRecord, is_between_runs
from storage.states import FINAL, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """A study as the list shows it."""

    id: int
    name: str
    problem: str
    state: str
    finished: int
    runs: int
    device_s: float
    ahead: str
    ends: datetime | None = None
    last: datetime | None


_DEVICE_TIME: Final = "Device time still to come"
_LEFT: Final = (_DEVICE_TIME, "Still to come")
"""What is told of what a study takes yet where no end is: the first that is known."""

_MOST_ASKED: Final = 20
_MOST_TICKED: Final = 50
_PAGE_ROWS: Final = 50
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_TITLES: Final[Mapping[str, str]] = {
    "name": "Study",
    "state": "State",
    "finished": "Finished",
    "progress": "Progress",
    "left": "Still to come",
    "cost": "Cost so far",
    "last": "Last event",
}
_BY_STANDING: Final[Mapping[str, Callable[[StudyName, Standing, str], Any]]] = {
    "state": lambda _name, _one, state: state,
    "finished": lambda _name, one, _state: _finished(one) / max(_n_runs(one), 1),
    "cost": lambda _name, one, _state: one.totals.device_s,
    "last": lambda _name, one, _state: one.last or _NEVER,
}
"""What has to be summed up of every study before the list is in order."""

_SORTED: Final = ("name", *_BY_STANDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """Studies in the order asked for.

    Attributes:
        unread: How many come last as what they are sorted by is not known yet.
    """

    studies: Sequence[StudyName]
    unread: int = 0

    def page(self, after: int | None) -> tuple[Sequence[StudyName], int | None]:
        """Those behind a study, wherever that is by now, and the last of them if more follow."""
        ids = [one.id for one in self.studies]
        start = ids.index(after) + 1 if after in ids else 0
        some = self.studies[start : start + _PAGE_ROWS]
        follow = start + len(some) < len(ids)
        return some, some[-1].id if some and follow else None


def studies_page(site: Site, request: Request) -> Response:
    """Studies of the database, the latest first, or those whose name holds a text; paged."""
    params = request.query_params
    part = params.get("name", "").casefold()
    every = site.reader.study_names()
    found = [one for one in every if part in one.name.casefold()]
    sort, down = params.get("sort", ""), params.get("down") == "1"
    sort = sort if sort in _SORTED else ""
    listed = _listed(site, found, sort, down=down)
    some, following = listed.page(whole_number(params.get("after", "")))
    rows = _rows(site, some)
    on_page = {one.id for one in rows}
    asked = map(whole_number, params.getlist("study")[:_MOST_TICKED])
    ticked = {number for number in asked if number is not None}
    shown = [rows, len(found), len(every), listed.unread, following]
    context = {
        "studies": rows,
        "matching": len(found),
        "total": len(every),
        "unread": listed.unread,
        "following": following,
        "ticked": ticked,
        "elsewhere": [one for one in every if one.id in ticked - on_page],
        "url": site.reader.url,
        "columns": list(_headed(params, sort, down)),
    }
    cursor = sha256(repr(shown).encode()).hexdigest()[:16]
    return site.pages.answer(request, "studies", context, cursor=cursor)


def _listed(site: Site, found: Sequence[StudyName], sort: str, *, down: bool) -> _Listed:
    if sort == "name":
        by_name = sorted(found, key=lambda one: (one.name.casefold(), one.id), reverse=down)
        return _Listed(studies=by_name)
    if not sort:
        return _Listed(studies=sorted(found, key=lambda one: one.id, reverse=not down))
    key, standings = _BY_STANDING[sort], site.standings.so_far(found)
    known = [one for one in found if one.id in standings]
    keys = {
        one.id: key(one, standing, _state(site, one, standing))
        for one in known
        if (standing := standings[one.id])
    }
    known.sort(key=lambda one: (keys[one.id], one.id), reverse=down)
    left = [one for one in found if one.id not in standings]
    return _Listed(studies=[*known, *left], unread=len(left))


def _state(site: Site, record: StudyRecord | StudyName, standing: Standing) -> str:
    begun = RunState.LEASED in standing.totals.states
    held = begun and site.reader.is_held(record.id)
    between = is_between_runs(standing.last, held=held)
    return state_of(record, standing.totals.states, held=held, between=between)


def _rows(site: Site, some: Sequence[StudyName]) -> list[StudyRow]:
    records = {one.id: one for one in site.reader.studies_at([one.id for one in some])}
    there = [records[one.id] for one in some if one.id in records]
    standings = site.standings.of(there)
    rows = [
        _row(record, standings[record.id], state=_state(site, record, standings[record.id]))
        for record in there
    ]
    return list(_with_outlook(site, there, rows, standings))


def _finished(one: Standing) -> int:
    return sum(n for state, n in one.totals.states.items() if state in FINAL)


def _n_runs(one: Standing) -> int:
    return sum(one.totals.states.values())


def _headed(params: QueryParams, sort: str, down: bool) -> Iterator[dict[str, Any]]:
    """Titles with links that sort; the other way round where they do already."""
    for key, title in _TITLES.items():
        is_sorted = key == sort
        turned = ("0" if down else "1") if is_sorted else None
        yield {
            "title": title,
            "words": key in ("name", "state", "progress", "left"),
            "sorted": ("descending" if down else "ascending") if is_sorted else "",
            "href": query(params, sort=key, down=turned, after=None) if key in _SORTED else "",
        }


def _with_outlook(
    site: Site,
    records: Sequence[StudyRecord],
    rows: Sequence[StudyRow],
    standings: Mapping[int, Standing],
) -> Iterator[StudyRow]:
    """What the latest studies take yet that are at work; each is asked about for a second."""
    at_work = [is_at_work(*both) for both in zip(records, (row.state for row in rows), strict=True)]
    asked = sorted(row.id for row, works in zip(rows, at_work, strict=True) if works)[-_MOST_ASKED:]
    for record, row in zip(records, rows, strict=True):
        if row.id in asked:
            basis = basis_of(record, standings[row.id].totals)
            yield _with_told(row, site.outlook.latest(row.name, basis))
        else:
            yield row


def _row(record: StudyRecord, standing: Standing, *, state: str) -> StudyRow:
    totals = standing.totals
    waits = waits_for(record, totals, state)
    otherwise = "see its page" if is_at_work(record, state) else "–"
    return StudyRow(
        id=record.id,
        name=record.name,
        problem=str(record.card.get("title") or record.card.get("name") or ""),
        state=state,
        finished=_finished(standing),
        runs=_n_runs(standing),
        device_s=totals.device_s,
        ahead=f"waits for {waits}" if waits else otherwise,
        last=standing.last,
    )


def _with_told(row: StudyRow, told: Told | None) -> StudyRow:
    """The row with what the study takes yet, in as few words as there are."""
    if told is None:
        return replace(row, ahead="being worked out")
    ends = next((much.at for _, much in told if isinstance(much, Ending)), None)
    known = {what: much for what, much in told if isinstance(much, str)}
    what = next((one for one in _LEFT if one in known), None)
    said = known[what] if what else "–"
    return replace(row, ahead=f"{said} of devices" if what == _DEVICE_TIME else said, ends=ends)
