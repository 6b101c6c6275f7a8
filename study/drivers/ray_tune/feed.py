"""The feed: an actor beside the driver that carries orders to slots and what workers say back.

It reads nothing of it: orders and messages travel as bytes. Its methods run in threads, two for
each slot that waits: a call of an asynchronous actor takes Ray twice the time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeAlias

NO_MORE = b""
"""Instead of an order, to a slot that has been given up."""
NOTHING = b"-"
"""Instead of an order, to a slot that has lost the worker that was free."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A slot's process has begun.

    Attributes:
        host: Its number.
        actor: Its actor's handle, pickled: what it is made of would be imported here.
    """

    host: int
    actor: bytes


@dataclass(frozen=True, slots=True)
class Joined:
    """A slot's worker has begun."""

    worker: int
    host: int
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

ToSlots: TypeAlias = tuple[Sequence[int], bytes]
"""Numbers of slots' processes, and an order to them."""


class Feed:
    """Mailboxes of all slots, and one stream of what their workers say.

    Processes of slots and workers are numbered as they come; a successor has a number of its own.
    """

    def __init__(self) -> None:
        self._n_hosts = self._n_workers = self._n_orders = 0
        self._host_of: dict[str, tuple[int, str]] = {}
        self._workers: dict[int, set[int]] = {}
        self._orders: dict[int, SimpleQueue[bytes]] = {}
        self._answers: dict[int, SimpleQueue[bytes]] = {}  # for slots whose worker is free
        self._events: list[FeedEvent] = []
        self._lock = threading.Condition()

    def enter(self, slot: str, actor: bytes, node: str) -> int:
        """A slot's process has begun, on this node; returns its number."""
        with self._lock:
            host = self._n_hosts
            self._host_of[slot] = host, node
            self._n_hosts += 1
            self._workers[host] = set()
            self._orders[host] = SimpleQueue()
            self._happened(Entered(host, actor))
        return host

    def join(self, host: int, pid: int) -> int:
        """A slot has a worker; returns its number."""
        with self._lock:
            worker = self._new_worker()
            self._workers[host].add(worker)
            self._happened(Joined(worker, host, pid))
        return worker

    def say(self, host: int, worker: int, messages: bytes, free: bool) -> bytes:
        """A worker tells the driver; if it is free now, waits for its slot's next order."""
        answer = SimpleQueue[bytes]()
        with self._lock:
            self._happened(Said(worker, messages))
            if free and host in self._orders:
                self._answers[host] = answer
            else:
                answer.put(NO_MORE if free else NOTHING)
        return answer.get()

    def lost(self, host: int, worker: int | None, reason: str, loss: str) -> None:
        """A slot's worker has ended, perhaps before it joined."""
        with self._lock:
            self._workers[host].discard(-1 if worker is None else worker)
            number = self._new_worker() if worker is None else worker
            self._happened(Lost(number, reason, loss))
            self._answer(host, NOTHING)

    def leave(self, slot: str) -> tuple[int, str] | None:
        """A slot's process has ended; returns its number and its node, None if it never began."""
        with self._lock:
            left = self._host_of.pop(slot, None)
            if left is not None:
                # its last calls may still wait
                self._answer(left[0], NO_MORE)
                self._orders.pop(left[0]).put(NO_MORE)
        return left

    def host_lost(self, host: int | None, reason: str, loss: str) -> None:
        """Why a slot's process has ended, and its worker with it."""
        with self._lock:
            workers = set() if host is None else self._workers.pop(host)
            for worker in workers or {self._new_worker()}:
                self._happened(Lost(worker, reason, loss))

    def order(self, first: int, orders: Sequence[ToSlots]) -> None:
        """The driver tells slots; those that have ended meanwhile hear nothing.

        Args:
            first: How many orders went before: calls of threads may overtake each other.
        """
        with self._lock:
            self._lock.wait_for(lambda: self._n_orders == first)
            for hosts, order in orders:
                for host in hosts:
                    if host in self._orders and not self._answer(host, order):
                        self._orders[host].put(order)
            self._n_orders += len(orders)
            self._lock.notify_all()

    def next_order(self, host: int) -> bytes:
        """The driver's next order to a slot whose worker is at work; waits for one."""
        with self._lock:
            orders = self._orders.get(host)
        return NO_MORE if orders is None else orders.get()

    def events(self, first: int, orders: Sequence[ToSlots]) -> list[FeedEvent]:
        """Take orders, then tell all that happened since the last call; waits for something."""
        self.order(first, orders)
        with self._lock:
            self._lock.wait_for(lambda: self._events)
            events, self._events = self._events, []
        return events

    def _answer(self, host: int, order: bytes) -> bool:
        """Tell a slot that waits because its worker is free; returns whether there is such."""
        answer = self._answers.pop(host, None)
        if answer is not None:
            answer.put(order)
        return answer is not None

    def _new_worker(self) -> int:
        self._n_workers += 1
        return self._n_workers - 1

    def _happened(self, event: FeedEvent) -> None:
        self._events.append(event)
        self._lock.notify_all()
