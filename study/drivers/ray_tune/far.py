"""The feed in an actor, for a driver that nodes cannot reach: through Ray Client, or by TLS alone.

The actor's methods run in threads, one for each slot that waits: a call of an asynchronous actor
takes Ray twice the time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

import ray

from study.drivers.ray_tune.feed import NO_MORE, Feed, FeedEvent

_MORE_THREADS = 8
"""Of the actor, for calls that do not wait."""


class Relay:
    """The actor: a feed whose mailboxes wait to be asked."""

    def __init__(self) -> None:
        self._feed = Feed()
        self._orders: dict[str, SimpleQueue[bytes]] = {}

    def enter(self, slot: str, host: str, actor: bytes, node: str) -> None:
        """See `Feed.enter`."""
        self._orders[host] = SimpleQueue()
        self._feed.enter(slot, host, actor, node, self._orders[host])

    def next_order(self, host: str) -> bytes:
        """The driver's next order to a slot; waits for one."""
        return self._orders[host].get()

    def leave(self, slot: str) -> tuple[str, str] | None:
        """See `Feed.leave`; its last call may still wait."""
        left = self._feed.leave(slot)
        if left is not None:
            self._orders.pop(left[0]).put(NO_MORE)
        return left

    def call(self, method: str, *args: Any) -> Any:
        """Any other method of the feed."""
        return getattr(self._feed, method)(*args)

    @ray.method(concurrency_group="orders")
    def order(self, hosts: Sequence[str], order: bytes) -> None:
        """See `Feed.order`; by one thread, so that orders do not overtake each other."""
        self._feed.order(hosts, order)


class FarFeed:
    """The driver's side of the relay.

    Args:
        place: Makes of an actor class one whose actors live beside the driver or its client.
        workers: Slots that there are at most.
    """

    def __init__(self, place: Any, *, workers: int) -> None:
        # a slot waits in one thread, its successor in another before the slot's end is known
        threads = 2 * workers + _MORE_THREADS
        actor = ray.remote(concurrency_groups={"orders": 1})  # type: ignore[call-overload]
        self.way = place(actor(Relay), threads=threads).remote()
        self._next: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """The relay alone: only one asks for events."""
        return {"way": self.way}

    def events(self, timeout_s: float) -> list[FeedEvent]:
        """What has happened since the last call; waits for something at most `timeout_s`.

        Raises:
            RayError: The actor is out of reach.
        """
        if self._next is None:
            self._next = self.way.call.remote("events")
        ready, _ = ray.wait([self._next], timeout=timeout_s)
        if not ready:
            return []
        self._next = None
        events: list[FeedEvent] = ray.get(ready[0])
        return events

    def order(self, hosts: Sequence[str], order: bytes) -> None:
        """Tell slots."""
        self.way.order.remote(hosts, order)

    def leave(self, slot: str) -> tuple[str, str] | None:
        """A slot's process has ended."""
        left: tuple[str, str] | None = ray.get(self.way.leave.remote(slot))
        return left

    def host_lost(self, host: str | None, reason: str, loss: str) -> None:
        """Why a slot's process has ended."""
        self.way.call.remote("host_lost", host, reason, loss)

    def close(self) -> None:
        """End the actor."""
        ray.kill(self.way)


class FarLine:
    """A slot's side of the relay; without a driver there is nothing left to do here."""

    def __init__(self, relay: Any) -> None:
        self._relay = relay

    def enter(self, slot: str, host: str, actor: bytes, node: str) -> None:
        """The slot's process has begun."""
        _ask(self._relay.enter.remote(slot, host, actor, node))

    def join(self, host: str, local: int, pid: int) -> None:
        """The slot has a worker."""
        _ask(self._relay.call.remote("join", host, local, pid))

    def say(self, host: str, local: int, messages: bytes) -> None:
        """A worker tells the driver."""
        _ask(self._relay.call.remote("say", host, local, messages))

    def lost(self, host: str, local: int, reason: str, loss: str) -> None:
        """The slot's worker has ended."""
        _ask(self._relay.call.remote("lost", host, local, reason, loss))

    def next_order(self, host: str) -> bytes:
        """The driver's next order; waits for one."""
        order: bytes = _ask(self._relay.next_order.remote(host))
        return order


def _ask(answer: Any) -> Any:
    try:
        return ray.get(answer)
    except ray.exceptions.RayError:
        os._exit(0)
