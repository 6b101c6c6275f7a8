"""Pages from templates, whole or only those sections that have changed since the browser got them.

A page says in its address of updates which changes it has seen and, by short hashes, what its
sections hold. Nothing new is an empty answer; else the sections that differ are sent, and are
morphed into the page, so that focus, selection and scroll stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reports.dashboard import words
from reports.dashboard.assets import asset_path
from storage.wording import counted, duration

WHOLE_NUMBER: Final = "[0-9]{1,18}"
"""Whole numbers in addresses, as long as a database can compare with."""

_SINCE: Final = "since"
_HAVE: Final = "have"
_SECTION: Final = "section_"


def environment() -> Environment:
    """Templates, with everything escaped that is not a template's own text."""
    made = Environment(
        loader=PackageLoader("reports.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset_path, counted=counted, query=query)
    made.filters.update(
        number=words.number,
        point=words.point,
        duration=duration,
        ago=words.ago,
        moment=words.moment,
    )
    made.globals["parts"] = made.get_template("parts.html").module
    return made


def query(params: QueryParams | Mapping[str, str], **changed: object) -> str:
    """A query string with some values changed; None leaves one out."""
    kept = params.multi_items() if isinstance(params, QueryParams) else list(params.items())
    left = [(key, value) for key, value in kept if key not in (*changed, _SINCE, _HAVE)]
    left += [(key, str(value)) for key, value in changed.items() if value is not None]
    return "?" + urlencode(left)


def whole_number(text: str) -> int | None:
    """The number that a value of a query string is; None if it is none, or far too long."""
    return int(text) if re.fullmatch(WHOLE_NUMBER, text) else None


def unchanged(request: Request, cursor: str) -> Response | None:
    """The empty answer, if the browser's page has seen all up to this cursor."""
    return Response(status_code=204) if request.query_params.get(_SINCE) == cursor else None


class Pages:
    """Answers requests by templates."""

    def __init__(self) -> None:
        self._environment = environment()

    def answer(
        self, request: Request, template: str, context: Mapping[str, Any], *, cursor: str
    ) -> Response:
        """The page, or what has changed of it.

        Args:
            cursor: Moves whenever anything of the page may have changed.
        """
        if (nothing_new := unchanged(request, cursor)) is not None:
            return nothing_new
        found = self._environment.get_template(f"{template}.html")
        whole = {"request": request, "params": request.query_params, "live": "", **context}
        names = [name for name in found.blocks if name.startswith(_SECTION)]
        texts = {
            name.removeprefix(_SECTION): "".join(found.blocks[name](found.new_context(whole)))
            for name in names
        }
        have = {name: _short(text) for name, text in texts.items()}
        path = request.url.path + query(request.query_params)
        extra = {_SINCE: cursor, _HAVE: ".".join(have.values())}
        live = f"{path}{'&' if path[-1] != '?' else ''}{urlencode(extra)}"
        if _SINCE not in request.query_params:
            return HTMLResponse(found.render({**whole, "live": live}))
        before = request.query_params.get(_HAVE, "").split(".")
        changed = _changed(texts, list(have.values()), before)
        partial = self._environment.get_template("partial.html")
        return HTMLResponse(partial.render(sections=changed, live=live))

    def fragment(self, template: str, context: Mapping[str, Any]) -> Response:
        """A part of a page by itself."""
        return HTMLResponse(self._environment.get_template(f"{template}.html").render(context))

    def refusal(self, request: Request, *, title: str, text: str, status: int) -> Response:
        """A page that says what is wrong and what to do."""
        found = self._environment.get_template("refusal.html")
        page = found.render(
            request=request, params=request.query_params, live="", title=title, text=text
        )
        return HTMLResponse(page, status_code=status)


def _changed(
    texts: Mapping[str, str], hashes: Sequence[str], before: Sequence[str]
) -> dict[str, Markup]:
    """Sections that a browser does not have; all of them if it has those of another page."""
    same = len(before) == len(hashes)
    return {
        name: Markup(text)  # made by a template, which has escaped it
        for at, (name, text) in enumerate(texts.items())
        if not same or before[at] != hashes[at]
    }


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
