"""The list of trials: filtered, sorted, paged, with the columns that are asked for, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reports._ranking import axis_title
from reports.dashboard.following.followed import Followed
from reports.dashboard.following.ranked import objective_of
from reports.dashboard.following.trial_rows import TRIAL_STATES, Page, page_of
from reports.dashboard.rendering.templating import query, whole_number
from reports.dashboard.showing.trial_filters import (
    BadFilter,
    fields,
    kept,
    measured_fields,
    measured_in,
)
from reports.dashboard.showing.trial_table import Column, TrialTable
from reports.dashboard.site import PATIENT_S, Site
from storage import Reader

_PAGE_ROWS: Final = 100
_AT_ONCE: Final = 500  # trials that a CSV file is made of at a time
_ALL: Final = 2**40
_A_MOMENT_S: Final = 0.1
"""For so long a page waits for what is not in memory; what comes later comes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which trials, in which order.

    Attributes:
        trouble: Why the filter cannot be understood; empty if it can.
        unread: Columns that it goes by which are still being read, and for how many runs.
    """

    keep: NDArray[np.bool_]
    sort: Column
    descending: bool
    trouble: str
    unread: Sequence[tuple[str, int]]

    def page(self, study: Followed, *, after: int | None, n: int) -> Page:
        """Some of them; with the lock held."""
        assert self.sort.sorted_by is not None
        return page_of(
            study.columns(),
            keep=self.keep,
            key=self.sort.sorted_by(),
            descending=self.descending,
            after=after,
            n=n,
        )


def trials_page(site: Site, request: Request) -> Response:
    """A page of trials.

    Raises:
        NotThere: There is no such study.
        NothingNew: Nothing has changed.
    """
    params = request.query_params
    study = site.study(request, cursor=lambda one: _cursor(one, params))
    record = study.record
    objective = objective_of(record, params.get("search"))
    study.measured.ask(measured_in(params, record), within_s=_A_MOMENT_S)
    with study.lock:
        table, cursor = TrialTable(study, objective), _cursor(study, params)
        wanted = _wanted(study, table, params)
        page = wanted.page(study, after=whole_number(params.get("after", "")), n=_PAGE_ROWS)
        trials = study.mirror.trials
        total, searches = len(trials), sorted(trials.searches)
        alone = int(trials.alone.sum())
        ranges = fields(study.parameters(), params)
        versions = trials.version[page.rows].tolist()
    columns, places = table.chosen(params), page.rows.tolist()
    titles = study.titles()
    heads = [_headed(column, wanted, params) for column in columns]
    limits = measured_fields(columns, params)
    context = {
        "study": record,
        "tab": "/trials",
        "rows": lambda: _rows(site.reader, table, columns, places),
        "columns": heads,
        "choices": _choices(table, columns),
        "ranges": ranges,
        "matching": page.matching,
        "total": total,
        "left_out": 0 if params.get("search") else alone,
        "following": page.following,
        "filled": study.is_filled,
        "trouble": wanted.trouble,
        "searches": [(name, titles.get(name, name)) for name in searches],
        "states": TRIAL_STATES,
        "objective": objective,
        "value_title": axis_title(objective, "Validation"),
        "narrowed": any(one.is_used for one in ranges),
        "limits": limits,
        "limited": any(one.is_used for one in limits),
        "unread": wanted.unread,
        "unreadable": study.measured.trouble if wanted.unread else "",
    }
    made_of = (
        *(record.name, objective, heads, titles, bool(total), page.following, wanted.trouble),
        *(study.mirror.birth, places, versions),  # cells are these trials', as of these versions
    )
    return site.pages.answer(request, "trials", context, cursor=cursor, made_of={"trials": made_of})


def trials_csv(site: Site, request: Request) -> Response:
    """All trials that a filter leaves, in its order; of the columns that are asked for, or of all
    that need no look at the database.

    Raises:
        NotThere: There is no such study.
    """
    study, params = site.study(request, within_s=PATIENT_S), request.query_params
    objective = objective_of(study.record, params.get("search"))
    study.measured.ask(measured_in(params, study.record), within_s=PATIENT_S)
    with study.lock:
        table = TrialTable(study, objective)
        wanted = _wanted(study, table, params)
        rows = wanted.page(study, after=None, n=_ALL).rows.tolist()
    if wanted.trouble:
        return Response(f"{wanted.trouble}\n", status_code=400, media_type="text/plain")
    if wanted.unread:
        why = study.measured.trouble or "Try again in a moment."
        said = f"What trials are sorted or chosen by is still being read. {why}\n"
        return Response(said, status_code=503, media_type="text/plain")
    columns = [one for one in table.chosen(params) if one.csv]
    headers = {"content-disposition": 'attachment; filename="trials.csv"'}
    lines = _lines(site.reader, study, table, columns, rows)
    return StreamingResponse(lines, media_type="text/csv", headers=headers)


def _cursor(study: Followed, params: QueryParams) -> str:
    """What a list has seen: of what is read for it alone, too."""
    if not measured_in(params, study.record):
        return study.mirror.cursor
    return f"{study.mirror.cursor}_{study.measured.number}"


def _wanted(study: Followed, table: TrialTable, params: QueryParams) -> _Wanted:
    """By default the methods' trials, the best first."""
    asked = table.columns.get(params.get("sort", "value"))
    sort = table.columns["value"] if asked is None or asked.sorted_by is None else asked
    trouble = ""
    try:
        keep = kept(study, params, table.columns)
    except BadFilter as error:
        keep, trouble = np.zeros(len(study.mirror.trials), dtype=bool), str(error)
    unread = [
        (table.columns[one.key].title, n)
        for one in measured_in(params, study.record)
        if (n := study.measured.unread(one))
    ]
    down = params.get("down", "1" if sort.best_is_high else "0")
    return _Wanted(keep=keep, sort=sort, descending=down == "1", trouble=trouble, unread=unread)


