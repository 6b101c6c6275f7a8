"""Several studies side by side, at equal budget."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.concluding.conclusions import Question, Stand
from reports.dashboard.rendering.templating import whole_number
from reports.dashboard.site import Site
from storage.records import StudyRecord
from storage.wording import counted

_MOST: Final = 12
_LONGEST: Final = 40  # of a budget, in letters


def compare_page(site: Site, request: Request) -> Response:
    """The studies that the address names by their numbers, as `weighbridge compare` has them.

    Raises:
        NothingNew: The browser's page has seen it all.
    """
    chosen, trouble = _chosen(site, request)
    answer, at = None, request.query_params.get("at", "").strip()[:_LONGEST]
    if not trouble:
        stands = tuple(Stand(one.name, one.birth, site.reader.cursor(one.name)) for one in chosen)
        answer = site.asked.of(Question(about="compared", of=stands, arguments=(at,)))
    seen = repr((trouble, answer and (answer.cursors, answer.trouble), at))
    context: dict[str, Any] = {
        "chosen": chosen,
        "trouble": trouble or (answer.trouble if answer else ""),
        "waits": not trouble and answer is None,
        "found": answer and answer.found,
        "at": at,
    }
    cursor = sha256(seen.encode()).hexdigest()[:16]
    return site.pages.answer(request, "compare", context, cursor=cursor)


def _chosen(site: Site, request: Request) -> tuple[list[StudyRecord], str]:
    """The studies, each once, and why they cannot be compared; empty if they may be."""
    asked = list(dict.fromkeys(request.query_params.getlist("study")))
    numbers = [whole_number(text) for text in asked[: _MOST + 1]]
    named = [number for number in numbers if number is not None]
    known = {one.id: one for one in site.reader.studies_at(named)}
    found = [known[number] for number in numbers if number in known]
    missing = [text[:20] for text, n in zip(asked, numbers, strict=False) if n not in known]
    if len(asked) > _MOST:
        return found[:_MOST], f"At most {_MOST} studies are compared. {len(asked)} were named."
    if missing:
        said = ", ".join(missing)
        return found, f"No study has the number {said} here. It may have been deleted."
    if len(found) < 2:
        said = counted(len(found), "study", "studies")
        return (
            found,
            f"A comparison needs two studies or more. Got {said}. Choose more.",
        )
    return found, ""
