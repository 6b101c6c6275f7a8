"""What a run shows, by addresses of its own: a picture's bytes, a table's rows."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.rendering.templating import whole_number
from reports.dashboard.site import NotThere, Site

_KEPT: Final = "private, max-age=31536000, immutable"


def picture(site: Site, request: Request) -> Response:
    """One picture; the content security policy of pages lets it in, as it lets in no other site's.

    Raises:
        NotThere: There is no such study or picture, or it is hidden while the study is sealed.
    """
    items = _content(site, request, "pictures")["items"]
    at = whole_number(request.query_params.get("at", ""))
    if at is None or at >= len(items):
        raise NotThere(f"There are {len(items)} pictures here. Their numbers, `at`, go from 0.")
    found = base64.b64decode(items[at]["png"])
    return Response(found, media_type="image/png", headers={"cache-control": _KEPT})


def table_csv(site: Site, request: Request) -> Response:
    """All rows of a table.

    Raises:
        NotThere: There is no such study or table, or it is hidden while the study is sealed.
    """
    content = _content(site, request, "table")
    text = io.StringIO()
    csv.writer(text).writerows([content["columns"], *content["rows"]])
    headers = {"content-disposition": 'attachment; filename="table.csv"'}
    return Response(text.getvalue(), media_type="text/csv", headers=headers)


def _content(site: Site, request: Request, kind: str) -> Mapping[str, Any]:
    """What the address names."""
    record, run = site.record(request), request.path_params["run"]
    name = request.query_params.get("name", "")
    round_ = whole_number(request.query_params.get("round", ""))
    known = name.isprintable()  # no name is otherwise, and a database may not take it
    for row in site.reader.exhibits(record.name, runs=[run], name=name) if known else ():
        if (row.kind, row.round) == (kind, round_):
            found: Mapping[str, Any] = json.loads(row.content)
            return found
    raise NotThere(f"Run {run} of the study {record.name} shows no such thing.")
