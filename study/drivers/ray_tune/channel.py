"""The channel between the driver and its slots: an actor of Ray, which needs no port but Ray's own.

Slots report to it and wait there for orders; the driver reads all that has happened as one
stream. It unpickles neither reports nor orders. Its methods run in threads, one for each slot that
waits: a call of an asynchronous actor takes Ray twice the time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import ray

NO_MORE = b""
"""Instead of an order, to a slot that has been given up."""
_SPARE_THREADS = 8
"""For calls that do not wait."""


@dataclass(frozen=True, slots=True)
class SlotStarted:
    """A slot's process has started.

    Attributes:
        slot: Id of its actor; a process that follows it in the same Tune trial has another one.
        handle: Of its actor, pickled: what it is made of would be imported by the channel.
        node: Id of its node.
    """

    slot: str
    handle: bytes
    node: str


@dataclass(frozen=True, slots=True)
class WorkerStarted:
    """A slot's worker has started.

    Attributes:
        local: Its number in the slot.
        pid: Its process id, on the slot's node.
    """

    worker: int
    slot: str
    local: int
    pid: int


@dataclass(frozen=True, slots=True)
class WorkerReported:
    """Messages of a worker, pickled, in order."""

    worker: int
    messages: bytes


@dataclass(frozen=True, slots=True)
class WorkerEnded:
    """A worker's process has ended without being told to.

    Attributes:
        loss: Value of a `study.drivers.Loss`.
    """

    worker: int
    reason: str
    loss: str


ChannelEvent = SlotStarted | WorkerStarted | WorkerReported | WorkerEnded


class Channel:
    """Queues of orders, one a slot, and one stream of events; for several threads.

    Workers are numbered as they come; a successor has a number of its own. What comes of a slot
    after its end is dropped.
    """

    def __init__(self) -> None:
        self._n_workers = 0
        self._slots: dict[str, tuple[str, str]] = {}  # trial -> slot, node
        self._workers: dict[str, dict[int, int]] = {}  # slot -> number there -> number
        self._orders: dict[str, SimpleQueue[bytes]] = {}
        self._events: list[ChannelEvent] = []
        self._changed = threading.Condition()

    def slot_started(self, trial: str, slot: str, handle: bytes, node: str) -> None:
        """A Tune trial has a process."""
        with self._changed:
            self._slots[trial] = slot, node
            self._workers[slot] = {}
            self._orders[slot] = SimpleQueue()
            self._add(SlotStarted(slot, handle, node))

    def worker_started(self, slot: str, local: int, pid: int) -> None:
        """A slot has a worker."""
        with self._changed:
            if slot in self._workers:
                worker = self._workers[slot][local] = self._next_number()
                self._add(WorkerStarted(worker, slot, local, pid))

    def worker_reported(self, slot: str, local: int, messages: bytes) -> None:
        """A worker has sent messages."""
        with self._changed:
            if slot in self._workers:
                self._add(WorkerReported(self._workers[slot][local], messages))

    def worker_ended(self, slot: str, local: int, reason: str, loss: str) -> None:
        """A slot's worker has ended, perhaps before it could say that it started."""
        with self._changed:
            if slot in self._workers:
                worker = self._workers[slot].pop(local, None)
                number = self._next_number() if worker is None else worker
                self._add(WorkerEnded(number, reason, loss))

    def slot_ended(self, trial: str) -> tuple[str, str] | None:
        """A trial's process has ended; returns its slot and node, None if it had not started."""
        with self._changed:
            ended = self._slots.pop(trial, None)
            if ended is not None:
                self._orders.pop(ended[0]).put(NO_MORE)  # its last call may still wait
        return ended

    def slot_lost(self, slot: str | None, reason: str, loss: str) -> None:
        """Why a slot's process has ended, and its workers with it."""
        with self._changed:
            workers = {} if slot is None else self._workers.pop(slot)
            for worker in workers.values() or [self._next_number()]:
                self._add(WorkerEnded(worker, reason, loss))

    @ray.method(concurrency_group="orders")
    def order(self, slots: Sequence[str], order: bytes) -> None:
        """Queue an order for slots, those that have ended left out.

        One thread runs it, so that orders do not overtake each other.
        """
        with self._changed:
            queues = [self._orders[slot] for slot in slots if slot in self._orders]
        for queue in queues:
            queue.put(order)

    def next_order(self, slot: str) -> bytes:
        """The next order to a slot; waits for one."""
        with self._changed:
            queue = self._orders.get(slot)
        return NO_MORE if queue is None else queue.get()

    def events(self, timeout_s: float | None = None) -> list[ChannelEvent]:
        """All that has happened since the last call; waits for something, at most `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._events, timeout_s)
            events, self._events = self._events, []
        return events

    def _next_number(self) -> int:
        self._n_workers += 1
        return self._n_workers - 1

    def _add(self, event: ChannelEvent) -> None:
        self._events.append(event)
        self._changed.notify_all()


def open_channel(node: Any, *, slots: int) -> Any:
    """Handle of a new channel.

    Args:
        node: Ray's scheduling strategy that places it beside the driver, or its client.
        slots: How many there are at most.
    """
    # a slot waits in one thread, its successor in another before the slot's end is known
    actor = ray.remote(  # type: ignore[call-overload]
        num_cpus=0,
        max_concurrency=2 * slots + _SPARE_THREADS,
        concurrency_groups={"orders": 1},
        scheduling_strategy=node,
    )
    return actor(Channel).remote()


class EventReader:
    """The driver's end of a channel: reads its events without waiting for longer than it wants."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._answer: Any = None

    def read(self, timeout_s: float) -> list[ChannelEvent]:
        """All that has happened since the last call; waits for something, at most `timeout_s`.

        Raises:
            RayError: The channel is out of reach.
        """
        if self._answer is None:
            # reading an argument, the first one loads what Ray brings for that: pyarrow, which the
            # first slot to report would wait for
            self._answer = self._channel.events.remote(timeout_s=None)
        ready, _ = ray.wait([self._answer], timeout=timeout_s)
        if not ready:
            return []
        self._answer = None
        events: list[ChannelEvent] = ray.get(ready[0])
        return events
