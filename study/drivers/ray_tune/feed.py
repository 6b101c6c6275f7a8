"""The feed: an actor beside the driver that carries orders to slots and what workers say back.

It reads nothing of it: orders and messages travel as bytes. Its methods wait without holding a
thread, so that hundreds of slots may wait at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entered:
    """A slot's process has begun.

    Attributes:
        host: Its number.
        actor: Its actor's handle.
    """

    host: int
    actor: Any


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


class Feed:
    """Mailboxes of all slots, and one stream of what their workers say.

    Processes of slots and workers are numbered as they come; a successor has a number of its own.
    """

    def __init__(self) -> None:
        self._n_hosts = self._n_workers = 0
        self._host_of: dict[str, tuple[int, str]] = {}
        self._workers: dict[int, set[int]] = {}
        self._orders: dict[int, asyncio.Queue[bytes]] = defaultdict(asyncio.Queue)
        self._events: list[FeedEvent] = []
        self._something = asyncio.Event()

    async def enter(self, slot: str, actor: Any, node: str) -> int:
        """A slot's process has begun, on this node; returns its number."""
        host = self._n_hosts
        self._host_of[slot] = host, node
        self._n_hosts += 1
        self._workers[host] = set()
        self._happened(Entered(host, actor))
        return host

    async def join(self, host: int, pid: int) -> int:
        """A slot has a worker; returns its number."""
        worker = self._new_worker()
        self._workers[host].add(worker)
        self._happened(Joined(worker, host, pid))
        return worker

    async def say(self, worker: int, messages: bytes) -> None:
        """A worker tells the driver."""
        self._happened(Said(worker, messages))

    async def lost(self, host: int, worker: int | None, reason: str, loss: str) -> None:
        """A slot's worker has ended, perhaps before it joined."""
        self._workers[host].discard(-1 if worker is None else worker)
        number = self._new_worker() if worker is None else worker
        self._happened(Lost(number, reason, loss))

    async def leave(self, slot: str) -> tuple[int, str] | None:
        """A slot's process has ended; returns its number and its node, None if it never began."""
        return self._host_of.pop(slot, None)

    async def host_lost(self, host: int | None, reason: str, loss: str) -> None:
        """Why a slot's process has ended, and its worker with it."""
        workers = set() if host is None else self._workers.pop(host)
        for worker in workers or {self._new_worker()}:
            self._happened(Lost(worker, reason, loss))

    async def order(self, hosts: list[int], order: bytes, _before: None) -> None:
        """The driver tells slots.

        Args:
            _before: Answer to the order before this one; Ray waits for it.
        """
        for host in hosts:
            self._orders[host].put_nowait(order)

    async def next_order(self, host: int) -> bytes:
        """The driver's next order to a slot; waits for one."""
        return await self._orders[host].get()

    async def events(self) -> list[FeedEvent]:
        """All that happened since the last call; waits for something to happen."""
        await self._something.wait()
        self._something.clear()
        events, self._events = self._events, []
        return events

    def _new_worker(self) -> int:
        self._n_workers += 1
        return self._n_workers - 1

    def _happened(self, event: FeedEvent) -> None:
        self._events.append(event)
        self._something.set()
