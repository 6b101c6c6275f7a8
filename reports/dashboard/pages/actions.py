"""What may be done to a study from the dashboard, where its server was started with that allowed.

An action is a form that one of our pages has sent, and a command of `storage` that writes who has
sent it. What cannot be taken back asks for the study's name first. Without `Actions`, nothing here
opens the database to write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.dashboard.site import Actions, Site
from storage import Storage
from storage.errors import BudgetRefused, StudyChanged, StudyInUse
from storage.moving import Retried
from storage.planning.audit import this_actor
from storage.records import Actor, StudyRecord

_OFF: Final = (
    "Nothing can be changed from this dashboard. Start it with `weighbridge dashboard "
    "--allow-actions`, or use the command line: `weighbridge pause`, `resume`, `stop`, `retry`, "
    "`budget`, `delete`."
)
_STRANGE: Final = "This form was not sent by a page of this dashboard. Load the page again."
_PATIENCE_S: Final = 5.0
_REFUSED: Final = (BudgetRefused, StudyInUse, StudyChanged)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A form with the study that it is about."""

    database: Storage
    study: StudyRecord
    form: Mapping[str, str]
    actions: Actions


def _pause(asked: _Asked) -> str:
    return "" if asked.database.pause(asked.study.id) else "It was paused already."


def _resume(asked: _Asked) -> str:
    return "" if asked.database.resume(asked.study.id) else "It was not paused."


def _stop(asked: _Asked) -> str:
    asked.database.stop(asked.study.id)
    return ""


def _retry(asked: _Asked) -> str:
    which: Retried = "lost" if asked.form.get("which") == "lost" else "failed"
    n_runs = asked.database.retry(asked.study.id, which)
    return "" if n_runs else f"No run is there that has {which}: nothing was put back."


def _budget(asked: _Asked) -> str:
    kind, text = asked.form.get("limit", ""), asked.form.get("number", "").strip()
    try:
        number = int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise BudgetRefused(
            f"A limit is a number above what it is now. Got {text!r}. Type it with digits."
        ) from None
    search = asked.form.get("search") or None
    asked.database.raise_budget(asked.study.id, {kind: number}, search=search)
    return ""


def _delete(asked: _Asked) -> str:
    folders = asked.database.file_folders(asked.study.id)
    asked.database.delete_study(asked.study.id, liveness=asked.actions.liveness)
    asked.actions.remove_files(folders)
    return ""


_VERBS: Final[Mapping[str, Callable[[_Asked], str]]] = {
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "retry": _retry,
    "budget": _budget,
    "delete": _delete,
}
_NOBODY: Final = (
    "Nobody trains this study now: there is nothing to end but drivers that wait for runs."
)
_CONFIRMED: Final = {
    "stop": "All drivers of this study end, on whatever host they run, as after Ctrl-C: workers "
    "save what they train at the end of its epoch. `weighbridge run` goes on from there.",
    "delete": "All runs, results, costs, checkpoints and logs of this study are deleted. There is "
    "no way back.",
}


def act(site: Site) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that forms are sent to."""

    async def endpoint(request: Request) -> Response:
        if site.actions is None:
            return _refusal(site, request, _OFF, 403)
        form = await request.form(max_files=0, max_fields=8)
        fields = {key: value for key, value in form.items() if isinstance(value, str)}
        if not site.access.is_ours(request, fields.get("form_token", "")):
            return _refusal(site, request, _STRANGE, 403)
        if fields.get("verb") not in _VERBS:
            raise HTTPException(404)
        return await run_in_threadpool(_acted, site, site.actions, request, fields)

    return endpoint


def _acted(site: Site, actions: Actions, request: Request, form: Mapping[str, str]) -> Response:
    record, verb = site.record(request), form["verb"]
    if verb in _CONFIRMED and form.get("name") != record.name:
        return _confirmation(site, request, record, form)
    idle = verb == "stop" and not site.reader.is_held(record.id)
    try:
        with closing(_opened(site, request)) as database:
            said = _VERBS[verb](_Asked(database, record, form, actions))
            number = database.audit(limit=1)
    except _REFUSED as error:
        return _refusal(site, request, str(error), 409)
    if said:
        return _refusal(site, request, said, 200, title="Nothing was changed")
    where = "/audit" if verb == "delete" else f"/study/{record.id}/audit"
    return RedirectResponse(f"{where}?entry={number[-1].number}{'&idle=1' * idle}", status_code=303)


def _opened(site: Site, request: Request) -> Storage:
    """The database, to write: for one action, by whoever has asked for it."""
    client = request.client.host if request.client else "an unknown address"
    actor = Actor(who=this_actor().who, origin=f"dashboard, from {client}")
    return Storage(site.url, create=False, actor=actor, patience_s=_PATIENCE_S)


def _confirmation(
    site: Site, request: Request, record: StudyRecord, form: Mapping[str, str]
) -> Response:
    idle = form["verb"] == "stop" and not site.reader.is_held(record.id)
    context: dict[str, Any] = {
        "request": request,
        "params": request.query_params,
        "live": "",
        "study": record,
        "tab": "/audit",
        "verb": form["verb"],
        "what": _NOBODY if idle else _CONFIRMED[form["verb"]],
        "wrong": "name" in form,
        "form_token": site.access.form_token,
    }
    page = site.pages.fragment("confirm", context)
    page.status_code = 400 if context["wrong"] else 200
    return page


def _refusal(
    site: Site, request: Request, text: str, status: int, *, title: str = "Not done"
) -> Response:
    back = f"/study/{request.path_params['study']}/audit"
    return site.pages.refusal(request, title=title, text=text, status=status, back=back)
