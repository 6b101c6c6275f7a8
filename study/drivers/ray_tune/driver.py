"""The Ray driver: worker slots on a cluster, each a Ray Tune trial that trains leased packs."""

from __future__ import annotations

import math
import pickle
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

from study.drivers.local.fork_server import ForkServer, take_fork_server
from study.drivers.protocol import DriverEvent, FromWorker, Loss, WorkerLost
from study.drivers.ray_tune.channel import (
    ChannelEvent,
    EventReader,
    SlotStarted,
    WorkerReported,
    WorkerStarted,
    open_channel,
)
from study.drivers.ray_tune.cluster import Cluster
from study.drivers.ray_tune.drain_watch import DrainWatch
from study.drivers.ray_tune.endpoints import RAYLET_TIMEOUT_S, EndpointWatch
from study.drivers.ray_tune.explained_errors import gone, within_reach
from study.drivers.ray_tune.orders import (
    CloseSlot,
    DrainSlot,
    Order,
    RunTask,
    StopSlot,
    WorkerOptions,
)
from study.errors import ClusterLost
from trainers.events import Message
from trainers.jobs import Calibrate, Pack, ProblemRef, Task, TimeSteps, Training

if TYPE_CHECKING:
    from study.drivers.ray_tune.experiment import Experiment

_LEAVE_S = 2.0
_EXPERIMENT = "study.drivers.ray_tune.experiment"
_HEAD_GONE = "its head does not answer"
_HEAD_ENDED = "its head on this machine has ended"
_RAYLET_GONE = "its raylet on this machine has ended"


