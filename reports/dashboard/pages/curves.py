"""Cost and performance: the curves of the overview and the table at a budget, as asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports.dashboard.concluding.concluder import NotConcluded
from reports.dashboard.concluding.conclusions import Conclusions, Question
from reports.dashboard.following.followed import Followed
from reports.dashboard.rendering.templating import whole_number
from reports.dashboard.site import Site

_MOST_CURVES: Final = 10
"""Drawn unless others are asked for."""


def curves_json(site: Site, request: Request) -> Response:
    """Each method's curve in one unit of cost, as steps; none before conclusions are drawn.

    Raises:
        NotThere: There is no such study.
    """
    study = site.study(request)
    drawn = study.conclusions
    axis, measure = _axis(drawn, request), _measure(drawn, request)
    if not drawn or not axis:
        return JSONResponse({"series": []})
    found = drawn.curves[axis]
    if measure != drawn.measures[0][0]:
        try:
            found = _ask(site, study, drawn, "curves", axis, measure)
        except NotConcluded as error:
            return JSONResponse({"trouble": str(error)}, status_code=503)
    chosen = _chosen([one["search"] for one in found["series"]], request)
    shown = [one for one in found["series"] if one["search"] in chosen]
    return JSONResponse({**found, "series": shown})


def at_budget(site: Site, request: Request) -> Response:
    """The table of all methods at a budget, for a slider that moves.

    Raises:
        NotThere: There is no such study.
    """
    study = site.study(request)
    record, drawn = study.record, study.conclusions
    axis, measure = _axis(drawn, request), _measure(drawn, request)
    found, trouble = None, ""
    if drawn and axis and drawn.curves[axis]["series"]:
        try:
            found = _ask(site, study, drawn, "budget", axis, _place(request), measure)
        except NotConcluded as error:
            trouble = str(error)
    context = {"at_budget": found, "trouble": trouble}
    if "alone" in request.query_params:
        return site.pages.answer(
            request, "at_budget_page", context | {"study": record, "tab": ""}, cursor=""
        )
    return site.pages.fragment("at_budget", context)


def asked_of_curves(drawn: Conclusions | None, request: Request) -> dict[str, Any]:
    """What the form above the curves says: what there is, and what of it is asked for."""
    axis, place = _axis(drawn, request), _place(request)
    curves = drawn.curves[axis] if drawn and axis else {}
    said = curves["said"] if curves.get("series") else ()
    return {
        "axes": drawn.axes if drawn else (),
        "axis": axis or request.query_params.get("axis"),
        "measures": drawn.measures if drawn else (),
        "measure": _measure(drawn, request) or request.query_params.get("measure"),
        "drawn": _curves(drawn, request),
        "budget": place,
        "budget_said": said[place] if said else "",
    }


def _ask(
    site: Site,
    study: Followed,
    drawn: Conclusions,
    about: Literal["budget", "curves"],
    *arguments: object,
) -> Any:
    stand = study.stand._replace(cursor=drawn.cursor)
    return site.concluder.ask(Question(about=about, of=(stand,), arguments=arguments))


def _axis(drawn: Conclusions | None, request: Request) -> str | None:
    """The unit of cost that is asked for, or else the first that the study has."""
    known = [axis for axis, _ in drawn.axes] if drawn else []
    asked = [axis for axis in known if axis == request.query_params.get("axis")]
    return next(iter([*asked, *known]), None)


def _measure(drawn: Conclusions | None, request: Request) -> str | None:
    """What curves are asked to be told by, or else the first that there is."""
    known = [key for key, _ in drawn.measures] if drawn else []
    asked = [key for key in known if key == request.query_params.get("measure")]
    return next(iter([*asked, *known]), None)


def _curves(drawn: Conclusions | None, request: Request) -> list[tuple[str, str, str, bool]]:
    """Methods that have a curve: search, title, colour, whether it is drawn."""
    axis = _axis(drawn, request)
    series = drawn.curves[axis]["series"] if drawn and axis else []
    chosen = _chosen([one["search"] for one in series], request)
    return [(one["search"], one["name"], one["colour"], one["search"] in chosen) for one in series]


def _chosen(searches: Sequence[str], request: Request) -> Collection[str]:
    """The curves that are asked for, else the first ten."""
    asked = {*request.query_params.getlist("curve")} & {*searches}
    return asked or searches[:_MOST_CURVES]


def _place(request: Request) -> int:
    """Where the budget's slider is, in hundredths of the cost axis."""
    asked = whole_number(request.query_params.get("budget", ""))
    return 100 if asked is None else min(asked, 100)
