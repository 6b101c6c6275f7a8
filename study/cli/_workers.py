"""``weighbridge workers``: who trains for a study, what each does, what is held, what was lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from storage.records import Lease, WorkerStatus
from study.catalogue import stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import counted, duration, next_step, print_json, say
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from datetime import datetime

NAME = "workers"
_MOST_RUNS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workforce:
    """The latest workers and what is held.

    Attributes:
        n_workers: How many there were in all.
        workers: The latest of them first.
        n_leases: How many runs are held.
        leases: Those that run out first.
    """

    n_workers: int
    workers: Sequence[WorkerStatus]
    n_leases: int
    leases: Sequence[Lease]


def command(
    study: Study,
    most: Annotated[
        int, typer.Option("-n", min=1, max=10_000, help="Show the latest so many.")
    ] = 100,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Show who trains: hosts, devices, what each does, leases, lost attempts, utilisation."""
    from storage import Reader  # SQLAlchemy loads with it

    name = stored_name(study, storage=storage)
    reader = Reader(storage)
    try:
        record = reader.study(name)
        n_workers, workers = reader.worker_status(record.id, limit=most)
        n_leases, leases = reader.leases(record.id, limit=most)
    finally:
        reader.close()
    found = _Workforce(n_workers=n_workers, workers=workers, n_leases=n_leases, leases=leases)
    if as_json:
        print_json("workers", {"study": name, **_plain(found)})
        return
    _show(name, found)
    next_step("status", name, storage=storage)


def _show(name: str, found: _Workforce) -> None:
    workers, hosts = found.workers, {one.host for one in found.workers}
    if not workers:
        say(f"No worker has trained for {name} yet.")
        return
    busy = sum(one.busy for one in workers)
    lost = sum(one.lost for one in workers)
    say(
        (name, "bold"),
        f": {counted(found.n_workers, 'worker')} on {counted(len(hosts), 'host')}, {busy} at work; "
        f"{counted(found.n_leases, 'run')} held, {counted(lost, 'attempt')} lost.",
    )
    show(
        Column(head="worker", cells=[str(one.worker) for one in workers]),
        [
            Column(head="host", cells=[one.host for one in workers], text=True),
            Column(head="device", cells=[one.device for one in workers], text=True),
            Column(head="does", cells=[_does(one) for one in workers], text=True),
            Column(head="attempts", cells=[str(one.attempts) for one in workers]),
            Column(head="lost", cells=[str(one.lost) for one in workers]),
            Column(head="epochs", cells=[f"{one.epochs:,}" for one in workers]),
            Column(head="device time", cells=[duration(one.device_s) for one in workers]),
            Column(head="utilisation", cells=[_share(one.utilisation) for one in workers]),
            Column(head="last seen", cells=[_at(one.last) for one in workers]),
        ],
    )
    if found.n_workers > len(workers):
        say((f"the latest {len(workers)} of {found.n_workers}; -n shows more", "dim"))
    _show_leases(found)


def _show_leases(found: _Workforce) -> None:
    """When what is held goes to others unless it is renewed, by driver."""
    for host, pid in dict.fromkeys((one.host, one.pid) for one in found.leases):
        mine = [one for one in found.leases if (one.host, one.pid) == (host, pid)]
        ends = [one.left_s for one in mine if one.left_s is not None]
        left = f"; the first lease {_ends(min(ends))}" if ends else ""
        say(f"held by process {pid} on {host}: {counted(len(mine), 'run')}{left}")


def _ends(left_s: float) -> str:
    if left_s < 0:
        return f"ran out {duration(-left_s)} ago"
    return f"ends in {duration(left_s)} unless it is renewed"


def _does(worker: WorkerStatus) -> str:
    if not worker.busy:
        return "idle or gone"
    if not worker.runs:
        return "starts or calibrates"
    named = ", ".join(map(str, worker.runs[:_MOST_RUNS]))
    more = len(worker.runs) - _MOST_RUNS
    return f"runs {named}" + (f" and {more} more" if more > 0 else "")


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _plain(found: _Workforce) -> dict[str, Any]:
    return {
        "n_workers": found.n_workers,
        "n_leases": found.n_leases,
        "hosts": list(_hosts(found.workers)),
        "workers": [_worker(one) for one in found.workers],
        "leases": [_lease(one) for one in found.leases],
    }


def _hosts(workers: Sequence[WorkerStatus]) -> Iterator[dict[str, Any]]:
    for host in sorted({one.host for one in workers}):
        mine = [one for one in workers if one.host == host]
        yield {
            "host": host,
            "workers": len(mine),
            "busy": sum(one.busy for one in mine),
            "attempts": sum(one.attempts for one in mine),
            "lost": sum(one.lost for one in mine),
            "epochs": sum(one.epochs for one in mine),
            "device_s": sum(one.device_s for one in mine),
        }


def _worker(one: WorkerStatus) -> dict[str, Any]:
    does = "idle or gone" if not one.busy else "trains" if one.runs else "starts or calibrates"
    return {
        "worker": one.worker,
        "host": one.host,
        "device": one.device,
        "does": does,
        "runs": list(one.runs),
        "attempts": one.attempts,
        "lost": one.lost,
        "epochs": one.epochs,
        "epochs_per_min": one.epochs_per_min,
        "device_s": one.device_s,
        "utilisation": one.utilisation,
        "started": one.started.isoformat(),
        "last_seen": one.last.isoformat(),
    }


def _lease(one: Lease) -> dict[str, Any]:
    return {
        "run": one.run,
        "worker": one.worker,
        "holder_host": one.host,
        "holder_pid": one.pid,
        "since": one.since.isoformat(),
        "epochs": one.epochs,
        "until": one.until and one.until.isoformat(),
        "left_s": one.left_s,
    }