class RayDriver:
    """Worker processes on a Ray cluster; Ray ends them when this process ends.

    Args:
        training: Threads, precision and compiler are set when a worker starts.
        device: Of every worker, within what Ray has given to it: ``cpu`` or ``cuda``.
        workers: Slots; those for which there is no room wait, and make an autoscaling cluster grow.
        open_limit_s: Longest time until a worker can train, once there is room for it.
    """

    def __init__(
        self,
        problem: ProblemRef,
        training: Training,
        *,
        device: str,
        workers: int,
        cluster: Cluster,
        open_limit_s: float = math.inf,
    ) -> None:
        self._options = WorkerOptions(
            problem=problem,
            training=training,
            device=device,
            workers=workers,
            resources=cluster.resources,
            open_limit_s=open_limit_s,
        )
        self._workers, self._cluster = workers, cluster
        self._slots: dict[str, SlotStarted] = {}  # by their names
        self._started: dict[int, WorkerStarted] = {}
        self._channel: Any = None
        self._events: EventReader | None = None
        self._fork_server: ForkServer | None = None
        self._experiment: Experiment | None = None
        self._head = self._raylet = EndpointWatch(None)
        self._drains: DrainWatch | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="weighbridge-ray-")
        self._cut_off = False

    @property
    def size(self) -> int:
        """Number of workers that it keeps at work."""
        return self._workers

    def start(self, *, code: str = "", looked: bool = False) -> None:
        """Connect to the cluster and let Ray Tune place the slots.

        Args:
            code: Fingerprint of the user's code, whose network each slot looks at once.
            looked: Whether that was done before.

        Raises:
            WorkersUnusable: There is no cluster.
        """
        # Ray Tune takes as long to import as Ray to start
        importing = threading.Thread(target=import_module, args=(_EXPERIMENT,), daemon=True)
        importing.start()
        self._cluster.connect()
        head = self._cluster.head
        self._head, self._drains = EndpointWatch(head), DrainWatch() if head else None
        self._raylet = EndpointWatch(self._cluster.raylet, RAYLET_TIMEOUT_S)
        self._channel = open_channel(self._cluster.beside_driver, slots=self._workers)
        self._events = EventReader(self._channel)
        importing.join()
        from study.drivers.ray_tune.experiment import Experiment

        options = replace(self._options, code=code, looked=looked)
        self._experiment = Experiment(
            self._channel, self._with_fork_server(options), inherits=self._cluster.is_own
        )

    def pid(self, worker: int) -> int:
        """Process id of a worker, on its node."""
        return self._started[worker].pid

    def submit(self, worker: int, pack: Pack) -> None:
        """Give an idle worker a pack."""
        self._hand(worker, pack)

    def calibrate(self, worker: int, wanted: Calibrate | TimeSteps) -> None:
        """Let an idle worker time training steps."""
        self._hand(worker, wanted)

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        """What the channel has heard.

        Raises:
            ClusterLost: Ray Tune has ended, or the cluster is out of reach.
        """
        if self._events is None or self._experiment is None:
            return []
        if why := self._what_has_gone():
            raise self._lost(gone(None, why))
        with self._within_reach():
            events = self._events.read(timeout_s)
        if self._drains is not None:
            self._drain(self._drains.new())
        if not events and not self._experiment.alive:
            raise self._lost(gone(self._experiment.failure, "its trials have ended"))
        return [found for event in events for found in self._taken_in(event)]

    def kill(self, worker: int) -> None:
        """End a worker, and the process that looks after it: nothing may be well there."""
        if (started := self._started.get(worker)) is not None:
            with self._within_reach():
                ray.kill(pickle.loads(self._slots[started.slot].handle))

    def replace(self, worker: int) -> None:
        """Nothing to do: slots keep themselves occupied, on any node."""

    def stop(self, workers: Iterable[int] | None = None) -> None:
        """Ask workers, or all of them, to release their packs; a slot has one at a time."""
        asked = self._started if workers is None else self._started.keys() & set(workers)
        self._order([self._started[worker].slot for worker in asked], StopSlot())

    def close(self) -> None:
        """End the workers, and leave the cluster."""
        with suppress(ClusterLost):
            self._order(list(self._slots), CloseSlot())
        if self._experiment is not None:
            self._experiment.close(within_reach=self._is_within_reach)
        if self._drains is not None and self._is_within_reach():
            self._drains.close()
        if self._channel is not None and not self._cut_off:
            ray.kill(self._channel)
        if self._fork_server is not None:
            self._fork_server.close()
        self._folder.cleanup()
        if self._cut_off:
            # Ray waits for its head until it ends this process, within a minute
            leaving = threading.Thread(target=self._cluster.leave, daemon=True)
            leaving.start()
            leaving.join(_LEAVE_S)
        else:
            self._cluster.leave()

    def _with_fork_server(self, options: WorkerOptions) -> WorkerOptions:
        """Slots of a Ray of our own need not import torch, unless they see a GPU of their own."""
        if not self._cluster.is_own or options.device != "cpu":
            return options
        self._fork_server = take_fork_server()
        path = str(Path(self._folder.name) / "fork_server")
        with suppress(OSError):  # slots find nobody there, and start fork servers of their own
            self._fork_server.listen(path)
        return replace(options, fork_server=path)

    def _drain(self, nodes: Set[str]) -> None:
        """Have slots leave nodes that are about to be taken away."""
        if nodes:
            there = [name for name, slot in self._slots.items() if slot.node in nodes]
            self._order(there, DrainSlot())

    def _hand(self, worker: int, task: Task) -> None:
        if (started := self._started.get(worker)) is not None:
            self._order([started.slot], RunTask(started.local, task))

    def _order(self, slots: Sequence[str], order: Order) -> None:
        if self._channel is not None and not self._cut_off:
            with self._within_reach():
                self._channel.order.remote(slots, pickle.dumps(order))

    def _taken_in(self, event: ChannelEvent) -> list[DriverEvent]:
        if isinstance(event, SlotStarted):
            self._slots[event.slot] = event
            return []
        if isinstance(event, WorkerStarted):
            self._started[event.worker] = event
            return []
        if isinstance(event, WorkerReported):
            messages: list[Message] = pickle.loads(event.messages)
            return [FromWorker(event.worker, message) for message in messages]
        self._started.pop(event.worker, None)
        return [WorkerLost(event.worker, event.reason, Loss(event.loss))]

    @contextmanager
    def _within_reach(self) -> Iterator[None]:
        try:
            with within_reach():
                yield
        except ClusterLost as error:
            raise self._lost(error) from error.__cause__

    def _what_has_gone(self) -> str:
        """What of Ray does not answer, in words; empty if all does."""
        if ended := self._cluster.ended:
            return _RAYLET_GONE if "raylet" in ended else _HEAD_ENDED
        watched = ((self._raylet, _RAYLET_GONE), (self._head, _HEAD_GONE))
        return next((why for process, why in watched if process.is_gone), "")

    def _is_within_reach(self) -> bool:
        """Whether the cluster can be told anything; once it cannot, it never can."""
        self._cut_off = self._cut_off or bool(self._what_has_gone())
        return not self._cut_off

    def _lost(self, error: ClusterLost) -> ClusterLost:
        self._cut_off = True
        return error
