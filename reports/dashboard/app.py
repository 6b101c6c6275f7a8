"""The routes, and what is answered where something is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reports.dashboard.concluding.outlook import LookAhead
from reports.dashboard.concluding.printed import Outputs
from reports.dashboard.pages.actions import act
from reports.dashboard.pages.audit import audit_page, study_audit_page
from reports.dashboard.pages.claims import claims_page
from reports.dashboard.pages.compare import compare_page
from reports.dashboard.pages.curves import at_budget, curves_json
from reports.dashboard.pages.exhibit import picture, table_csv
from reports.dashboard.pages.login import login
from reports.dashboard.pages.metrics import metrics
from reports.dashboard.pages.run import run_json, run_page
from reports.dashboard.pages.studies import studies_page
from reports.dashboard.pages.study import budget_json, study_page
from reports.dashboard.pages.trial import trial_json, trial_page
from reports.dashboard.pages.trials import trials_csv, trials_page
from reports.dashboard.pages.views import view_csv, view_page, views_page
from reports.dashboard.pages.workers import workers_json, workers_page
from reports.dashboard.rendering.assets import asset
from reports.dashboard.rendering.templating import WHOLE_NUMBER, NothingNew
from reports.dashboard.security import Access, Guard, mark
from reports.dashboard.site import Actions, NotThere, Site
from storage import StorageError

Page = Callable[[Site, Request], Response]
_PAGES: Final[dict[str, Page]] = {
    "/": studies_page,
    "/compare": compare_page,
    "/metrics": metrics,
    "/study/{study:id}": study_page,
    "/study/{study:id}/curves.json": curves_json,
    "/study/{study:id}/at_budget": at_budget,
    "/study/{study:id}/budget.json": budget_json,
    "/study/{study:id}/trials": trials_page,
    "/study/{study:id}/trials.csv": trials_csv,
    "/study/{study:id}/trial/{trial:id}": trial_page,
    "/study/{study:id}/trial/{trial:id}/curves.json": trial_json,
    "/study/{study:id}/run/{run:id}": run_page,
    "/study/{study:id}/run/{run:id}/curves.json": run_json,
    "/study/{study:id}/run/{run:id}/picture.png": picture,
    "/study/{study:id}/run/{run:id}/table.csv": table_csv,
    "/study/{study:id}/views": views_page,
    "/study/{study:id}/views/{view}.csv": view_csv,
    "/study/{study:id}/views/{view}": view_page,
    "/study/{study:id}/claims": claims_page,
    "/audit": audit_page,
    "/study/{study:id}/audit": study_audit_page,
    "/study/{study:id}/workers": workers_page,
    "/study/{study:id}/workers.json": workers_json,
}
_AT_ONCE: Final = 4
"""Pages that are made at one time: more are ready no sooner, and take more memory."""

_LEAST_TO_PACK: Final = 500  # bytes; a few are not worth it
_LEVEL: Final = 6  # 9 takes four times as long, for 2 % less


_LOAD_AGAIN_S: Final = 5
"""A page that could not be made asks for itself again."""


class _Id(IntegerConvertor):
    regex = WHOLE_NUMBER


register_url_convertor("id", _Id())


def application(
    url: str,
    access: Access,
    *,
    ahead: LookAhead = lambda _: (),
    outputs: Outputs = lambda _: (),
    actions: Actions | None = None,
    estimators: str = "",
    at_end: Callable[[], None] = lambda: None,
) -> Starlette:
    """The dashboard of one study database as an ASGI application.

    Args:
        ahead: Tells what a study takes yet; by default nobody does.
        outputs: Finds what a run has printed; by default nobody does.
        actions: What is needed to change studies; None: nothing can be changed.
        estimators: Where `reports.importances.Estimators` are found, as ``module:name``.
        at_end: Called when nobody looks any more, to end what `ahead` has begun.

    Raises:
        StorageError: The database cannot be opened.
    """
    site = Site(url, access, ahead, outputs, actions, estimators)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = _AT_ONCE
        yield
        site.end()
        at_end()

    routes = [Route(path, _endpoint(site, page), methods=["GET"]) for path, page in _PAGES.items()]
    return Starlette(
        routes=[
            *routes,
            Route("/static/{name}", asset, methods=["GET"]),
            Route("/healthz", _healthz(site), methods=["GET"]),
            Route("/study/{study:id}/act", act(site), methods=["POST"]),
            Route("/login", login(site), methods=["GET", "POST"]),
        ],
        middleware=[
            Middleware(Guard, access=access),
            Middleware(GZipMiddleware, minimum_size=_LEAST_TO_PACK, compresslevel=_LEVEL),
        ],
        lifespan=lifespan,
        exception_handlers=_refusals(site),
    )


def _refusals(site: Site) -> dict[Any, Callable[[Request, Any], Any]]:
    """What is answered where something is wrong."""

    async def missing(request: Request, error: Exception) -> Response:
        return site.pages.refusal(
            request, title="Not found", text=_text(error, "There is no such page."), status=404
        )

    async def nothing_new(request: Request, error: Exception) -> Response:  # noqa: ARG001
        return Response(status_code=204)

    async def unreachable(request: Request, error: Exception) -> Response:
        if "hx-request" in request.headers:  # a browser would call an error what a page tells
            return Response(status_code=204, headers={"weighbridge-away": "1"})
        title = "The database cannot be read now"
        found = site.pages.refusal(request, title=title, text=str(error), status=503)
        if request.method == "GET":
            found.headers["refresh"] = str(_LOAD_AGAIN_S)
        return found

    async def broken(request: Request, error: Exception) -> Response:
        title, kind = "This page could not be made", type(error).__name__
        text = f"The dashboard has failed at it ({kind}): its terminal says where. Others answer."
        found = site.pages.refusal(request, title=title, text=text, status=500)
        mark(found.headers)  # no middleware of ours sees this answer
        return found

    return {
        404: missing,
        NotThere: missing,
        NothingNew: nothing_new,
        StorageError: unreachable,
        Exception: broken,
    }


def _endpoint(site: Site, page: Page) -> Callable[[Request], object]:
    def answer(request: Request) -> Response:
        try:
            return page(site, request)
        finally:
            site.memory.give_back()

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return endpoint


def _healthz(site: Site) -> Callable[[Request], object]:
    async def healthz(request: Request) -> Response:  # noqa: ARG001
        try:
            await run_in_threadpool(site.reader.studies)
        except StorageError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)
        return PlainTextResponse("ok\n")

    return healthz


def _text(error: Exception, otherwise: str) -> str:
    return str(error) if isinstance(error, NotThere) else otherwise
