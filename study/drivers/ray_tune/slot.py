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

from study.drivers.local.driver import LocalDriver
from study.drivers.local.fork_server import ForkServer, take_fork_server
from study.drivers.protocol import DriverEvent, FromWorker, WorkerLost
from study.drivers.ray_tune.far import FarLine
from study.drivers.ray_tune.feed import NO_MORE
from study.drivers.ray_tune.losses import NodeLeaves
from study.drivers.ray_tune.near import Address, NearLine
from study.drivers.ray_tune.orders import CloseAll, Leave, Order, StopAll, ToWorker, WorkerOptions
from study.drivers.ray_tune.peers import RayPeers
from trainers.events import Calibrated, Message, PackEnded, Ready
from trainers.hardware.devices import indexed
from trainers.jobs import Pack

_POLL_S = 0.25


class Slot(tune.Trainable):
    """Place for one worker.

    All that matters goes through the feed; the trial's own result says only that it is over.
    """

    def setup(self, _config: dict[str, Any], *, way: Any = None, opening: Any = None) -> None:
        """Start a worker.

        Args:
            way: To the feed: an `Address`, or the actor handle of a `Relay`.
            opening: An `WorkerOptions`.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
        self._line: NearLine | FarLine
        self._line = NearLine(way) if isinstance(way, Address) else FarLine(way)
        here = ray.get_runtime_context()
        node = here.get_node_id()
        self._host = str(here.get_actor_id())
        actor = cloudpickle.dumps(here.current_actor)  # type: ignore[no-untyped-call]
        self._line.enter(self.trial_id, self._host, actor, node)
        self._driver = LocalDriver(
            opening.problem,
            opening.training,
            devices=[indexed(opening.device)],  # of the GPUs that Ray shows to this process
            memory_share=memory_share(opening, _cpus_of(node)),
            open_peers=RayPeers,
            host=ray.util.get_node_ip_address(),  # type: ignore[no-untyped-call]
            open_fork_server=lambda: fork_server(opening.fork_server),
            open_limit_s=opening.open_limit_s,
        )
        self._driver.start(code=opening.code, looked=opening.looked)
        self._joined: set[int] = set()  # workers that the feed knows
        self._free: set[int] = set()  # of these, with nothing to do
        self._closing, self._leaving = threading.Event(), threading.Event()

    def step(self) -> dict[str, Any]:
        """Carry orders and messages until the driver says that there is no more to do."""
        threading.Thread(target=self._obey, daemon=True).start()
        while not self._closing.is_set():
            messages: dict[int, list[Message]] = {}
            for event in self._driver.poll(_POLL_S):
                self._sort(event, messages)
            self._tell(messages)
            if self._leaving.is_set() and self._joined == self._free:
                raise NodeLeaves("The node is about to be taken away.")
        self._driver.close()
        return {"done": True}

    def _sort(self, event: DriverEvent, messages: dict[int, list[Message]]) -> None:
        if isinstance(event, FromWorker):
            messages.setdefault(event.worker, []).append(event.message)
            return
        self._tell(messages)
        messages.clear()
        self._lost(event)

    def _tell(self, messages: dict[int, list[Message]]) -> None:
        """Send on what workers said; the first message of a worker introduces it."""
        for worker, of_worker in messages.items():
            if worker not in self._joined:
                self._line.join(self._host, worker, self._driver.pid(worker))
                self._joined.add(worker)
            if any(isinstance(message, Ready | PackEnded | Calibrated) for message in of_worker):
                self._free.add(worker)
            self._line.say(self._host, worker, pickle.dumps(of_worker))

    def _lost(self, event: WorkerLost) -> None:
        self._joined.discard(event.worker)
        self._free.discard(event.worker)
        self._line.lost(self._host, event.worker, event.reason, event.loss.value)
        self._driver.replace(event.worker)

    def _obey(self) -> None:
        """Take orders, in a thread of its own."""
        while not self._closing.is_set():
            said = self._line.next_order(self._host)
            if said == NO_MORE:
                os._exit(0)
            order: Order = pickle.loads(said)
            if isinstance(order, CloseAll):
                self._closing.set()
            elif isinstance(order, StopAll):
                self._driver.stop()
            elif isinstance(order, Leave):
                self._leaving.set()
                self._driver.stop()
            # else it has ended or is about to, as the driver will hear
            elif order.worker in self._joined and not self._leaving.is_set():
                self._hand(order)

    def _hand(self, order: ToWorker) -> None:
        self._free.discard(order.worker)
        if isinstance(order.task, Pack):
            self._driver.submit(order.worker, order.task)
        else:
            self._driver.calibrate(order.worker, order.task)


def fork_server(path: str | None) -> ForkServer:
    """A fork of the driver's, where there is one."""
    if path is not None:
        with contextlib.suppress(OSError):  # the driver's has ended
            return ForkServer.near(path)
    return take_fork_server()


def memory_share(opening: WorkerOptions, node_cpus: float) -> float:
    """Of a GPU the part that Ray gave; of a node as if it were full of slots."""
    if gpus := opening.resources.get("gpu"):
        return min(gpus, 1.0)
    return 1 / max(1, min(opening.workers, int(node_cpus / opening.resources["cpu"])))


def _cpus_of(node: str) -> float:
    nodes: Sequence[Mapping[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return float(next(one["Resources"].get("CPU", 1) for one in nodes if one["NodeID"] == node))
