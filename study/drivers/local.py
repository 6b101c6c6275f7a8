"""The local driver: worker processes on this machine, one pipe each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import IO

from study.drivers.protocol import DriverEvent, FromWorker, WorkerLost
from trainers.events import Message, Open, Stop, TrainPack
from trainers.jobs import Pack, ProblemRef

_LAST_LINES = 5
_EXIT_S = 5.0


@dataclass(slots=True)
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    pipe: Connection
    output: IO[bytes]


class LocalDriver:
    """Worker processes on this machine; they exit when this process does.

    Args:
        devices: Device of each worker, such as ``["cpu", "cpu"]``; its length is their number.
    """

    def __init__(self, problem: ProblemRef, *, threads: int, devices: Sequence[str]) -> None:
        self._problem, self._threads, self._devices = problem, threads, devices
        self._workers: dict[int, _Worker] = {}
        self._device_of: list[str] = []  # of every worker ever started, by its number

    def start(self) -> None:
        """Start one process a device."""
        for device in self._devices:
            self._spawn(device)

    def pid(self, worker: int) -> int:
        """Process id of a worker."""
        return self._workers[worker].process.pid

    def submit(self, worker: int, pack: Pack) -> None:
        """Send a pack down the worker's pipe; a dead worker is noticed by the next `poll`."""
        self._send(self._workers[worker], TrainPack(pack))

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        """Read what has arrived; a closed pipe is a lost worker."""
        pipes = {worker.pipe: worker for worker in self._workers.values()}
        events: list[DriverEvent] = []
        for pipe in wait(list(pipes), timeout_s):
            worker = pipes[pipe]  # type: ignore[index]
            try:
                while worker.pipe.poll():
                    message: Message = worker.pipe.recv()
                    events.append(FromWorker(worker.number, message))
            except (EOFError, OSError):
                events.append(WorkerLost(worker.number, self._bury(worker)))
        return events

    def replace(self, worker: int) -> None:
        """Start a successor of a lost worker on its device."""
        self._spawn(self._device_of[worker])

    def stop(self) -> None:
        """Ask every worker to release its pack."""
        for worker in self._workers.values():
            self._send(worker, Stop())

    def close(self) -> None:
        """Close the pipes, which ends the workers, and wait for them."""
        for worker in self._workers.values():
            worker.pipe.close()
        for worker in self._workers.values():
            try:
                worker.process.wait(_EXIT_S)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.output.close()
        self._workers.clear()

    def _spawn(self, device: str) -> None:
        ours, theirs = socket.socketpair()
        output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trainers.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal reaches the driver only
            env=_environment(),
        )
        theirs.close()
        worker = _Worker(len(self._device_of), process, Connection(ours.detach()), output)
        self._workers[worker.number] = worker
        self._device_of.append(device)
        self._send(worker, Open(problem=self._problem, device=device, threads=self._threads))

    def _send(self, worker: _Worker, message: Open | TrainPack | Stop) -> None:
        try:
            worker.pipe.send(message)
        except OSError:
            return  # it is dead; `poll` finds its pipe closed and says so

    def _bury(self, worker: _Worker) -> str:
        """Forget a worker whose pipe has closed; returns how it ended and its last words."""
        worker.pipe.close()
        try:
            code = worker.process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            code = worker.process.wait()
        worker.output.seek(0)
        lines = worker.output.read().decode(errors="replace").strip().splitlines()
        worker.output.close()
        del self._workers[worker.number]
        ending = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        return "\n".join([ending, *lines[-_LAST_LINES:]])


def _environment() -> dict[str, str]:
    """Our own environment, with one thread for libraries that read it before we set theirs."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
