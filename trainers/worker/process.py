"""A worker process: trains the packs that come down a pipe.

It is forked by `trainers.worker.fork_server` and knows the driver only by the pipe: when that
closes, the process exits at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from trainers.errors import TrainingError
from trainers.events import (
    Beat,
    CalibrateNow,
    EpochDone,
    Event,
    Message,
    NetworkFacts,
    NetworksKept,
    Open,
    OpenFailed,
    PackEnded,
    Ready,
    Rendezvous,
    RunEnded,
    Stop,
    TrainPack,
)
from trainers.failures import told
from trainers.hardware import compiler
from trainers.hardware.devices import is_gpu
from trainers.hardware.energy import EnergyMeter, Unmetered, metered, open_meter
from trainers.hardware.environment import environment
from trainers.jobs import Calibrate, Pack, Task
from trainers.keeping.output import Printed, RunOutput
from trainers.problems.errors import ProblemError
from trainers.worker.code import Code, code_of, unread

if TYPE_CHECKING:
    from trainers.engines import Session
    from trainers.functions import FunctionSession

BEAT_S = 1.0
OF_FUNCTION = NetworkFacts(convolutional=False, obstacle="is a training function's own")
"""Of a training function's network, all that is known."""


class Pipe:
    """The worker's end of the pipe: sends from several threads, receives in one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self.tasks: SimpleQueue[Task | Stop] = SimpleQueue()
        self.stopping = threading.Event()

    def send(self, *messages: Message) -> None:
        """Send together, or exit if nobody listens any more."""
        try:
            with self._sending:
                self._connection.send(messages)
        except OSError:
            os._exit(0)

    def first(self) -> Open:
        """The driver's first message."""
        message: Open = self._heard()
        return message

    def meeting(self) -> Rendezvous:
        """The driver's second message to one of several processes that train together."""
        message: Rendezvous = self._heard()
        return message

    def listen(self) -> None:
        """Sort the driver's messages until the pipe closes, then end the process."""
        while True:
            message = self._heard()
            if isinstance(message, TrainPack):
                self.stopping.clear()
                self.tasks.put(message.pack)
            elif isinstance(message, CalibrateNow):
                self.tasks.put(message.wanted)
            elif isinstance(message, Stop):
                self.stopping.set()
                self.tasks.put(message)  # for what waits

    def _heard(self) -> Any:
        """The driver's next message; exits if the driver is gone, or cannot be understood.

        A worker that has stopped listening would go on beating, and be waited for.
        """
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            os._exit(0)
        except Exception:  # whatever an unpickler stumbles over
            try:
                traceback.print_exc()
                sys.stderr.flush()
            finally:  # user's code may have closed the stream
                os._exit(1)

    def beat(self, meter: EnergyMeter) -> None:
        """Say every second that the process is alive; read its meter as often."""
        while True:
            time.sleep(BEAT_S)
            meter.sample()
            self.send(Beat())


