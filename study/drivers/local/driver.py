"""The local driver: worker processes on this machine, one pipe each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from study.drivers.local.fork_server import Child, ForkServer, take_fork_server
from study.drivers.local.groups import Groups
from study.drivers.peers import OpenPeers, on_this_machine
from study.drivers.protocol import DriverEvent, FromWorker, Loss, WorkerLost
from study.drivers.vital_signs import Process, Remedy, Signs, Timeouts, judged
from study.errors import WorkersUnusable
from trainers.events import (
    CalibrateNow,
    Message,
    Open,
    OpenFailed,
    Ready,
    Rendezvous,
    RunEnded,
    Stop,
    TrainPack,
)
from trainers.jobs import Calibrate, Job, Pack, ProblemRef, TimeSteps, Training
from trainers.keeping.output import RunOutput
from trainers.worker.code import told_code


@dataclass(slots=True)
class _Worker:
    """A worker that has not been given up.

    Attributes:
        asked_s: When it was asked for.
        opening: Until it says that it is ready, or why it will not be.
        waits: It was ready without a look, as another one was to look.
        pipe_open: Whether what it says can be read.
        killed_s: When it was killed; None if it was not.
        why: Why it was, if this driver did so by itself.
        loss: What its loss is then.
        files: Where what its runs print is kept.
        jobs: Runs of its pack that have not ended.
    """

    child: Child
    fork_server: ForkServer
    asked_s: float
    opening: bool = True
    waits: bool = False
    pipe_open: bool = True
    killed_s: float | None = None
    why: str = ""
    loss: Loss = Loss.WORKER
    files: str | None = None
    jobs: dict[int, Job] = field(default_factory=dict)

    def keep(self, printed: bytes) -> None:
        """Keep what it has printed last, dying, with the runs that it trained."""
        RunOutput(self.files, self.jobs).keep(printed, self.jobs, over=self.jobs)

    def signs(self, now_s: float) -> Signs:
        """What is known of it; its process first: nothing follows the words of one that ended."""
        process = self.fork_server.process(self.child)
        ended = process is Process.ENDED and self.pipe_open
        return Signs(
            process=process,
            pipe_open=self.pipe_open,
            unread=ended and self.child.pipe.poll(),
            opening_s=now_s - self.asked_s if self.opening else None,
            killed_s=None if self.killed_s is None else now_s - self.killed_s,
        )


class LocalDriver:
    """Worker processes on this machine; they exit when this process does.

    Args:
        training: Threads, precision and compiler are set when a worker starts.
        devices: Device of each worker, such as ``["cpu", "cpu"]``; its length is their number.
        memory_share: How much of its device's memory each worker may have; as much as the other
            workers on it, if not given.
        open_peers: Starts the processes that train together with a worker, if there are any.
        host: Address under which they find it.
        open_fork_server: Where worker processes come from.
        open_limit_s: Longest time until a worker can train.
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
        open_fork_server: Callable[[], ForkServer] = take_fork_server,
        open_limit_s: float = math.inf,
    ) -> None:
        self._problem, self._training, self._devices = problem, training, devices
        self._memory_share = memory_share
        self._open_peers, self._host, self._open_fork_server = open_peers, host, open_fork_server
        self._timeouts = Timeouts(opening_s=open_limit_s)
        self._groups = Groups()
        self._fork_server: ForkServer | None = None
        self._code, self._looked = "", False
        self._looker: int | None = None  # the worker that looks at the network
        self._workers: dict[int, _Worker] = {}
        self._started: list[tuple[str, Child, ForkServer]] = []  # by number, with each one's device

    @property
    def size(self) -> int:
        """Number of workers."""
        return len(self._devices)

    def start(self, *, code: str = "", looked: bool = False) -> None:
        """Start one process a device.

        Args:
            code: Fingerprint of the user's code, whose network one worker looks at for all.
            looked: Whether that was done before.

        Raises:
            WorkersUnusable: This machine starts no more processes.
        """
        self._code, self._looked = code, looked
        for device in self._devices:
            self._spawn(device)

    def pid(self, worker: int) -> int:
        """Process id of a worker, also of one that has ended."""
        _, child, fork_server = self._started[worker]
        return fork_server.pid(child)

    def submit(self, worker: int, pack: Pack) -> None:
        """Send a pack down the worker's pipe; a dead worker is noticed by the next `poll`."""
        if (found := self._workers.get(worker)) is not None:
            found.files, found.jobs = pack.checkpoints, {job.run: job for job in pack.jobs}
        self._send(worker, TrainPack(pack))

    def calibrate(self, worker: int, wanted: Calibrate | TimeSteps) -> None:
        """Ask for the time of steps down the worker's pipe."""
        self._send(worker, CalibrateNow(wanted))

    def poll(self, timeout_s: float) -> list[DriverEvent]:
        """Read what has arrived, and look who is lost."""
        events: list[DriverEvent] = list(self._groups.look_after(self.kill))
        pipes = {worker.child.pipe: number for number, worker in self._workers.items()}
        controls = {one.control: one for one in self._fork_servers() if one.alive}
        for ready in wait([*pipes, *controls], timeout_s):
            if (number := pipes.get(ready)) is not None:  # type: ignore[call-overload]
                events += self._read(number)
            else:
                controls[ready].hear()  # type: ignore[index]
        for number in list(self._workers):
            events += self._looked_at(number)
        return events

    def kill(self, worker: int) -> None:
        """End a worker's process at once."""
        if (found := self._workers.get(worker)) is not None and found.killed_s is None:
            found.killed_s = time.monotonic()
            found.fork_server.end(found.child)

    def replace(self, worker: int) -> None:
        """Start a successor of a lost worker on its device."""
        self._spawn(self._started[worker][0])

    def stop(self, workers: Iterable[int] | None = None) -> None:
        """Ask workers, or all of them, to release their packs."""
        for number in list(self._workers) if workers is None else workers:
            self._send(number, Stop())

    def close(self) -> None:
        """Close the pipes, which ends the workers, and wait for them."""
        fork_servers = self._fork_servers()
        self._groups.close()
        for worker in self._workers.values():
            worker.child.pipe.close()
        for fork_server in fork_servers:
            fork_server.close()
        for worker in self._workers.values():
            worker.fork_server.end(worker.child)  # whose fork server has not waited for it
            worker.child.output.close()
        self._workers.clear()
        self._fork_server = None

    def _fork_servers(self) -> list[ForkServer]:
        """Of all workers, and of those to come."""
        found = {id(worker.fork_server): worker.fork_server for worker in self._workers.values()}
        if self._fork_server is not None:
            found[id(self._fork_server)] = self._fork_server
        return list(found.values())

    def _read(self, number: int) -> Iterator[FromWorker]:
        """What a worker has said; a message of which no more comes closes its pipe, too.

        So does the death of its fork server in the moment between its birth and word of that.
        """
        worker = self._workers[number]
        try:
            while worker.child.pipe.poll():
                messages: Sequence[Message] = worker.child.pipe.recv()
                worker.fork_server.pid(worker.child)
                yield from self._heard(number, messages)
        except (EOFError, OSError):
            worker.pipe_open = False

    def _heard(self, number: int, messages: Sequence[Message]) -> Iterator[FromWorker]:
        for message in messages:
            if isinstance(message, Rendezvous):
                self._groups.meet(number, message)
                continue
            if isinstance(message, Ready | OpenFailed):
                self._workers[number].opening = False
                self._hear_of_look(number, message)
            elif isinstance(message, RunEnded):
                self._workers[number].jobs.pop(message.run, None)
            yield FromWorker(number, message)

    def _hear_of_look(self, number: int, message: Ready | OpenFailed) -> None:
        """Look no more once somebody has seen what the code makes.

        If who looked had loaded other code, those that wait for it would wait for ever: their
        successors look.
        """
        if self._looker == number:
            self._looker = None
        if isinstance(message, Ready):
            self._workers[number].waits = message.network is None
            if message.network is not None:
                self._looked |= told_code(message.environment).fingerprint == self._code
        if not self._looked and self._looker is None:
            for other in [other for other, worker in self._workers.items() if worker.waits]:
                self.kill(other)

    def _looked_at(self, number: int) -> Iterator[WorkerLost]:
        """Take leave of a worker that is lost; end one that does not come to work."""
        worker = self._workers[number]
        verdict = judged(worker.signs(time.monotonic()), self._timeouts)
        if verdict is Remedy.STUCK:
            worker.why = f"It could not train within {self._timeouts.opening_s:g} s. "
            worker.loss = Loss.STUCK
            self.kill(number)
        elif verdict is Remedy.LOST:
            del self._workers[number]
            if self._looker == number:
                self._looker = None
            ended = worker.fork_server.reaped(worker.child)
            how = worker.why + ended.how
            worker.keep(ended.printed)
            self._drop(worker.fork_server)
            lost = self._groups.lost(number, how)
            yield lost if not worker.why else WorkerLost(number, lost.reason, worker.loss)

    def _spawn(self, device: str) -> None:
        fork_server = self._living_fork_server()
        child = fork_server.spawn()
        number = len(self._started)
        self._workers[number] = _Worker(child, fork_server, time.monotonic())
        self._started.append((device, child, fork_server))
        spared = self._looked or self._looker is not None
        if not spared:
            self._looker = number
        opening = Open(
            problem=self._problem,
            device=device,
            threads=self._training.threads,
            asked_s=time.monotonic(),
            precision=self._training.precision,
            training=self._training,
            compile=self._training.compile,
            memory_share=self._memory_share or 1 / max(self._devices.count(device), 1),
            ranks=self._training.data_parallel,
            host=self._host,
            looked=self._code if spared else None,
        )
        self._send(number, opening)
        if opening.ranks > 1:
            self._groups.add(number, self._open_peers(fork_server, opening))

    def _living_fork_server(self) -> ForkServer:
        before = self._fork_server
        if before is not None and before.alive:
            return before
        self._fork_server = self._opened_fork_server()
        self._drop(before)
        return self._fork_server

    def _drop(self, fork_server: ForkServer | None) -> None:
        """Close one of which nobody comes any more."""
        if fork_server is not None and all(
            fork_server is not used for used in self._fork_servers()
        ):
            fork_server.close()

    def _opened_fork_server(self) -> ForkServer:
        try:
            return self._open_fork_server()
        except OSError as error:
            raise WorkersUnusable(
                f"This machine must be able to start processes. It is not: {error.strerror}. "
                "End others, or raise the limits of memory and processes (`ulimit -u`)."
            ) from error

    def _send(self, number: int, message: Open | TrainPack | CalibrateNow | Stop) -> None:
        worker = self._workers.get(number)
        try:
            if worker is not None:
                worker.child.pipe.send(message)
        except BlockingIOError:  # half of it is there, and the worker does not read
            self.kill(number)
        except OSError:
            return  # it is dead; `poll` finds its pipe closed and says so
