"""The routes, and what is answered where something is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from reports.dashboard.assets import asset
from reports.dashboard.following import LookAhead
from reports.dashboard.further_pages import claims_page, pictures_page, points_csv
from reports.dashboard.metrics import metrics
from reports.dashboard.pages import WHOLE_NUMBER
from reports.dashboard.run_page import run_json, run_page
from reports.dashboard.security import COOKIE, Access, Guard
from reports.dashboard.site import NotThere, Site
from reports.dashboard.studies_page import studies_page
from reports.dashboard.study_page import at_budget, curves_json, study_page
from reports.dashboard.trials_page import trial_page, trials_csv, trials_page
from reports.dashboard.workers_page import workers_page
from storage import StorageError

Page = Callable[[Site, Request], Response]
_PAGES: Final[dict[str, Page]] = {
    "/": studies_page,
    "/metrics": metrics,
    "/study/{study:id}": study_page,
    "/study/{study:id}/curves.json": curves_json,
    "/study/{study:id}/at_budget": at_budget,
    "/study/{study:id}/trials": trials_page,
    "/study/{study:id}/trials.csv": trials_csv,
    "/study/{study:id}/trial/{trial:id}": trial_page,
    "/study/{study:id}/run/{run:id}": run_page,
    "/study/{study:id}/run/{run:id}/curves.json": run_json,
    "/study/{study:id}/pictures": pictures_page,
    "/study/{study:id}/points.csv": points_csv,
    "/study/{study:id}/claims": claims_page,
    "/study/{study:id}/workers": workers_page,
}
_LEAST_TO_PACK: Final = 500  # bytes; a few are not worth it


class _Id(IntegerConvertor):
    regex = WHOLE_NUMBER


register_url_convertor("id", _Id())


def application(url: str, access: Access, *, ahead: LookAhead = lambda _: ()) -> Starlette:
    """The dashboard of one study database as an ASGI application.

    Args:
        ahead: Tells what a study takes yet; by default nobody does.

    Raises:
        StorageError: The database cannot be opened.
    """
    site = Site(url, access, ahead)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        site.end()

    async def missing(request: Request, error: Exception) -> Response:
        return site.pages.refusal(
            request, title="Not found", text=_text(error, "There is no such page."), status=404
        )

    async def unreachable(request: Request, error: Exception) -> Response:
        title = "The database cannot be read now"
        return site.pages.refusal(request, title=title, text=str(error), status=503)

    routes = [Route(path, _endpoint(site, page), methods=["GET"]) for path, page in _PAGES.items()]
    return Starlette(
        routes=[
            *routes,
            Route("/static/{name}", asset, methods=["GET"]),
            Route("/healthz", _healthz(site), methods=["GET"]),
            Route("/login", _login(site), methods=["GET", "POST"]),
        ],
        middleware=[
            Middleware(Guard, access=access),
            Middleware(GZipMiddleware, minimum_size=_LEAST_TO_PACK),
        ],
        lifespan=lifespan,
        exception_handlers={404: missing, NotThere: missing, StorageError: unreachable},
    )


def _endpoint(site: Site, page: Page) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(page, site, request)

    return endpoint


def _healthz(site: Site) -> Callable[[Request], object]:
    async def healthz(request: Request) -> Response:  # noqa: ARG001
        await run_in_threadpool(site.reader.studies)
        return PlainTextResponse("ok\n")

    return healthz


def _login(site: Site) -> Callable[[Request], object]:
    access = site.access

    async def login(request: Request) -> Response:
        wrong = False
        if request.method == "POST":
            form = await request.form(max_files=0, max_fields=4)
            if not access.is_ours(request, str(form.get("form_token", ""))):
                raise HTTPException(403, "This form was not sent by a page of this dashboard.")
            if access.may_log_in(str(form.get("token", ""))):
                answer = RedirectResponse("/", status_code=303)
                answer.set_cookie(
                    COOKIE, access.session, httponly=True, samesite="strict", secure=access.secure
                )
                return answer
            wrong = True
        context = {"request": request, "params": request.query_params, "live": ""}
        page = site.pages.fragment(
            "login", context | {"wrong": wrong, "form_token": access.form_token}
        )
        page.status_code = 401 if wrong else 200
        return page

    return login


def _text(error: Exception, otherwise: str) -> str:
    return str(error) if isinstance(error, NotThere) else otherwise
