"""Who trains: hosts, devices, what each does now, what is held, and how busy all have been."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reports._palette import task_colour
from reports.dashboard.following.followed import Followed
from reports.dashboard.following.workers import placed, worker_status
from reports.dashboard.rendering.templating import NothingNew, seen_by
from reports.dashboard.showing.over_time import Bins, binned
from reports.dashboard.site import Site
from storage.records import WorkerProcess, WorkerStatus
from storage.wording import counted, duration

_MOST_LEASES: Final = 100
_MOST_RUNS: Final = 5
_MOST_LOST: Final = 20
_MOST_HOSTS: Final = 8
_Workers = NDArray[np.int64]


def workers_page(site: Site, request: Request) -> Response:
    """The latest workers of a study, and what they hold.

    Raises:
        NotThere: There is no such study.
        NothingNew: Nothing has changed, and no lease was renewed.
    """
    study = site.study(request, cursor=None)
    n_leases, leases = site.reader.leases(study.record.id, limit=_MOST_LEASES)
    latest = max((one.until.timestamp() for one in leases if one.until), default=0)
    cursor = f"{study.mirror.cursor}_{latest:.0f}"
    if seen_by(request) == cursor:
        raise NothingNew
    n, processes = study.processes()
    hosts, is_filled = _hosts(processes), study.is_filled
    with study.lock:
        found = worker_status(study.mirror.attempts, processes if is_filled else ())
        bins = binned(study.mirror.attempts, now_s=time.time())
        over_time = [] if bins is None else _over_time(bins, _every(study))
        lost = _lost(study)
    context = {
        "study": study.record,
        "tab": "/workers",
        "workers": [_row(one) for one in found],
        "more": max(n - len(processes), 0),
        "busy": sum(one.busy for one in found),
        "hosts": len(hosts),
        "leases": leases,
        "n_leases": n_leases,
        "lost": lost,
        "n_lost": sum(one.lost for one in found),
        "over_time": over_time,
        "bin": "" if bins is None else duration(bins.width_s),
        "filled": is_filled,
    }
    return site.pages.answer(request, "workers", context, cursor=cursor)


def workers_json(site: Site, request: Request) -> Response:
    """How busy workers were, by host, or how many epochs they have trained, over time.

    Raises:
        NotThere: There is no such study.
    """
    study = site.study(request)
    hosts = _hosts(study.processes()[1])
    of = request.query_params.get("of", "")
    y, within, values = _CHARTS.get(of, _CHARTS["utilisation"])
    with study.lock:
        bins = binned(study.mirror.attempts, now_s=time.time())
        groups = _groups(hosts) if 1 < len(hosts) <= _MOST_HOSTS else {"all workers": _every(study)}
        drawn = [] if bins is None else [values(bins, workers) for workers in groups.values()]
    series = [
        {
            "name": name,
            "colour": task_colour(at),
            "x": bins.middles.tolist() if bins else [],
            "y": [None if math.isnan(one) else one for one in drawn[at].tolist()],
        }
        for at, name in enumerate(groups if bins else ())
    ]
    return JSONResponse(
        {"kind": "lines", "time": True, "x": "Time", "y": y, "within": within, "series": series}
    )


def _utilisation(bins: Bins, workers: _Workers) -> NDArray[np.float64]:
    """Device time of attempts in percent of the time that workers were there, ``[B]``."""
    present_s = bins.present_s(workers)
    busy_s = bins.amounts("device_s", placed(bins.attempts["worker"], workers)[0])
    known = present_s > 1e-6 * bins.width_s
    shares = 100 * busy_s / np.where(known, present_s, 1.0)
    return np.where(known, np.minimum(shares, 100.0), np.nan)


def _throughput(bins: Bins, workers: _Workers) -> NDArray[np.float64]:
    """Epochs of all runs a minute, ``[B]``, over the part of a bin of which anything is known."""
    epochs = bins.amounts("epochs", placed(bins.attempts["worker"], workers)[0])
    lengths_s = bins.lengths_s
    known = lengths_s > 1e-6 * bins.width_s
    return np.where(known, 60 * epochs / np.where(known, lengths_s, 1.0), np.nan)


_Values = Callable[[Bins, _Workers], NDArray[np.float64]]
_CHARTS: Final[Mapping[str, tuple[str, tuple[float, float | None], _Values]]] = {
    "utilisation": ("Utilisation in %", (0, 100), _utilisation),
    "throughput": ("Epochs per minute", (0, None), _throughput),
}
"""Title of the values, their least and greatest, and what works them out."""


def _every(study: Followed) -> _Workers:
    """Ids of all workers; with the lock held."""
    return np.array(sorted(study.mirror.workers), dtype=np.int64)


def _over_time(bins: Bins, every: _Workers) -> list[dict[str, Any]]:
    """The same as rows, the latest first."""
    lost = bins.attempts["lost"]
    losses = np.histogram(bins.ends[lost], bins=bins.edges)[0]
    columns = (bins.edges[:-1], _utilisation(bins, every), _throughput(bins, every), losses)
    names = ("from_s", "utilisation", "throughput", "lost")
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows][::-1]


def _hosts(workers: Sequence[WorkerProcess]) -> Mapping[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for one in workers:
        found[one.host].append(one.worker)
    return found


def _groups(hosts: Mapping[str, Sequence[int]]) -> Mapping[str, _Workers]:
    return {host: np.array(hosts[host], dtype=np.int64) for host in sorted(hosts)}


def _lost(study: Followed) -> list[dict[str, Any]]:
    """The latest lost attempts at runs; with the lock held."""
    attempts = study.mirror.attempts
    at = np.flatnonzero(attempts["lost"] & (attempts["run"] > 0))
    at = at[np.argsort(attempts["started_s"][at], kind="stable")][::-1][:_MOST_LOST]
    names = ("run", "worker", "started_s", "ended_s", "epochs", "device_s")
    return [{name: attempts[name][row].item() for name in names} for row in at]


def _row(worker: WorkerStatus) -> dict[str, Any]:
    share = worker.utilisation
    return {
        "worker": worker.worker,
        "host": worker.host,
        "device": worker.device,
        "now": _now(worker),
        "runs": worker.runs[:_MOST_RUNS],
        "attempts": worker.attempts,
        "lost": worker.lost,
        "epochs": worker.epochs,
        "throughput": worker.epochs_per_min,
        "device_s": worker.device_s,
        "utilisation": "–" if share is None else f"{100 * share:.0f} %",
        "started": worker.started,
        "last": worker.last,
    }


def _now(worker: WorkerStatus) -> str:
    if not worker.busy:
        return "idle or gone"
    if not worker.runs:
        return "starts or calibrates"
    more = len(worker.runs) - _MOST_RUNS
    return f"{counted(len(worker.runs), 'run')}:" if more <= 0 else f"{len(worker.runs)} runs, e.g."
