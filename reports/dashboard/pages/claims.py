"""What a study says to the claims of its field."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.concluding.asked import Answer
from reports.dashboard.concluding.conclusions import Question
from reports.dashboard.following.followed import Followed
from reports.dashboard.site import Site


def claims_page(site: Site, request: Request) -> Response:
    """Each claim with its evidence.

    Raises:
        NotThere: There is no such study.
    """

    def answer(study: Followed) -> Answer | None:
        return site.asked.of(Question(about="claims", of=(study.stand,)))

    def seen(study: Followed) -> str:
        found = answer(study)
        return f"{found.cursors[0]}{len(found.trouble)}" if found else "none"

    study = site.study(request, cursor=seen)
    cursor, found = seen(study), answer(study)
    context = {
        "study": study.record,
        "tab": "/claims",
        "found": found and found.found,
        "undrawn": found.trouble if found else "",
    }
    return site.pages.answer(request, "claims", context, cursor=cursor)
