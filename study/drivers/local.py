"""The local driver: worker processes on this machine, one pipe each."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait

from study.drivers._groups import Groups
from study.drivers._peers import OpenPeers, on_this_machine
from study.drivers.protocol import DriverEvent, FromWorker
from study.nursery import Child, Nursery, take_nursery
from trainers.events import CalibrateNow, Meeting, Message, Open, Stop, TrainPack
from trainers.jobs import Calibrate, Pack, ProblemRef, Training


class LocalDriver:
    """Worker processes on this machine; they exit when this process does.

    Args:
        training: Threads, precision and compiler are set when a worker starts.
        devices: Device of each worker, such as ``["cpu", "cpu"]``; its length is their number.
        memory_share: How much of its device's memory each worker may have; as much as the other
            workers on it, if not given.
        open_peers: Starts the processes that train together with a worker, if there are any.
        host: Address under which they find it.
        open_nursery: Where worker processes come from.
    """

    def __init__(
        self,
        problem: ProblemRef,
        training: Training,
        *,
        devices: Sequence[str],
        memory_share: float | None = None,
        open_peers: OpenPeers = on_this_machine,
        host: str = "127.0.0.1",
        open_nursery: Callable[[], Nursery] = take_nursery,
    ) -> None:
        self._problem, self._training, self._devices = problem, training, devices
        self._memory_share = memory_share
        self._open_peers, self._host, self._open_nursery = open_peers, host, open_nursery
        self._groups = Groups()
        self._nursery: Nursery | None = None
        self._workers: dict[int, tuple[Child, Nursery]] = {}
        self._started: list[tuple[str, Child, Nursery]] = []  # by number, with each one's device

    @property
    def size(self) -> int:
        """Number of workers."""
        return len(self._devices)

    def start(self) -> None:
        """Start one process a device."""
        for device in self._devices:
            self._spawn(device)

    def pid(self, worker: int) -> int:
        """Process id of a worker, also of one that has ended."""
        _, child, nursery = self._started[worker]
        return nursery.pid(child)

    def submit(self, worker: int, pack: Pack) -> None:
        """Send a pack down the worker's pipe; a dead worker is noticed by the next `poll`."""
        self._send(self._workers[worker][0], TrainPack(pack))

    def calibrate(self, worker: int, wanted: Calibrate) -> None:
        """Ask for a calibration down the worker's pipe."""
        self._send(self._workers[worker][0], CalibrateNow(wanted))

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        """Read what has arrived; a closed pipe is a lost worker."""
        pipes = {child.pipe: number for number, (child, _) in self._workers.items()}
        events: list[DriverEvent] = list(self._groups.look_after(self.kill))
        for pipe in wait(list(pipes), timeout_s):
            number = pipes[pipe]  # type: ignore[index]
            child, nursery = self._workers[number]
            try:
                while child.pipe.poll():
                    messages: Sequence[Message] = child.pipe.recv()
                    events += self._heard(number, messages)
            except (EOFError, OSError):
                del self._workers[number]
                events.append(self._groups.lost(number, nursery.bury(child)))
        return events

    def _heard(self, worker: int, messages: Sequence[Message]) -> Iterator[FromWorker]:
        for message in messages:
            if isinstance(message, Meeting):
                self._groups.meet(worker, message)
            else:
                yield FromWorker(worker, message)

    def kill(self, worker: int) -> None:
        """End a worker's process at once."""
        if worker not in self._workers:
            return  # its number may be that of another process by now
        with contextlib.suppress(ProcessLookupError):  # it has died; `poll` will say so
            os.kill(self.pid(worker), signal.SIGKILL)

    def replace(self, worker: int) -> None:
        """Start a successor of a lost worker on its device."""
        self._spawn(self._started[worker][0])

    def stop(self) -> None:
        """Ask every worker to release its pack."""
        for child, _ in self._workers.values():
            self._send(child, Stop())

    def close(self) -> None:
        """Close the pipes, which ends the workers, and wait for them."""
        nurseries = {id(nursery): nursery for _, nursery in self._workers.values()}
        if self._nursery is not None:
            nurseries[id(self._nursery)] = self._nursery
        self._groups.close()
        for child, _ in self._workers.values():
            child.pipe.close()
        for nursery in nurseries.values():
            nursery.close()
        for child, _ in self._workers.values():
            child.output.close()
        self._workers.clear()
        self._nursery = None

    def _spawn(self, device: str) -> None:
        if self._nursery is None or not self._nursery.alive:
            self._nursery = self._open_nursery()
        child = self._nursery.spawn()
        number = len(self._started)
        self._workers[number] = child, self._nursery
        self._started.append((device, child, self._nursery))
        opening = Open(
            problem=self._problem,
            device=device,
            threads=self._training.threads,
            asked_s=time.monotonic(),
            precision=self._training.precision,
            compile=self._training.compile,
            memory_share=self._memory_share or 1 / max(self._devices.count(device), 1),
            ranks=self._training.data_parallel,
            host=self._host,
        )
        self._send(child, opening)
        if opening.ranks > 1:
            self._groups.add(number, self._open_peers(self._nursery, opening))

    def _send(self, child: Child, message: Open | TrainPack | CalibrateNow | Stop) -> None:
        try:
            child.pipe.send(message)
        except OSError:
            return  # it is dead; `poll` finds its pipe closed and says so
