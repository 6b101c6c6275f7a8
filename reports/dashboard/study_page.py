"""A study's overview: the verdict, progress, and what each method has reached for what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports._palette import method_colour
from reports.dashboard.concluder import NotConcluded
from reports.dashboard.conclusions import Conclusions
from reports.dashboard.following import Followed
from reports.dashboard.pages import unchanged, whole_number
from reports.dashboard.site import PATIENCE_S, Site, state_of
from storage import RunState
from storage.notices import notices
from storage.records import SearchStatus, StudyRecord, Totals
from storage.states import FINAL
from storage.wording import duration

_BUDGET_UNITS: Final = {"trials": "trials", "epochs": "epochs", "money": "of money"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodProgress:
    """A search as the overview shows it."""

    search: str
    title: str
    colour: str
    value: str
    interval: str
    finished: int
    runs: int
    device_s: float


def study_page(site: Site, request: Request) -> Response:
    """The overview.

    Raises:
        NotThere: There is no such study.
    """
    record = site.record(request)
    study = site.followed(record)
    study.catch_up(within_s=PATIENCE_S)
    drawn = study.conclusions
    cursor = "_".join(
        (
            study.mirror.cursor,
            drawn.cursor if drawn else "",
            study.ahead_as_of,
            study.undrawn and "undrawn",
        )
    )
    if (nothing_new := unchanged(request, cursor)) is not None:
        return nothing_new
    totals = site.reader.totals(record.id)
    searches = site.reader.search_status(record.id)
    context = {
        "study": record,
        "tab": "",
        "of_function": record.card.get("kind") == "function",
        "state": state_of(dict(totals.states)),
        "finished": sum(n for state, n in totals.states.items() if state in FINAL),
        "runs": sum(totals.states.values()),
        "device_s": totals.device_s,
        "budget_left": list(_left(record, totals)),
        "last": site.reader.last_event(record.id),
        "notices": notices(record.spec, sealed=record.sealed),
        "undrawn": study.undrawn,
        "ahead": study.ahead,
        "waiting": "The first conclusions are being drawn.",
        **_concluded(record, study, drawn, searches),
        "axis": _axis(drawn, request),
        "budget": _place(request),
    }
    return site.pages.answer(request, "study", context, cursor=cursor)


def curves_json(site: Site, request: Request) -> Response:
    """Each method's curve in one unit of cost, as steps; none before conclusions are drawn.

    Raises:
        NotThere: There is no such study.
    """
    drawn = _conclusions(site, request)
    axis = _axis(drawn, request)
    return JSONResponse(drawn.curves[axis] if drawn and axis else {"series": []})


def at_budget(site: Site, request: Request) -> Response:
    """The table of all methods at a budget, for a slider that moves.

    Raises:
        NotThere: There is no such study.
    """
    record, drawn = site.record(request), _conclusions(site, request)
    axis = _axis(drawn, request)
    found, trouble = None, ""
    if drawn and axis and drawn.curves[axis]["series"]:
        try:
            found = site.concluder.at_budget(record.name, drawn.cursor, axis, _place(request))
        except NotConcluded as error:
            trouble = str(error)
    context = {"at_budget": found, "trouble": trouble}
    if "alone" in request.query_params:
        return site.pages.answer(
            request, "at_budget_page", context | {"study": record, "tab": ""}, cursor=""
        )
    return site.pages.fragment("at_budget", context)


def _conclusions(site: Site, request: Request) -> Conclusions | None:
    study = site.followed(site.record(request))
    study.catch_up(within_s=PATIENCE_S)
    return study.conclusions


def _concluded(
    record: StudyRecord,
    study: Followed,
    drawn: Conclusions | None,
    searches: Sequence[SearchStatus],
) -> dict[str, Any]:
    """What the report says so far."""
    objective = record.spec.get("objective") or "Δm against single-task networks in percent"
    return {
        "sentence": drawn.sentence if drawn else "",
        "answers": drawn.answers if drawn else (),
        "objective": objective[0].upper() + objective[1:],
        "methods": [_method(study, status, drawn) for status in searches],
        "notes": drawn.notes if drawn else (),
        "axes": drawn.axes if drawn else (),
    }


def _method(study: Followed, status: SearchStatus, drawn: Conclusions | None) -> MethodProgress:
    states: Counter[RunState] = Counter(status.states)
    said = drawn.methods.get(status.search) if drawn else None
    return MethodProgress(
        search=status.search,
        title=said.title if said else status.search,
        colour=method_colour(study.weightings().get(status.search, status.search)),
        value=said.value if said else "–",
        interval=said.interval if said else "–",
        finished=sum(n for state, n in states.items() if state in FINAL),
        runs=states.total(),
        device_s=status.device_s,
    )


def _left(record: StudyRecord, totals: Totals) -> Iterator[str]:
    """Each budget of the spec, and what is left of it."""
    spent = {
        "trials": totals.trials,
        "epochs": totals.epochs,
        "device_s": totals.device_s,
        "money": totals.money or 0.0,
    }
    for kind, most in record.spec["budget"].items():
        if most is None or kind not in spent:
            continue
        left = max(most - spent[kind], 0)
        if kind == "device_s":
            yield f"{duration(left)} of {duration(most)}"
        else:
            yield f"{left:,.10g} of {most:,.10g} {_BUDGET_UNITS[kind]}"


def _axis(drawn: Conclusions | None, request: Request) -> str | None:
    """The unit of cost that is asked for, or else the first that the study has."""
    known = [axis for axis, _ in drawn.axes] if drawn else []
    asked = [axis for axis in known if axis == request.query_params.get("axis")]
    return next(iter([*asked, *known]), None)


def _place(request: Request) -> int:
    """Where the budget's slider is, in hundredths of the cost axis."""
    asked = whole_number(request.query_params.get("budget", ""))
    return 100 if asked is None else min(asked, 100)
