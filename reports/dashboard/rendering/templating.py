"""Pages from templates, whole or only those sections that have changed since the browser got them.

A page says in its address of updates which changes it has seen and, by short hashes, what its
sections hold. Nothing new is an empty answer; else the sections that differ are sent, and are
morphed into the page, so that focus, selection and scroll stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reports.dashboard.rendering import words
from reports.dashboard.rendering.assets import asset_path
from storage.wording import amount_of, counted, duration, limit_said

WHOLE_NUMBER: Final = "[0-9]{1,18}"
"""Whole numbers in addresses, as long as a database can compare with."""

_SINCE: Final = "since"
_HAVE: Final = "have"
_SECTION: Final = "section_"


def environment() -> Environment:
    """Templates, with everything escaped that is not a template's own text."""
    made = Environment(
        loader=PackageLoader("reports.dashboard.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        asset=asset_path, counted=counted, query=query, trial_path=trial_path, now=words.now
    )
    made.filters.update(
        number=words.number,
        point=words.point,
        amount=words.amount,
        ranked=words.ranked,
        cost=words.cost,
        value=words.value_text,
        duration=duration,
        ago=words.ago,
        ahead=words.ahead,
        clock=words.clock,
        coded=words.coded,
        limit=limit_said,
        moment=words.moment,
        instant=words.instant,
        of_kind=lambda value, kind: amount_of(kind, value),
    )
    made.globals["parts"] = made.get_template("parts.html").module
    return made


def query(params: QueryParams | Mapping[str, str], **changed: object) -> str:
    """A query string with some values changed; None leaves one out."""
    kept = params.multi_items() if isinstance(params, QueryParams) else list(params.items())
    left = [(key, value) for key, value in kept if key not in (*changed, _SINCE, _HAVE)]
    left += [(key, str(value)) for key, value in changed.items() if value is not None]
    return "?" + urlencode(left)


def trial_path(study: int, search: str, number: int) -> str:
    """Where a trial is shown: what is shared leads to the same one after a restart, too."""
    return f"/study/{study}/trial/{number}{query({}, search=search)}"


def whole_number(text: str) -> int | None:
    """The number that a value of a query string is; None if it is none, or far too long."""
    return int(text) if re.fullmatch(WHOLE_NUMBER, text) else None


class NothingNew(Exception):
    """The browser's page has seen all that there is: the answer is empty."""


def seen_by(request: Request) -> str | None:
    """The cursor that the browser's page has; None where a whole page is asked for."""
    return request.query_params.get(_SINCE)


class Pages:
    """Answers requests by templates.

    Args:
        may_act: Whether pages have forms that change studies.
    """

    def __init__(self, *, may_act: bool = False) -> None:
        self._environment = environment()
        self._environment.globals["may_act"] = may_act

    def answer(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        *,
        cursor: str,
        made_of: Mapping[str, object] = MappingProxyType({}),
    ) -> Response:
        """The page, or what has changed of it.

        Args:
            cursor: Moves whenever anything of the page may have changed.
            made_of: By section all that it says, for those that take long to be written: they are
                not, for a browser that has them.

        Raises:
            NothingNew: The browser's page has this cursor.
        """
        if seen_by(request) == cursor:
            raise NothingNew
        found = self._environment.get_template(f"{template}.html")
        whole = {"request": request, "params": request.query_params, "live": "", **context}
        sections = {
            name.removeprefix(_SECTION): _Section(found, name, whole)
            for name in found.blocks
            if name.startswith(_SECTION)
        }
        have = [
            _short(repr(made_of[name])) if name in made_of else _short(section.text)
            for name, section in sections.items()
        ]
        path = request.url.path + query(request.query_params)
        extra = {_SINCE: cursor, _HAVE: ".".join(have)}
        live = f"{path}{'&' if path[-1] != '?' else ''}{urlencode(extra)}"
        if _SINCE not in request.query_params:
            return HTMLResponse(_page(found, sections, {**whole, "live": live}))
        before = request.query_params.get(_HAVE, "").split(".")
        changed = _changed(sections, have, before)
        frame = self._environment.get_template("partial.html")
        return HTMLResponse(frame.render(sections=changed, live=live))

    def fragment(self, template: str, context: Mapping[str, Any]) -> Response:
        """A part of a page by itself."""
        return HTMLResponse(self._environment.get_template(f"{template}.html").render(context))

    def refusal(
        self, request: Request, *, title: str, text: str, status: int, back: str = "/"
    ) -> Response:
        """A page that says what is wrong and what to do.

        Args:
            back: Path of the page to go to from there.
        """
        found = self._environment.get_template("refusal.html")
        page = found.render(
            request=request, params=request.query_params, live="", title=title, text=text, back=back
        )
        return HTMLResponse(page, status_code=status)


class _Section:
    """A part of a page, which is written when it is first asked for."""

    def __init__(self, template: Template, block: str, context: Mapping[str, Any]) -> None:
        self._template, self.block, self._context = template, block, context

    @cached_property
    def text(self) -> str:
        context = self._template.new_context(dict(self._context))
        return "".join(self._template.blocks[self.block](context))


def _page(template: Template, sections: Mapping[str, _Section], context: dict[str, Any]) -> str:
    """The whole page, of sections that are written already."""
    written = template.new_context(context)
    for section in sections.values():
        written.blocks[section.block] = [partial(_written, section)]
    return "".join(template.root_render_func(written))


def _written(section: _Section, context: Context) -> Iterator[str]:  # noqa: ARG001 - as a block
    yield section.text


def _changed(
    sections: Mapping[str, _Section], hashes: Sequence[str], before: Sequence[str]
) -> dict[str, Markup]:
    """Sections that a browser does not have; all of them if it has those of another page."""
    same = len(before) == len(hashes)
    return {
        name: Markup(section.text)  # made by a template, which has escaped it
        for at, (name, section) in enumerate(sections.items())
        if not same or before[at] != hashes[at]
    }


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
