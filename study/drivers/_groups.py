"""Workers that train with other processes: one that is lost takes all of its group along."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from study.drivers._peers import Peers
from study.drivers.protocol import DriverEvent, FromWorker
from trainers.events import Meeting, OpenFailed


class Groups:
    """The peers of each worker, by the workers' numbers; empty where workers train alone."""

    def __init__(self) -> None:
        self._peers: dict[int, Peers] = {}
        self._missing: dict[int, str] = {}  # how a peer ended, for which the worker was ended

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

    def ended(self, worker: int, how: str) -> str:
        """A worker has ended: its peers follow; returns how the first of the group did."""
        peers = self._peers.pop(worker, None)
        if peers is None:
            return how
        missing = self._missing.pop(worker, None)
        trouble = missing or peers.trouble()
        peers.end()
        if not isinstance(trouble, str) or (how.startswith("signal") and missing is None):
            return how
        if trouble.startswith("signal") or how.startswith("signal"):
            return trouble
        return f"{trouble}\n{how}"  # both by themselves: nobody knows which was the first

    def close(self) -> None:
        """End all peers."""
        for peers in self._peers.values():
            peers.end()
        self._peers.clear()
