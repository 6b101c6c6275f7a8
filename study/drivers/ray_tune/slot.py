"""A worker slot as a Ray Tune trial: its only step works until the driver closes it.

The slot's process looks after a worker of the local driver. So a run meets the same process here
as on a machine of one's own: same threads, same signals, no Ray in it; and a worker that dies is
followed by another one at once, while Ray needs seconds to start a process.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray import tune

from study.drivers.local import LocalDriver
from study.drivers.protocol import DriverEvent, FromWorker, WorkerLost
from study.drivers.ray_tune.feed import NO_MORE
from study.drivers.ray_tune.peers import RayPeers
from trainers.jobs import Calibrate, Pack, ProblemRef, Training

_POLL_S = 0.25
_GATHER_S = 0.003
"""A pack's end is several messages in a row, and every call through Ray takes a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a slot's workers are opened with.

    Attributes:
        workers: Slots that there are at most, here or on other nodes.
        resources: Of one of them, by Ray's names in small letters.
    """

    problem: ProblemRef
    training: Training
    device: str
    workers: int
    resources: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ToWorker:
    """Driver to slot: an order to its worker."""

    worker: int
    task: Pack | Calibrate


@dataclass(frozen=True, slots=True)
class StopAll:
    """Driver to slot: save and release what is in training."""


@dataclass(frozen=True, slots=True)
class CloseAll:
    """Driver to slot: there is no more to do."""


Order = ToWorker | StopAll | CloseAll


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
        entering = feed.enter.remote(self.trial_id, here.current_actor, here.get_node_id())
        self._host: int = ray.get(entering)
        self._driver = LocalDriver(
            opening.problem,
            opening.training,
            devices=[opening.device],
            memory_share=memory_share(opening, _cpus_of(here.get_node_id())),
            open_peers=RayPeers,
            host=ray.util.get_node_ip_address(),  # type: ignore[no-untyped-call]
        )
        self._driver.start()
        self._numbers: dict[int, int] = {}  # of the local driver's workers in the feed
        self._closing = threading.Event()

    def step(self) -> dict[str, Any]:
        """Carry orders and messages until the driver says that there is no more to do."""
        threading.Thread(target=self._obey, daemon=True).start()
        while not self._closing.is_set():
            messages: dict[int, list[object]] = {}
            events = self._driver.poll(_POLL_S)
            if events:
                time.sleep(_GATHER_S)
                events += self._driver.poll(0.0)
            for event in events:
                self._sort(event, messages)
            self._tell(messages)
        self._driver.close()
        return {"done": True}

    def _sort(self, event: DriverEvent, messages: dict[int, list[object]]) -> None:
        if isinstance(event, FromWorker):
            messages.setdefault(event.worker, []).append(event.message)
            return
        self._tell(messages)
        messages.clear()
        self._lost(event)

    def _tell(self, messages: dict[int, list[object]]) -> None:
        """Send on what workers said; the first message of a worker introduces it."""
        for local, of_worker in messages.items():
            if local not in self._numbers:
                pid = self._driver.pid(local)
                self._numbers[local] = self._ask(self._feed.join.remote(self._host, pid))
            number = self._numbers[local]
            self._ask(self._feed.say.remote(number, pickle.dumps(of_worker)))

    def _lost(self, event: WorkerLost) -> None:
        number = self._numbers.pop(event.worker, None)
        self._ask(self._feed.lost.remote(self._host, number, event.reason, event.loss.value))
        self._driver.replace(event.worker)

    def _obey(self) -> None:
        """Take orders, in a thread of its own."""
        while not self._closing.is_set():
            said: bytes = self._ask(self._feed.next_order.remote(self._host))
            if said == NO_MORE:
                os._exit(0)
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


def memory_share(opening: Opening, node_cpus: float) -> float:
    """Of a GPU the part that Ray gave; of a node as if it were full of slots."""
    if gpus := opening.resources.get("gpu"):
        return min(gpus, 1.0)
    return 1 / max(1, min(opening.workers, int(node_cpus / opening.resources["cpu"])))


def _cpus_of(node: str) -> float:
    nodes: Sequence[Mapping[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return float(next(one["Resources"].get("CPU", 1) for one in nodes if one["NodeID"] == node))
