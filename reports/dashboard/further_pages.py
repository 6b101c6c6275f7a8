"""Pages of what takes a while: the report's figures, and what a study says to claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.conclusions import PictureSaid
from reports.dashboard.following import Further
from reports.dashboard.pages import unchanged
from reports.dashboard.site import PATIENCE_S, NotThere, Site


def pictures_page(site: Site, request: Request) -> Response:
    """The search views: the report's figures beside that of cost.

    Raises:
        NotThere: There is no such study.
    """
    return _page(site, request, "pictures")


def claims_page(site: Site, request: Request) -> Response:
    """What the study says to the claims of its field.

    Raises:
        NotThere: There is no such study.
    """
    return _page(site, request, "claims")


def points_csv(site: Site, request: Request) -> Response:
    """What a picture is drawn of.

    Raises:
        NotThere: There is no such study or picture.
    """
    _, found = site.followed(site.record(request)).further("pictures")
    asked = request.query_params.get("of")
    points = [one.points for one in found or () if one.key == asked]
    if not points:
        raise NotThere("There is no such picture, or not yet. Look at the page of pictures first.")
    headers = {"content-disposition": 'attachment; filename="points.csv"'}
    return Response(points[0], media_type="text/csv", headers=headers)


def _page(site: Site, request: Request, what: Further) -> Response:
    record = site.record(request)
    study = site.followed(record)
    study.catch_up(within_s=PATIENCE_S)
    cursor, found = study.further(what)
    seen = f"{cursor}{len(study.undrawn)}"
    if (nothing_new := unchanged(request, seen)) is not None:
        return nothing_new
    context = {
        "study": record,
        "tab": f"/{what}",
        "found": _shown(found) if what == "pictures" and found else found,
        "undrawn": study.undrawn,
    }
    return site.pages.answer(request, what, context, cursor=seen)


def _shown(found: Sequence[PictureSaid]) -> list[dict[str, Any]]:
    """Pictures as markup: the report's own drawings, which have escaped what is in them."""
    return [
        {
            "key": one.key,
            "title": one.title,
            "seen": one.seen,
            "caption": one.caption,
            "drawn": one.wide.startswith("<svg "),
            "wide": Markup(one.wide) if one.wide.startswith("<svg ") else one.wide,
            "narrow": Markup(one.narrow) if one.narrow.startswith("<svg ") else one.narrow,
        }
        for one in found
    ]