def main(descriptor: int, printed: Printed) -> None:
    """Serve packs until the driver closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    pipe = Pipe(Connection(descriptor))
    opening = pipe.first()
    if opening.rank:
        follow(pipe, opening, printed)
        return
    # of several devices, one meter would tell but a part
    alone = opening.ranks == 1
    share = gpu_share(opening)
    meter = open_meter(opening.device, opening.threads, share=share) if alone else Unmetered()
    threading.Thread(target=pipe.listen, daemon=True).start()
    threading.Thread(target=pipe.beat, args=(meter,), daemon=True).start()
    try:
        settled = prepared(opening)
        session = opened(opening, pipe)
        code = code_of(opening.problem.modules, opening.problem.folder)
        details = environment(opening.device, share=share) | settled | code.told()
        facts = found_of(session, opening, code)
    except BaseException as error:  # a user's problem may raise anything
        printed.flush()
        traceback.print_exc()
        pipe.send(OpenFailed(explained(error)))
        return
    n_devices = share * opening.ranks
    startup_s = (time.monotonic() - opening.asked_s) * n_devices
    pipe.send(
        Ready(
            startup_s=startup_s,
            environment=details,
            network=facts,
            n_devices=n_devices,
            unread=unread(code),
        )
    )
    serve(pipe, session, meter, printed)


def follow(pipe: Pipe, opening: Open, printed: Printed) -> None:
    """Take part in the runs of another worker until the driver closes the pipe."""
    meeting = pipe.meeting()
    threading.Thread(target=pipe.listen, daemon=True).start()
    try:
        prepared(opening)
        session = opened(opening, pipe, meeting)
    except BaseException as error:  # a user's problem may raise anything
        printed.flush()
        traceback.print_exc()
        pipe.send(OpenFailed(explained(error)))
        return
    from trainers.engines import Session
    from trainers.engines.solo.parallel import follow as follow_leader

    if isinstance(session, Session) and session.group is not None:
        follow_leader(session, session.group)


def gpu_share(opening: Open) -> float:
    """What of a device this worker stands for: a part of a GPU that several share."""
    return opening.memory_share if is_gpu(opening.device) else 1.0


def prepared(opening: Open) -> dict[str, str]:
    """Prepare torch; returns what was settled for a GPU.

    Raises:
        CompilerMissing: There is no C++ compiler to compile with.
        DeviceUnusable: The precision is not one of the device's.
    """
    import torch

    from trainers.hardware import gpu

    if opening.compile:
        compiler.let_in()
    torch.set_num_threads(opening.threads)
    if opening.problem.caller:
        return {}  # how a training function rounds is its own affair
    return gpu.prepare(opening.device, opening.precision)


def opened(
    opening: Open, pipe: Pipe, meeting: Rendezvous | None = None
) -> Session | FunctionSession:
    """Load the problem or the training function, once.

    Args:
        meeting: Where other processes are that train with this one; None: they come to this one.
    """
    from trainers.engines import open_session
    from trainers.functions import open_function, open_trainer
    from trainers.problems import build

    if opening.problem.trainer:
        return open_trainer(opening.problem, opening.device, pipe.stopping.is_set)
    if opening.problem.caller:
        return open_function(opening.problem, opening.device, pipe.stopping.is_set)
    session = open_session(
        build(opening.problem),
        opening.device,
        pipe.stopping.is_set,
        memory_share=opening.memory_share,
    )
    return session if opening.ranks == 1 else joined(session, opening, pipe, meeting)


def joined(session: Session, opening: Open, pipe: Pipe, meeting: Rendezvous | None) -> Session:
    """The session, with the processes that train its runs together; returns when all are there."""
    from trainers.engines.solo import group
    from trainers.engines.solo.parallel import refuse_unshared

    refuse_unshared(session)
    if meeting is None:
        store = group.open_store(opening.host)
        pipe.send(Rendezvous(host=opening.host, port=store.port))
    else:
        store = group.find_store(meeting.host, meeting.port)
    found = group.join(store, rank=opening.rank, size=opening.ranks, device=session.device)
    return replace(session, group=found)


def found_of(session: Session | FunctionSession, opening: Open, code: Code) -> NetworkFacts | None:
    """What a look finds; None if another worker looks at what the same code makes."""
    from trainers.engines import Session
    from trainers.worker.dry_run import looked_at

    if not isinstance(session, Session):
        return OF_FUNCTION
    if opening.looked == code.fingerprint:
        return None
    return looked_at(session, opening.precision, opening.training)


def explained(error: BaseException) -> str:
    """Our own errors say what to do; of any other, say what it is and where it was raised."""
    if isinstance(error, ProblemError | TrainingError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        "A problem must open without an error. "
        f"{told(error)} ({place.filename}, line {place.lineno})."
    )


def serve(
    pipe: Pipe,
    session: Session | FunctionSession,
    meter: EnergyMeter,
    printed: Printed,
) -> None:
    """Do task after task: packs to train, steps to time."""
    from trainers.engines import Session, calibrate, time_steps

    while True:
        task = pipe.tasks.get()
        if isinstance(task, Pack):
            events = metered(trained(task, session), meter, n_runs=len(task.jobs))
            tell_of(task, events, pipe, printed)
        elif isinstance(task, Stop):  # what trains has seen it
            if not isinstance(session, Session):
                end_waiting(session, pipe, printed)
        elif isinstance(session, Session):  # nobody asks for the time of a function's steps
            found: Message = (
                calibrate(task, session)
                if isinstance(task, Calibrate)
                else time_steps(task, session)
            )
            with printed.moved():
                pass  # what is printed by steps that are only timed is no run's
            pipe.send(found)


def end_waiting(session: FunctionSession, pipe: Pipe, printed: Printed) -> None:
    """End a call that waits at its rung, if there is one: its run does not go on at once."""
    if (waiting := session.rung.take()) is not None:
        waiting.end()
        run = waiting.job.run
        output = RunOutput(waiting.pack.checkpoints, {run: waiting.job})
        with printed.moved() as text:
            output.keep(text, [run], over=[run])
        pipe.send(PackEnded())


def tell_of(pack: Pack, events: Iterable[Event], pipe: Pipe, printed: Printed) -> None:
    """Send a pack's events; what is told at one moment goes together, and so does the end.

    A pack whose call waits at its rung has not ended yet.
    """
    n_left, said = len(pack.jobs), list[Event]()
    output = RunOutput(pack.checkpoints, {job.run: job for job in pack.jobs})
    for event in events:
        said.append(event)
        n_left -= isinstance(event, RunEnded)
        goes_on = isinstance(event, NetworksKept) or (
            isinstance(event, EpochDone | RunEnded) and event.more
        )
        if n_left and not goes_on:
            _keep(output, printed, said)
            pipe.send(*said)
            said.clear()
    _keep(output, printed, said)
    waits = said and isinstance(said[-1], RunEnded) and said[-1].waits
    pipe.send(*said, *(() if waits else (PackEnded(),)))


def _keep(output: RunOutput, printed: Printed, said: Sequence[Event]) -> None:
    """What was printed since the last report is of the runs that now have something to say."""
    over = [event.run for event in said if isinstance(event, RunEnded)]
    with printed.moved() as text:
        output.keep(text, {event.run for event in said}, over=over)


def trained(pack: Pack, session: Session | FunctionSession) -> Iterator[Event]:
    """The events of a pack."""
    from trainers.engines import Session, train
    from trainers.functions import train_function

    return train(pack, session) if isinstance(session, Session) else train_function(pack, session)
