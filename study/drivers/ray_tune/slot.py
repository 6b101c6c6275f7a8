"""A worker slot as a Ray Tune trial: its only step works until the driver closes it.

The slot's process looks after a worker of the local driver. So a run meets the same process here
as on a machine of one's own: same threads, same signals, no Ray in it; and a worker that dies is
followed by another one at once, while Ray needs seconds to start a process.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import ray
from ray import cloudpickle, tune

from study.drivers.local import LocalDriver
from study.drivers.protocol import DriverEvent, FromWorker, WorkerLost
from study.drivers.ray_tune.feed import NO_MORE, NOTHING
from study.drivers.ray_tune.orders import CloseAll, Opening, Order, StopAll, ToWorker
from study.drivers.ray_tune.peers import RayPeers
from study.nursery import Nursery, take_nursery
from trainers.events import Calibrated, Message, PackEnded, Ready
from trainers.jobs import Pack

_POLL_S = 0.25
_FREE = Ready | PackEnded | Calibrated
"""After such a message, a worker does nothing until it is told to."""


class Slot(tune.Trainable):
    """Place for one worker.

    All that matters goes through the feed; the trial's own result says only that it is over.
    """

    def setup(self, _config: dict[str, Any], *, feed: Any = None, opening: Any = None) -> None:
        """Start a worker.

        Args:
            feed: Actor handle of the `Feed`.
            opening: An `Opening`.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
        self._feed = feed
        here = ray.get_runtime_context()
        actor = cloudpickle.dumps(here.current_actor)  # type: ignore[no-untyped-call]
        self._host: int = ray.get(feed.enter.remote(self.trial_id, actor, here.get_node_id()))
        self._driver = LocalDriver(
            opening.problem,
            opening.training,
            devices=[opening.device],
            memory_share=memory_share(opening, _cpus_of(here.get_node_id())),
            open_peers=RayPeers,
            host=ray.util.get_node_ip_address(),  # type: ignore[no-untyped-call]
            open_nursery=lambda: nursery(opening.nursery),
        )
        self._driver.start()
        self._numbers: dict[int, int] = {}  # of the local driver's workers in the feed
        self._next: Any = None  # what comes of having told that the worker is free
        self._closing = threading.Event()

    def step(self) -> dict[str, Any]:
        """Carry orders and messages until the driver says that there is no more to do."""
        threading.Thread(target=self._obey, daemon=True).start()
        while not self._closing.is_set():
            messages: dict[int, list[Message]] = {}
            for event in self._events():
                self._sort(event, messages)
            self._tell(messages)
        self._driver.close()
        return {"done": True}

    def _events(self) -> list[DriverEvent]:
        """What the worker says; while it is free, the driver is to be heard first."""
        if self._next is None:
            return self._driver.poll(_POLL_S)
        ready, _ = ray.wait([self._next], timeout=_POLL_S)
        if ready:
            self._next = None
            self._obey_one(self._ask(ready[0]))
        return self._driver.poll(0.0)

    def _sort(self, event: DriverEvent, messages: dict[int, list[Message]]) -> None:
        if isinstance(event, FromWorker):
            messages.setdefault(event.worker, []).append(event.message)
            return
        self._tell(messages)
        messages.clear()
        self._lost(event)

    def _tell(self, messages: dict[int, list[Message]]) -> None:
        """Send on what workers said; the first message of a worker introduces it.

        A free worker's order comes back as the answer: every call through Ray takes its time.
        """
        for local, of_worker in messages.items():
            if local not in self._numbers:
                pid = self._driver.pid(local)
                self._numbers[local] = self._ask(self._feed.join.remote(self._host, pid))
            free = any(isinstance(message, _FREE) for message in of_worker)
            told = self._feed.say.remote(
                self._host, self._numbers[local], pickle.dumps(of_worker), free
            )
            if free:
                self._next = told
            else:
                self._ask(told)

    def _lost(self, event: WorkerLost) -> None:
        number = self._numbers.pop(event.worker, None)
        self._ask(self._feed.lost.remote(self._host, number, event.reason, event.loss.value))
        if self._next is not None:
            answer, self._next = self._next, None
            self._obey_one(self._ask(answer))
        self._driver.replace(event.worker)

    def _obey(self) -> None:
        """Take orders, in a thread of its own."""
        while not self._closing.is_set():
            self._obey_one(self._ask(self._feed.next_order.remote(self._host)))

    def _obey_one(self, said: bytes) -> None:
        if said == NO_MORE:
            os._exit(0)
        if said == NOTHING:
            return
        order: Order = pickle.loads(said)
        if isinstance(order, CloseAll):
            self._closing.set()
        elif isinstance(order, StopAll):
            self._driver.stop()
        else:
            self._hand(order)

    def _hand(self, order: ToWorker) -> None:
        local = next((n for n, number in self._numbers.items() if number == order.worker), None)
        if local is None:
            return  # it has ended, as the driver will hear
        if isinstance(order.task, Pack):
            self._driver.submit(local, order.task)
        else:
            self._driver.calibrate(local, order.task)

    def _ask(self, answer: Any) -> Any:
        """Wait for an answer; without a driver there is nothing left to do here."""
        try:
            return ray.get(answer)
        except ray.exceptions.RayError:
            os._exit(0)


def nursery(path: str | None) -> Nursery:
    """A fork of the driver's, where there is one."""
    if path is not None:
        with contextlib.suppress(OSError):  # the driver's has ended
            return Nursery.near(path)
    return take_nursery()


def memory_share(opening: Opening, node_cpus: float) -> float:
    """Of a GPU the part that Ray gave; of a node as if it were full of slots."""
    if gpus := opening.resources.get("gpu"):
        return min(gpus, 1.0)
    return 1 / max(1, min(opening.workers, int(node_cpus / opening.resources["cpu"])))


def _cpus_of(node: str) -> float:
    nodes: Sequence[Mapping[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return float(next(one["Resources"].get("CPU", 1) for one in nodes if one["NodeID"] == node))
