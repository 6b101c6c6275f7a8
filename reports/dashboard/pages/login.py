"""The page that asks for the token, and lets a browser in that knows it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.dashboard.security import NEXT, cookie_name
from reports.dashboard.site import Site

_OWN_PATH: Final = re.compile(r"/(?![/\\])[!-~]*")
"""A path of this site. Two slashes in front, or what browsers read as such, name another one."""


def login(site: Site) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of `/login`; whoever knows the token goes on to where they wanted to go."""
    access = site.access

    async def endpoint(request: Request) -> Response:
        wrong, wanted = False, request.query_params.get(NEXT, "")
        if request.method == "POST":
            form = await request.form(max_files=0, max_fields=4)
            if not access.is_ours(request, str(form.get("form_token", ""))):
                raise HTTPException(403, "This form was not sent by a page of this dashboard.")
            wanted = str(form.get(NEXT, ""))
            if access.may_log_in(str(form.get("token", ""))):
                answer = RedirectResponse(own_path(wanted), status_code=303)
                answer.set_cookie(
                    cookie_name(request),
                    access.session,
                    httponly=True,
                    samesite="strict",
                    secure=access.secure,
                )
                return answer
            wrong = True
        context = {
            "request": request,
            "params": request.query_params,
            "live": "",
            "wrong": wrong,
            "wanted": own_path(wanted),
            "form_token": access.form_token,
        }
        page = site.pages.fragment("login", context)
        page.status_code = 401 if wrong else 200
        return page

    return endpoint


def own_path(wanted: str) -> str:
    """Where to go on to: the path, if it is one of this site, else the list of studies."""
    return wanted if _OWN_PATH.fullmatch(wanted) else "/"