def _headed(column: Column, wanted: _Wanted, params: QueryParams) -> dict[str, Any]:
    """A column with its link, which sorts; the other way round where it does already."""
    is_sorted = column is wanted.sort
    down = ("0" if wanted.descending else "1") if is_sorted else None
    return {
        "kind": column.kind,
        "title": column.title,
        "words": column.words,
        "sorted": ("descending" if wanted.descending else "ascending") if is_sorted else "",
        "href": (
            ""
            if column.sorted_by is None
            else query(params, sort=column.key, down=down, after=None)
        ),
    }


def _rows(
    reader: Reader, table: TrialTable, columns: Sequence[Column], places: Sequence[int]
) -> list[tuple[int, list[Any]]]:
    """Trials by their places, each with its cells: what takes most of the time of a page."""
    table.fetch(reader, columns, places)
    return [(at, [column.of(at) for column in columns]) for at in places]


def _choices(
    table: TrialTable, chosen: Sequence[Column]
) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """All columns by group: key, title, whether it is shown."""
    shown = {one.key for one in chosen}
    by_group = groupby(table.columns.values(), lambda one: one.group)
    return [
        (group, [(one.key, one.title, one.key in shown) for one in members])
        for group, members in by_group
    ]


def _lines(
    reader: Reader,
    study: Followed,
    table: TrialTable,
    columns: Sequence[Column],
    rows: Sequence[int],
) -> Iterator[str]:
    trials = study.mirror.trials
    yield _line(["search", "number", *(column.csv for column in columns)])
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        table.fetch(reader, columns, some)
        for at in some:
            cells = [column.of(at) for column in columns]
            plain = ["" if cell is None or cell != cell else cell for cell in cells]
            yield _line([trials[at].search, trials[at].number, *plain])


def _line(cells: list[Any]) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerow(cells)
    return made.getvalue()
