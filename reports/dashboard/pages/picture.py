"""A picture that a run shows, by its address; the content security policy lets these in."""

from __future__ import annotations

import base64
import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.rendering.templating import whole_number
from reports.dashboard.site import NotThere, Site

_KEPT: Final = "private, max-age=31536000, immutable"


def picture(site: Site, request: Request) -> Response:
    """The bytes of one picture; those of the test split of a sealed study are not there.

    Raises:
        NotThere: There is no such study or picture.
    """
    record, run = site.record(request), request.path_params["run"]
    asked = request.query_params
    round_, at = (whole_number(asked.get(name, "")) for name in ("round", "at"))
    name = asked.get("name", "")
    known = name.isprintable()  # no name is otherwise, and a database may not take it
    for row in site.reader.exhibits(record.name, runs=[run], name=name) if known else ():
        if (row.kind, row.round) == ("pictures", round_):
            items = json.loads(row.content)["items"]
            if at is not None and at < len(items):
                found = base64.b64decode(items[at]["png"])
                return Response(found, media_type="image/png", headers={"cache-control": _KEPT})
    raise NotThere(f"Run {run} of the study {record.name} shows no such picture.")
