"""Workers that train with other processes: one that is lost takes all of its group along."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from study.drivers.peers import Missing, Peers, Trouble
from study.drivers.protocol import DriverEvent, FromWorker, WorkerLost
from trainers.events import OpenFailed, Rendezvous

_PATIENCE_S = 10.0
"""From the end of a worker until it is known how a peer ended, which may have been the cause."""
_LOOK_S = 0.05


class Groups:
    """The peers of each worker, by the workers' numbers; empty where workers train alone."""

    def __init__(self) -> None:
        self._peers: dict[int, Peers] = {}
        self._missing: dict[int, Missing] = {}  # for which the worker was ended

    def add(self, worker: int, peers: Peers) -> None:
        """These train together with a worker."""
        self._peers[worker] = peers

    def meet(self, worker: int, meeting: Rendezvous) -> None:
        """A worker can be found."""
        self._peers[worker].meet(meeting)

    def look_after(self, kill: Callable[[int], None]) -> Iterator[DriverEvent]:
        """End workers of which a peer is missing: they would wait for it."""
        for worker, peers in self._peers.items():
            if worker in self._missing:
                continue
            trouble = peers.trouble()
            if isinstance(trouble, OpenFailed):
                yield FromWorker(worker, trouble)
            elif trouble is not None:
                self._missing[worker] = trouble
                kill(worker)

    def lost(self, worker: int, how: str) -> WorkerLost:
        """A worker has ended: its peers follow. Tells how the first of the group did."""
        peers = self._peers.pop(worker, None)
        if peers is None:
            return WorkerLost(worker, how)
        killed = self._missing.pop(worker, None)
        trouble = killed or (None if _by_signal(how) else _trouble_soon(peers))
        peers.end()
        if not isinstance(trouble, Missing):
            return WorkerLost(worker, how)
        reason, loss = trouble.reason, trouble.loss
        if _by_signal(reason) or _by_signal(how):
            return WorkerLost(worker, reason, loss)
        return WorkerLost(worker, f"{reason}\n{how}", loss)  # who was the first is not known

    def close(self) -> None:
        """End all peers."""
        for peers in self._peers.values():
            peers.end()
        self._peers.clear()


def _by_signal(how: str) -> bool:
    """Whether a process was ended from outside, and not because others had gone."""
    return how.startswith("signal")


def _trouble_soon(peers: Peers) -> Trouble | None:
    """What is wrong with the peers of a worker that has ended by itself, perhaps for them."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while (found := peers.trouble()) is None and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
    return found
