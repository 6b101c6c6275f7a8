"""The page of all studies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.site import Site, state_of
from storage.records import StudyRecord
from storage.states import FINAL


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
    last: datetime | None


def studies_page(site: Site, request: Request) -> Response:
    """All studies of the database, the latest first, or those whose name holds a text."""
    part = request.query_params.get("name", "").casefold()
    found = [one for one in site.reader.studies() if part in one.name.casefold()]
    rows = [_row(site, record) for record in reversed(found)]
    cursor = sha256(repr(rows).encode()).hexdigest()[:16]
    context = {"studies": rows, "url": site.reader.url}
    return site.pages.answer(request, "studies", context, cursor=cursor)


def _row(site: Site, record: StudyRecord) -> StudyRow:
    totals = site.reader.totals(record.id)
    return StudyRow(
        id=record.id,
        name=record.name,
        problem=str(record.card.get("title") or record.card.get("name") or ""),
        state=state_of(dict(totals.states)),
        finished=sum(n for state, n in totals.states.items() if state in FINAL),
        runs=sum(totals.states.values()),
        device_s=totals.device_s,
        last=site.reader.last_event(record.id),
    )
