"""Who trains: hosts, devices, what each does now, and how busy it has been."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from reports.dashboard.pages import unchanged
from reports.dashboard.site import PATIENCE_S, Site
from storage.records import WorkerStatus

_MOST: Final = 100
_MOST_RUNS: Final = 8


def workers_page(site: Site, request: Request) -> Response:
    """The latest workers of a study.

    Raises:
        NotThere: There is no such study.
    """
    record = site.record(request)
    study = site.followed(record)
    study.catch_up(within_s=PATIENCE_S)
    if (nothing_new := unchanged(request, study.mirror.cursor)) is not None:
        return nothing_new
    n, found = site.reader.worker_status(record.id, limit=_MOST)
    context = {
        "study": record,
        "tab": "/workers",
        "workers": [_row(one) for one in found],
        "more": max(n - len(found), 0),
    }
    return site.pages.answer(request, "workers", context, cursor=study.mirror.cursor)


def _row(worker: WorkerStatus) -> dict[str, Any]:
    alive_s = (worker.last - worker.started).total_seconds()
    share = min(worker.device_s / alive_s, 1.0) if alive_s > 0 else None
    return {
        "worker": worker.worker,
        "host": worker.host,
        "device": worker.device,
        "now": _now(worker),
        "attempts": worker.attempts,
        "lost": worker.lost,
        "epochs": worker.epochs,
        "device_s": worker.device_s,
        "utilisation": "–" if share is None else f"{100 * share:.0f} %",
        "last": worker.last,
    }


def _now(worker: WorkerStatus) -> str:
    if not worker.busy:
        return "idle or gone"
    if not worker.runs:
        return "starts or calibrates"
    named = ", ".join(str(run) for run in worker.runs[:_MOST_RUNS])
    rest = len(worker.runs) - _MOST_RUNS
    return f"runs {named}" + (f" and {rest} more" if rest > 0 else "")
