"""The pages of search views, and their points as CSV."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reports.dashboard.concluding.concluder import NotConcluded
from reports.dashboard.concluding.conclusions import Question
from reports.dashboard.following.followed import Followed
from reports.dashboard.rendering.templating import seen_by
from reports.dashboard.site import PATIENT_S, NotThere, Site
from reports.dashboard.views import VIEWS, Drawn, Seen, Undrawn, View, cloud_of

_REST_S: Final = 5.0
"""A picture of a study that moves is drawn again so long after the last time, at the earliest."""


def views_page(site: Site, request: Request) -> Response:
    """Which views there are.

    Raises:
        NotThere: There is no such study.
    """
    study = site.study(request, within_s=0.0, cursor=lambda _: "all")
    context = {"study": study.record, "tab": "/views", "views": _of(study)}
    return site.pages.answer(request, "views", context, cursor="all")


def view_page(site: Site, request: Request) -> Response:
    """One view.

    Raises:
        NotThere: There is no such study or view.
    """
    study = site.study(request, cursor=lambda study: _seen(site, study, request))
    known, view = _known(site, study), _view(study, request)
    found: Drawn | Undrawn
    try:
        found, trouble = view.draw(_look(site, study, request)), ""
    except NotConcluded as error:
        found, trouble = Undrawn(reason=""), str(error)
    drawn = isinstance(found, Drawn)
    context = {
        "study": study.record,
        "tab": "/views",
        "views": _of(study),
        "view": view,
        "found": found,
        "drawn": drawn,
        "trouble": trouble,
        **_markup(found),
    }
    made_s = int(time.time()) if drawn else 0
    return site.pages.answer(request, "view", context, cursor=f"{known}~{made_s}")


def view_csv(site: Site, request: Request) -> Response:
    """All that a view is drawn of.

    Raises:
        NotThere: There is no such study or view, or there is nothing to be drawn.
    """
    study = site.study(request, within_s=PATIENT_S)
    view = _view(study, request)
    try:
        found = view.draw(_look(site, study, request))
    except NotConcluded as error:
        raise NotThere(str(error)) from error
    if isinstance(found, Undrawn):
        raise NotThere(found.reason)
    headers = {"content-disposition": f'attachment; filename="{view.key}.csv"'}
    return StreamingResponse(_lines(found), media_type="text/csv", headers=headers)


def _known(site: Site, study: Followed) -> str:
    """Moves with all that a view may be drawn of."""
    return f"{study.mirror.cursor}.{site.asked.n_answers}"


def _seen(site: Site, study: Followed, request: Request) -> str:
    """What the page has, as long as nothing has moved, or for some seconds after it was drawn."""
    before, known = seen_by(request) or "", _known(site, study)
    cursor, _, made_s = before.rpartition("~")
    is_new = made_s.isdecimal() and 0 <= time.time() - int(made_s[:12]) < _REST_S
    return before if before and (cursor == known or is_new) else known


def _of(study: Followed) -> list[View]:
    return [view for view in VIEWS if view.is_of(study.record)]


def _view(study: Followed, request: Request) -> View:
    asked = request.path_params["view"]
    found = [view for view in _of(study) if view.key == asked]
    if not found:
        raise NotThere(f"The study {study.record.name} has no view of this name.")
    return found[0]


def _look(site: Site, study: Followed, request: Request) -> Seen:
    return Seen(
        record=study.record,
        cloud=cloud_of(study),
        params=request.query_params,
        point=lambda at: study.mirror.trials[at].params,
        ask=partial(_ask, site, study),
    )


def _ask(site: Site, study: Followed, about: Any, *arguments: Any) -> Any:
    """What the process beside the server says; None while it works.

    Raises:
        NotConcluded: It could not be worked out.
    """
    question = Question(about=about, of=(study.stand,), arguments=arguments)
    found = site.asked.of(question)
    if found is not None and found.trouble:
        raise NotConcluded(found.trouble)
    return found and found.found


def _markup(found: Drawn | Undrawn) -> dict[str, Any]:
    """Pictures as markup: what draws them has escaped what is in them."""
    if isinstance(found, Undrawn):
        return {}
    return {"wide": Markup(found.pictures.wide), "narrow": Markup(found.pictures.narrow)}


def _lines(found: Drawn) -> Iterator[str]:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    for row in found.csv():
        writer.writerow(row)
        yield made.getvalue()
        made.seek(0)
        made.truncate()
