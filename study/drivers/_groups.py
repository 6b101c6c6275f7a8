"""Workers that train with other processes: one that is lost takes all of its group along."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from study.drivers._peers import Missing, Peers
from study.drivers.protocol import DriverEvent, FromWorker, WorkerLost
from trainers.events import Meeting, OpenFailed


class Groups:
    """The peers of each worker, by the workers' numbers; empty where workers train alone."""

    def __init__(self) -> None:
        self._peers: dict[int, Peers] = {}
        self._missing: dict[int, Missing] = {}  # for which the worker was ended

    def add(self, worker: int, peers: Peers) -> None:
        """These train together with a worker."""
        self._peers[worker] = peers

    def meet(self, worker: int, meeting: Meeting) -> None:
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
        trouble = killed or peers.trouble()
        peers.end()
        if not isinstance(trouble, Missing) or (_by_signal(how) and killed is None):
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
