"""A study's overview: the verdict, progress, and what each method has reached for what it cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports._palette import method_colour
from reports.dashboard.concluding.conclusions import Conclusions
from reports.dashboard.following.followed import Followed
from reports.dashboard.following.mirror import SearchTotals, summed_states
from reports.dashboard.following.ranked import objective_of, several_of
from reports.dashboard.following.standings import state_of
from reports.dashboard.pages.curves import asked_of_curves
from reports.dashboard.rendering.templating import NothingNew, seen_by
from reports.dashboard.showing.burn_down import (
    BurnDown,
    burn_downs,
    drawn,
    foreseen,
    left_in,
    limits_used,
    of_commands,
)
from reports.dashboard.showing.still_to_come import is_at_work, is_open, still_to_come
from reports.dashboard.site import Site
from storage.delivery import next_try, overdue
from storage.notices import of_study
from storage.objectives import title_of
from storage.records import Notification, SearchRecord, StudyRecord, Totals
from storage.states import FINAL

_NOTHING_YET: Final = SearchTotals(states={}, device_s=0.0)


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
    device_s: float | None


def study_page(site: Site, request: Request) -> Response:
    """The overview.

    Raises:
        NotThere: There is no such study.
    """
    study = site.study(request, cursor=None)
    held, between = study.found.held, study.is_between()  # not of the changes
    # before what it stands for: never too new
    number = site.outlook.number(study.record.name)
    cursor = f"{_cursor(study)}_{number}_{held:d}{between:d}"
    if seen_by(request) == cursor:
        raise NothingNew
    record, drawn = study.record, study.conclusions
    totals, by_search = study.totals(), study.by_search()
    states = summed_states(by_search)
    state = state_of(record, states, held=held, between=between)
    context = {
        "study": record,
        "tab": "",
        "of_function": record.card.get("kind") == "function",
        "state": state,
        "is_open": is_open(state),
        "finished": sum(n for state, n in states.items() if state in FINAL),
        "runs": sum(states.values()),
        "device_s": totals and totals.device_s,
        "beside_s": study.beside_runs_s(),
        **_limits(site, study, totals, goes_on=is_at_work(record, state)),
        "last": study.found.last,
        "notices": of_study(record),
        "messages": [(one, next_try(one)) for one in _overdue(site, record)],
        "undrawn": study.undrawn,
        "ahead": still_to_come(site.outlook, record, totals, state),
        "waiting": "The first conclusions are being drawn.",
        **_concluded(study, by_search, drawn),
        **asked_of_curves(drawn, request),
    }
    return site.pages.answer(request, "study", context, cursor=cursor)


def budget_json(site: Site, request: Request) -> Response:
    """What is left of a limit over time, and ahead as lately; or of that of each search.

    Raises:
        NotThere: There is no such study.
    """
    study, asked = site.study(request), request.query_params
    totals = study.totals()
    limits = [
        one
        for one in limits_used(study, totals)
        if one.kind == asked.get("of") and bool(one.search) == ("each" in asked)
    ]
    goes_on = (study.found.held or study.is_between()) and not study.record.paused
    found = burn_downs(study, limits, totals, now_s=time.time(), goes_on=goes_on)
    return JSONResponse(drawn(found, study.weightings(), study.titles()))


def _limits(site: Site, study: Followed, totals: Totals | None, *, goes_on: bool) -> dict[str, Any]:
    """All limits that are set, what is used of them, and when they will be used up."""
    record, now_s = study.record, time.time()
    limits = limits_used(study, totals)
    burning = burn_downs(study, limits, totals, now_s=now_s, goes_on=goes_on)
    timed = record.spec["budget"].get("wall_s") is not None
    drivers = site.reader.drivers(record.id) if timed else ()
    titles = study.titles()
    return {
        "limits": [
            *foreseen(limits, burning, titles),
            *of_commands(record, drivers, now_s=now_s),
        ],
        "left_of_study": [one.left_said for one in limits if one.left_said and not one.search],
        "burn_downs": _grouped(burning),
        "left_of": lambda ones: [titles.get(one.limit.search, "Left") for one in ones],
        "limit_kinds": list(dict.fromkeys((one.kind, bool(one.search)) for one in limits)),
        "lately_s": burning[0].lately_s if burning and goes_on else None,
        "left_in": left_in,
    }


def _grouped(burning: Sequence[BurnDown]) -> Mapping[tuple[str, bool], Sequence[BurnDown]]:
    """By kind, those of searches apart from the study's."""
    found: dict[tuple[str, bool], list[BurnDown]] = {}
    for one in burning:
        found.setdefault((one.limit.kind, bool(one.limit.search)), []).append(one)
    return found


def _overdue(site: Site, record: StudyRecord) -> list[Notification]:
    """Messages that [notify] asks for and that were not delivered."""
    if not record.spec.get("notify"):
        return []
    return overdue(site.reader.notifications(record.birth), at=datetime.now(UTC))


def _cursor(study: Followed) -> str:
    drawn = study.conclusions.cursor if study.conclusions else ""
    undrawn = study.undrawn and "undrawn"
    return "_".join((study.mirror.cursor, drawn, undrawn))


def _concluded(
    study: Followed, standing: Mapping[str, SearchTotals], drawn: Conclusions | None
) -> dict[str, Any]:
    """What the report says so far."""
    record, searches, titles = study.record, study.searches(), study.titles()
    objective = _ranked_by(record)
    return {
        "sentence": drawn.sentence if drawn else "",
        "reading": drawn.reading if drawn else "",
        "answers": drawn.answers if drawn else (),
        "optimizers": drawn.optimizers if drawn else (),
        "objective": objective[0].upper() + objective[1:],
        "methods": [
            _method(one, titles[one.name], standing.get(one.name, _NOTHING_YET), drawn)
            for one in searches
        ],
        "notes": drawn.notes if drawn else (),
    }


def _ranked_by(record: StudyRecord) -> str:
    if names := [title_of(name) for name in several_of(record)]:
        return f"the front of {' and '.join(names)}; where one number is asked for, {names[0]}"
    ranked = objective_of(record)
    against = " against single-task networks in percent" if ranked.needs_baseline else ""
    return f"{ranked.title}{against}"


def _method(
    search: SearchRecord, title: str, totals: SearchTotals, drawn: Conclusions | None
) -> MethodProgress:
    said = drawn.methods.get(search.name) if drawn else None
    return MethodProgress(
        search=search.name,
        title=title,
        colour=method_colour(search.weighting),
        value=said.value if said else "–",
        interval=said.interval if said else "–",
        finished=sum(n for state, n in totals.states.items() if state in FINAL),
        runs=sum(totals.states.values()),
        device_s=totals.device_s,
    )
