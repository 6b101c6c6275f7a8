"""A worker slot: an actor that looks after a worker of the local driver.

So a run meets the same process here as on a machine of one's own: same threads, same signals, no
Ray in it; and a worker that dies is followed by another one at once, while Ray needs seconds to
start a process. This module loads no Ray Tune: that takes a process longer than to load Ray.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import ray
from ray import cloudpickle

from study.drivers.local.driver import LocalDriver
from study.drivers.protocol import FromWorker, WorkerLost
from study.drivers.ray_tune.channel import NO_MORE
from study.drivers.ray_tune.orders import (
    CloseSlot,
    DrainSlot,
    Order,
    RunTask,
    StopSlot,
    WorkerOptions,
)
from study.drivers.ray_tune.outbox import Outbox
from study.drivers.ray_tune.peers import RayPeers, fork_server
from study.drivers.ray_tune.slot_losses import NodeDrained
from trainers.events import Free
from trainers.hardware.devices import indexed
from trainers.jobs import Pack

_POLL_S = 0.25


class Slot:
    """Place for one worker, and a trial of Ray Tune.

    Of a trainable it has what Ray Tune asks of one that saves nothing. All that matters goes
    through the channel; the trial's own result says only that it is over.

    Args:
        trial: Its id, which a process that follows this one has, too.
        channel: Actor handle of a `Channel`.
    """

    def __init__(self, trial: str, channel: Any, options: WorkerOptions) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
        self._channel = channel
        here = ray.get_runtime_context()
        node = here.get_node_id()
        self._name = str(here.get_actor_id())
        handle = cloudpickle.dumps(here.current_actor)  # type: ignore[no-untyped-call]
        _answer(channel.slot_started.remote(trial, self._name, handle, node))
        self._driver = LocalDriver(
            options.problem,
            options.training,
            devices=[indexed(options.device)],  # of the GPUs that Ray shows to this process
            memory_share=memory_share(options, _cpus_of(node)),
            open_peers=partial(RayPeers, near=options.fork_server),
            host=ray.util.get_node_ip_address(),  # type: ignore[no-untyped-call]
            open_fork_server=lambda: fork_server(options.fork_server),
            open_limit_s=options.open_limit_s,
        )
        self._driver.start(code=options.code, looked=options.looked)
        self._outbox = Outbox()
        self._started: set[int] = set()  # workers that the channel knows
        self._free: set[int] = set()  # of these, with nothing to do
        self._closing, self._draining = threading.Event(), threading.Event()

    def train(self) -> dict[str, Any]:
        """Carry orders and messages until the driver says that there is no more to do.

        Raises:
            NodeDrained: Its node is about to be taken away, and nothing is under way.
        """
        threading.Thread(target=self._obey, daemon=True).start()
        while not self._closing.is_set():
            for event in self._driver.poll(_POLL_S):
                if isinstance(event, FromWorker):
                    self._outbox.put(event.worker, event.message)
                else:
                    self._report()
                    self._replace(event)
            if self._outbox.is_due(time.monotonic()):
                self._report()
            if self._draining.is_set() and self._started == self._free:
                raise NodeDrained("The node is about to be taken away.")
        self._driver.close()
        return {"done": True}

    def stop(self) -> None:
        """Nothing is left to be ended after `train`."""

    def get_auto_filled_metrics(self, **_: Any) -> dict[str, Any]:
        """What stands for a result before there is one."""
        return {}

    def _report(self) -> None:
        """Send on what workers said; the first message of a worker introduces it."""
        for worker, messages in self._outbox.take(time.monotonic()).items():
            if worker not in self._started:
                pid = self._driver.pid(worker)
                _answer(self._channel.worker_started.remote(self._name, worker, pid))
                self._started.add(worker)
            if any(isinstance(message, Free) for message in messages):
                self._free.add(worker)
            report = pickle.dumps(messages)
            _answer(self._channel.worker_reported.remote(self._name, worker, report))

    def _replace(self, lost: WorkerLost) -> None:
        self._started.discard(lost.worker)
        self._free.discard(lost.worker)
        how = (lost.reason, lost.loss.value)
        _answer(self._channel.worker_ended.remote(self._name, lost.worker, *how))
        self._driver.replace(lost.worker)

    def _obey(self) -> None:
        """Take orders, in a thread of its own."""
        while not self._closing.is_set():
            pickled = _answer(self._channel.next_order.remote(self._name))
            if pickled == NO_MORE:
                os._exit(0)
            order: Order = pickle.loads(pickled)
            if isinstance(order, CloseSlot):
                self._closing.set()
            elif isinstance(order, StopSlot):
                self._driver.stop()
            elif isinstance(order, DrainSlot):
                self._draining.set()
                self._driver.stop()
            # else it has ended or is about to, as the driver will hear
            elif order.worker in self._started and not self._draining.is_set():
                self._hand(order)

    def _hand(self, order: RunTask) -> None:
        self._free.discard(order.worker)
        if isinstance(order.task, Pack):
            self._driver.submit(order.worker, order.task)
        else:
            self._driver.calibrate(order.worker, order.task)


def _answer(reference: Any) -> Any:
    """The channel's answer; without a driver there is nothing left to do here."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayError:
        os._exit(0)


def memory_share(options: WorkerOptions, node_cpus: float) -> float:
    """Of a GPU the part that Ray gave; of a node as if it were full of slots."""
    if gpus := options.resources.get("gpu"):
        return min(gpus, 1.0)
    return 1 / max(1, min(options.workers, int(node_cpus / options.resources["cpu"])))


def _cpus_of(node: str) -> float:
    nodes: Sequence[Mapping[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return float(next(one["Resources"].get("CPU", 1) for one in nodes if one["NodeID"] == node))
