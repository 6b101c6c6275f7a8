"""Pages of what was done to studies, with the forms that do more of it where that is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.rendering.templating import whole_number
from reports.dashboard.site import Site
from storage import RunState
from storage.planning.raises import OF_SEARCH, OF_STUDY
from storage.records import AuditEntry, StudyRecord, searches_of
from storage.wording import entry_said

_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """A limit that can be raised.

    Attributes:
        search: One of those whose limit it is; empty for the study's.
        of: Whose it is, in words.
    """

    search: str
    of: str
    kind: str
    now: float


def audit_page(site: Site, request: Request) -> Response:
    """What was done to all studies, to deleted ones, too."""
    entries = site.reader.audit(limit=_MOST)
    context = {"entries": entries[::-1], **_said(entries, request), "most": _MOST, "shown": shown}
    return site.pages.answer(request, "audit_of_all", context, cursor=_newest(entries))


def study_audit_page(site: Site, request: Request) -> Response:
    """What was done to a study; with actions allowed, what can be done.

    Raises:
        NotThere: There is no such study.
    """
    study = site.study(request, cursor=None)
    record, states = study.record, study.states()
    entries = [
        one for one in site.reader.audit(record.name, limit=_MOST) if one.birth == record.birth
    ]
    context = {
        "study": record,
        "tab": "/audit",
        "entries": entries[::-1],
        **_said(entries, request),
        "most": _MOST,
        "shown": shown,
        "form_token": site.access.form_token,
        "limits": list(_limits(record)),
        "n_failed": states.get(RunState.FAILED, 0),
        "n_leased": states.get(RunState.LEASED, 0),
    }
    cursor = f"{_newest(entries)}-{record.orders}-{context['n_failed']}-{context['n_leased']}"
    return site.pages.answer(request, "audit", context, cursor=cursor)


def shown(values: Mapping[str, Any]) -> str:
    """What an entry says of before or after, in words."""
    return entry_said(values) or "–"


def _newest(entries: Sequence[AuditEntry]) -> str:
    return str(entries[-1].number) if entries else "0"


def _said(entries: Sequence[AuditEntry], request: Request) -> dict[str, Any]:
    """The entry that an action has just written, if that is why the page is asked for."""
    asked = whole_number(request.query_params.get("entry", ""))
    done = next((one for one in entries if one.number == asked), None)
    return {"done": done, "idle": done and done.verb == "stop" and "idle" in request.query_params}


def _limits(record: StudyRecord) -> Iterator[LimitRow]:
    """Limits that are set: only these can be raised."""
    owners: list[tuple[str, str, Mapping[str, Any], tuple[str, ...]]] = [
        ("", "the study", record.spec["budget"], OF_STUDY)
    ]
    for part in record.spec.get("search", ()):
        names = searches_of(part)
        owners.append((names[0], ", ".join(names), part.get("budget") or {}, OF_SEARCH))
    for search, of, budget, kinds in owners:
        for kind in kinds:
            if (now := budget.get(kind)) is not None:
                yield LimitRow(search=search, of=of, kind=kind, now=now)
