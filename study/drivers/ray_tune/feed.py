"""The feed: what slots and their workers say as one stream, and a mailbox for each slot.

It reads nothing of it: orders and messages are bytes. How they come and go is told in
`study.drivers.ray_tune.near` and `study.drivers.ray_tune.far`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

NO_MORE = b""
"""Instead of an order, to a slot that has been given up."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A slot's process has begun.

    Attributes:
        host: Its name.
        actor: Its actor's handle, pickled: what it is made of would be imported here.
        node: Id of its node.
    """

    host: str
    actor: bytes
    node: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A slot's worker has begun.

    Attributes:
        local: Its number in the slot.
    """

    worker: int
    host: str
    local: int
    pid: int


@dataclass(frozen=True, slots=True)
class Said:
    """Messages of a worker, pickled, in order."""

    worker: int
    messages: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker's process has ended without being told to.

    Attributes:
        loss: Value of a `study.drivers.Loss`.
    """

    worker: int
    reason: str
    loss: str


FeedEvent = Entered | Joined | Said | Lost


class Mailbox(Protocol):
    """Takes a slot's orders, in order."""

    def put(self, order: bytes, /) -> None:
        """One more."""


class Feed:
    """Mailboxes of all slots, and one stream of what their workers say; for several threads.

    Workers are numbered as they come; a successor has a number of its own. What comes of a slot
    after its end is dropped.
    """

    def __init__(self) -> None:
        self._n_workers = 0
        self._host_of: dict[str, tuple[str, str]] = {}
        self._workers: dict[str, dict[int, int]] = {}
        self._orders: dict[str, Mailbox] = {}
        self._events: list[FeedEvent] = []
        self._lock = threading.Condition()

    def enter(self, slot: str, host: str, actor: bytes, node: str, orders: Mailbox) -> None:
        """A slot's process has begun, under this name, on this node."""
        with self._lock:
            self._host_of[slot] = host, node
            self._workers[host] = {}
            self._orders[host] = orders
            self._happened(Entered(host, actor, node))

    def join(self, host: str, local: int, pid: int) -> None:
        """A slot has a worker."""
        with self._lock:
            if host in self._workers:
                worker = self._workers[host][local] = self._new_worker()
                self._happened(Joined(worker, host, local, pid))

    def say(self, host: str, local: int, messages: bytes) -> None:
        """A worker tells the driver."""
        with self._lock:
            if host in self._workers:
                self._happened(Said(self._workers[host][local], messages))

    def lost(self, host: str, local: int, reason: str, loss: str) -> None:
        """A slot's worker has ended, perhaps before it joined."""
        with self._lock:
            if host in self._workers:
                worker = self._workers[host].pop(local, None)
                number = self._new_worker() if worker is None else worker
                self._happened(Lost(number, reason, loss))

    def leave(self, slot: str) -> tuple[str, str] | None:
        """A slot's process has ended; returns its name and its node, None if it never began."""
        with self._lock:
            left = self._host_of.pop(slot, None)
            if left is not None:
                del self._orders[left[0]]
        return left

    def host_lost(self, host: str | None, reason: str, loss: str) -> None:
        """Why a slot's process has ended, and its workers with it."""
        with self._lock:
            workers = {} if host is None else self._workers.pop(host)
            for worker in workers.values() or [self._new_worker()]:
                self._happened(Lost(worker, reason, loss))

    def order(self, hosts: Sequence[str], order: bytes) -> None:
        """The driver tells slots; those that have ended meanwhile hear nothing."""
        with self._lock:
            mailboxes = [self._orders[host] for host in hosts if host in self._orders]
        for mailbox in mailboxes:
            mailbox.put(order)

    def events(self, timeout_s: float | None = None) -> list[FeedEvent]:
        """All that has happened since the last call; waits for something."""
        with self._lock:
            self._lock.wait_for(lambda: self._events, timeout_s)
            events, self._events = self._events, []
        return events

    def _new_worker(self) -> int:
        self._n_workers += 1
        return self._n_workers - 1

    def _happened(self, event: FeedEvent) -> None:
        self._events.append(event)
        self._lock.notify_all()
