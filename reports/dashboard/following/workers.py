"""What workers have done for a study, and what each does now: from its mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.dashboard.following.columns import Columns
from storage.records import WorkerProcess, WorkerStatus


def worker_status(attempts: Columns, processes: Sequence[WorkerProcess]) -> list[WorkerStatus]:
    """What `storage.Reader.worker_status` says of these workers, in their order.

    Args:
        attempts: A mirror's; with its study's lock held.
    """
    ids = np.array([one.worker for one in processes], dtype=np.int64)
    mine, place = placed(attempts["worker"], ids)
    n = len(processes)

    def summed(name: str) -> list[Any]:
        found: list[Any] = np.bincount(place, weights=attempts[name][mine], minlength=n).tolist()
        return found

    last_s = np.full(n, -np.inf)
    np.maximum.at(last_s, place, last_signs_s(attempts)[mine])
    runs = _now(attempts)
    numbers = zip(
        np.bincount(place, minlength=n).tolist(),
        *(summed(name) for name in ("lost", "epochs", "device_s")),
        last_s.tolist(),
        strict=True,
    )
    return [
        WorkerStatus(
            worker=one.worker,
            host=one.host,
            device=one.device,
            attempts=tried,
            lost=int(lost),
            epochs=int(epochs),
            device_s=device_s,
            started=one.started,
            last=datetime.fromtimestamp(seen_s, UTC) if tried else one.started,
            runs=tuple(run for run in runs.get(one.worker, ()) if run),
            busy=one.worker in runs,
        )
        for one, (tried, lost, epochs, device_s, seen_s) in zip(processes, numbers, strict=True)
    ]


def last_signs_s(attempts: Columns) -> NDArray[np.float64]:
    """``[m]``, when each attempt ended, or began if it has not."""
    ended_s = attempts["ended_s"]
    return np.where(np.isnan(ended_s), attempts["started_s"], ended_s)


def placed(
    workers: NDArray[np.int64], ids: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which of the workers ``[m]`` are among some ids ``[W]``, and the places there of those."""
    if not len(ids):
        return np.zeros(len(workers), dtype=bool), np.zeros(0, dtype=np.int64)
    order = np.argsort(ids)
    at = order[np.searchsorted(ids, workers, sorter=order).clip(max=len(ids) - 1)]
    mine = ids[at] == workers
    return mine, at[mine]


def _now(attempts: Columns) -> Mapping[int, Sequence[int]]:
    """The runs that each worker trains, 0 for its start or a calibration, in their order."""
    found: dict[int, list[int]] = {}
    at = np.flatnonzero(attempts["running"])
    pairs = zip(attempts["worker"][at].tolist(), attempts["run"][at].tolist(), strict=True)
    for worker, run in sorted(pairs):
        found.setdefault(worker, []).append(run)
    return found
